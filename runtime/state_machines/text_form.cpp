#include "runtime/state_machines/text_form.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::machines {

namespace {

bool looks_like_other_answer(std::string_view text) {
  constexpr std::array<std::string_view, 6> beginnings = {"\"", "(", "0x", "refused:", "malformed:", "error:"};
  return std::ranges::any_of(beginnings, [text](std::string_view each) { return text.starts_with(each); });
}

std::string quoted_text(std::string_view text) {
  std::string doubled;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') doubled += '\\';
    doubled += letter;
  }
  return fmt::format("\"{}\"", visible_text(doubled));
}

}  // namespace

std::string value_text(byte_span value) {
  if (!is_utf8(value)) return "0x" + to_hex(value);
  const std::string_view text = as_text(value);
  const bool is_plain = !looks_like_other_answer(text) && visible_text(text) == text;
  return is_plain ? std::string{text} : quoted_text(text);
}

}  // namespace hypermesh::machines
