#include "runtime/safe_text.hpp"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace hypermesh {

namespace {

/// One code point at the front of a text; no code point where the bytes are no UTF-8.
struct code_point {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
code_point front_of(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {first, 1, true};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return {};
  std::uint32_t value = first & (0x7fU >> bytes);
  for (std::size_t index = 1; index < bytes; ++index) {
    const auto next = static_cast<unsigned char>(text[index]);
    if ((next & 0xc0U) != 0x80U) return {};
    value = value << 6U | (next & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest.at(bytes) || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, bytes, true};
}

/// C0, DEL, C1, and the marks that turn the direction of a line around.
bool is_control(std::uint32_t value) {
  return value < 0x20 || (value >= 0x7f && value <= 0x9f) || (value >= 0x202a && value <= 0x202e) ||
         (value >= 0x2066 && value <= 0x2069) || value == 0x2028 || value == 0x2029;
}

/// Calls `visit(code point, its bytes)` for all of the text.
template <class Visit>
void for_each_code_point(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto next = front_of(text);
    visit(next, text.substr(0, next.bytes));
    text.remove_prefix(next.bytes);
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for_each_code_point(text, [&out](const code_point& next, std::string_view bytes) {
    if (next.valid && !is_control(next.value)) {
      out += bytes;
      return;
    }
    for (const auto byte : bytes)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  });
  return out;
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for_each_code_point(text, [&out](const code_point& next, std::string_view bytes) {
    if (next.value == '"' || next.value == '\\') {
      out += '\\';
      out += bytes;
    } else if (is_control(next.value)) {
      out += fmt::format("\\u{:04X}", next.value);
    } else {
      out += bytes;
    }
  });
  return out + "\"";
}

std::string flaw_of_cluster_name(std::string_view name) {
  if (name.empty()) return "the cluster's name is empty";
  if (name.size() > cluster_name_bytes_max) {
    return fmt::format("the cluster's name has {} bytes, {} are possible", name.size(), cluster_name_bytes_max);
  }
  std::string flaw;
  for_each_code_point(name, [&](const code_point& next, std::string_view) {
    if (!flaw.empty()) return;
    if (!next.valid) flaw = fmt::format("the cluster's name '{}' is no UTF-8", escaped(name));
    if (next.valid && is_control(next.value)) {
      flaw = fmt::format("the cluster's name '{}' has a control character", escaped(name));
    }
  });
  return flaw;
}

}  // namespace hypermesh
