#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "messages/types.hpp"

namespace hypermesh::machines {

/// Whether `letter` is visible ASCII, which means neither a space nor a control character.
[[nodiscard]] inline bool is_visible(char letter) { return letter > ' ' && letter < '\x7f'; }

/// The bytes as text if they are printable ASCII, otherwise as 0x and hexadecimal digits.
[[nodiscard]] inline std::string printable(byte_span bytes) {
  const auto text = as_text(bytes);
  const auto shows = [](char letter) { return letter == ' ' || is_visible(letter); };
  return std::all_of(text.begin(), text.end(), shows) ? std::string{text} : "0x" + to_hex(bytes);
}

/// Reads all of `text` as a decimal number without a plus sign or spaces.
template <class Number>
[[nodiscard]] std::optional<Number> parse_decimal(std::string_view text) {
  Number value{};
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace hypermesh::machines
