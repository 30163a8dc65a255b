#include "runtime/base/safe_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace hypermesh::base {

namespace {

/// The code point at the beginning of a text. The size is 0 when there is no valid code point.
struct code_point {
  std::uint32_t value = 0;
  std::size_t size = 0;
};

std::uint32_t octet_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

/// The number of bytes of a code point that begins with this byte; 0 when no code point begins with it.
std::size_t size_by_first(std::uint32_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

code_point first_of(std::string_view text) {
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = octet_at(text, 0);
  const auto size = size_by_first(first);
  if (size == 1) return {first, 1};
  if (size == 0 || text.size() < size) return {};
  auto value = first & (0x7fU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((octet_at(text, at) & 0xc0U) != 0x80U) return {};
    value = value << 6U | (octet_at(text, at) & 0x3fU);
  }
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  if (value < smallest.at(size) || value > 0x10ffff || is_surrogate) return {};
  return {value, size};
}

/// Whether a terminal interprets the code point instead of showing it.
bool steers(std::uint32_t value) {
  const bool is_control = value < 0x20 || (value >= 0x7f && value < 0xa0);
  const bool ends_line = value == 0x2028 || value == 0x2029;
  const bool turns_direction = (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069) ||
                               value == 0x200e || value == 0x200f || value == 0x61c;
  return is_control || ends_line || turns_direction;
}

std::string written_out(std::uint32_t value) {
  if (value == '\n') return "\\n";
  if (value == '\t') return "\\t";
  if (value == '\r') return "\\r";
  return value < 0x80 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{{{:x}}}", value);
}

template <class Stays>
std::string visible_but(std::string_view text, Stays stays) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto next = first_of(text);
    if (next.size == 0) {
      out += fmt::format("\\x{:02x}", octet_at(text, 0));
    } else if (steers(next.value) && !stays(next.value)) {
      out += written_out(next.value);
    } else {
      out += text.substr(0, next.size);
    }
    text.remove_prefix(std::max<std::size_t>(next.size, 1));
  }
  return out;
}

}  // namespace

bool is_utf8(byte_span bytes) {
  auto text = as_text(bytes);
  while (!text.empty()) {
    const auto next = first_of(text);
    if (next.size == 0) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

std::string visible_text(std::string_view text) {
  return visible_but(text, [](std::uint32_t) { return false; });
}

std::string visible_lines(std::string_view text) {
  return visible_but(text, [](std::uint32_t value) { return value == '\n' || value == '\t'; });
}

std::string clipped_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string{text};
  // A character of UTF-8 has at most three bytes after its first one, and these begin with the bits 10.
  auto end = bytes_max;
  for (int back = 0; back < 3 && end > 0 && (octet_at(text, end) & 0xc0U) == 0x80U; ++back)
    --end;
  return std::string{text.substr(0, end)} + "…";
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto next = first_of(text);
    const auto size = std::max<std::size_t>(next.size, 1);
    if (next.value == '"' || next.value == '\\') out += '\\';
    if (next.size > 0 && steers(next.value)) {
      out += fmt::format("\\u{:04X}", next.value);
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out + "\"";
}

namespace {

/// The reason why `name` is not valid; empty if it is. The text names the owner of the name, for example "the cluster".
std::string flaw_of_name(std::string_view owner, std::string_view name) {
  if (name.empty()) return fmt::format("{}'s name is empty", owner);
  if (name.size() > cluster_name_bytes_max) {
    return fmt::format("{}'s name has {} bytes, more than the limit of {}", owner, name.size(), cluster_name_bytes_max);
  }
  const auto shown = visible_text(name);
  if (!is_utf8(as_byte_span(name))) return fmt::format("{}'s name '{}' is not UTF-8", owner, shown);
  if (shown != name) return fmt::format("{}'s name '{}' has a control character", owner, shown);
  return {};
}

}  // namespace

std::string flaw_of_cluster_name(std::string_view name) { return flaw_of_name("the cluster", name); }

std::string flaw_of_machine_name(std::string_view name) { return flaw_of_name("the state machine", name); }

}  // namespace hypermesh::base
