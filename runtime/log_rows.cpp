#include <algorithm>
#include <array>

#include "runtime/config_row_makers.hpp"
#include "runtime/trace/trace_settings.hpp"

/// Defines the keys of [log] and [trace].
namespace hypermesh::runtime {

namespace {

using namespace config_row_makers;
using node = node_config;

/// The words of an enum, in the order of its numbers.
constexpr std::array<std::string_view, 2> format_words = {"text", "json"};
static_assert(format_words.size() == static_cast<std::size_t>(log_format_last) + 1);
constexpr std::array<std::string_view, 5> level_words = {"debug", "info", "warn", "error", "off"};
static_assert(level_words.size() == static_cast<std::size_t>(log_level_last) + 1);

/// A row for an enum whose numbers are the places of `words`. The reader has checked that the value is one of them.
template <const auto& words, class Member>
constexpr config_row<node> word_row(config_key key, Member) {
  using value_type = std::remove_cvref_t<decltype(Member{}(std::declval<node&>()))>;
  config_row<node> row;
  row.key = key;
  row.key.kind = value_kind::word;
  row.key.words = words;
  row.get = [](const node& from) -> config_value {
    return std::string{words.at(static_cast<std::size_t>(Member{}(from)))};
  };
  row.set = [](node& into, const config_value& value) {
    const auto found = std::ranges::find(words, std::get<std::string>(value));
    if (found != words.end()) Member{}(into) = static_cast<value_type>(found - words.begin());
  };
  return row;
}

constexpr std::array rows = {
    word_row<format_words>(
        {.table = "log",
         .name = "format",
         .unit = "word",
         .about = "The form of the lines on stderr. text: for people. json: one object in each line, for programs. "
                  "The option --log-format goes before it."},
        [](auto& of) -> auto& { return of.log.format; }),
    word_row<level_words>(
        {.table = "log",
         .name = "level",
         .unit = "word",
         .about = "The least urgent events that the log shows. The option --log-level goes before it."},
        [](auto& of) -> auto& { return of.log.level; }),
    number<node>(
        {.table = "trace",
         .name = "batches",
         .unit = "batches",
         .low = 0,
         .high = trace_batches_max,
         .about = "The last batches whose way through the phases is kept for 'hypermesh trace' and /api/v1/trace, "
                  "which need [http]. 0 keeps nothing and costs nothing. A batch takes 128 bytes, and 24 bytes for "
                  "each of its first 256 requests."},
        [](auto& of) -> auto& { return of.trace.batches; }),
};

}  // namespace

std::span<const config_row<node_config>> log_rows() { return rows; }

}  // namespace hypermesh::runtime
