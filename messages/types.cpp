#include "messages/types.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh {

std::string to_string(principal who) {
  return fmt::format("{}-{}", who.is_replica() ? "replica" : "client", who.number);
}

std::string to_hex(byte_span bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * std::min(count, bytes.size()));
  for (const auto byte : bytes.first(std::min(count, bytes.size()))) {
    const auto value = std::to_integer<unsigned>(byte);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

namespace {

int nibble_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

}  // namespace

bool from_hex(std::string_view text, std::span<std::byte> out) {
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t index = 0; index < out.size(); ++index) {
    const int high = nibble_of(text[2 * index]);
    const int low = nibble_of(text[2 * index + 1]);
    if (high < 0 || low < 0) return false;
    out[index] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace hypermesh
