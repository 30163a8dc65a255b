#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/events/event_table.hpp"

namespace hypermesh::runtime {

namespace {

/// Cuts the text between two characters of UTF-8 and marks the cut.
std::string cut(std::string text, std::size_t bytes_max) {
  constexpr std::string_view ellipsis = "...";
  if (text.size() <= bytes_max) return text;
  auto end = bytes_max - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
    --end;
  text.resize(end);
  text += ellipsis;
  return text;
}

struct value_text {
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  /// Only the bytes that may be shown are escaped. A character that this divides is behind the cut.
  std::string operator()(const std::string& value) const {
    return base::visible_text(std::string_view{value}.substr(0, field_bytes_max + 4));
  }
  std::string operator()(const std::vector<std::string>& value) const {
    return base::visible_text(fmt::format("{}", fmt::join(value, ", ")));
  }
};

}  // namespace

std::string text_of(const event_value& value) { return cut(std::visit(value_text{}, value), field_bytes_max); }

std::string sentence_of(const operator_event& event) {
  std::string out;
  for (auto rest = row_of(event.kind).sentence; !rest.empty();) {
    const auto begin = rest.find('{');
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const auto end = rest.find('}', begin);
    require(end != std::string_view::npos, "each brace of a sentence is closed");
    const auto name = rest.substr(begin + 1, end - begin - 1);
    if (name == "why") {
      out += event.why;
    } else if (const auto* value = field_in(event, name)) {
      out += text_of(*value);
    }
    rest.remove_prefix(end + 1);
  }
  return cut(std::move(out), sentence_bytes_max);
}

}  // namespace hypermesh::runtime
