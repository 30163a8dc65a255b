#pragma once

#include <string>

#include "runtime/events/event_limiter.hpp"
#include "runtime/events/event_table.hpp"
#include "runtime/events/log_settings.hpp"

/// Writes events as lines of a log. Pure: the caller gives time and node.
namespace hypermesh::runtime {

/// The time, level and node of a line.
struct log_heading {
  wall_time time{};
  /// For example "replica-1".
  std::string_view node;
};

/// The longest line with its line break. A line has a time, a level, two names and a sentence, of which JSON may escape
/// each byte with one more, and in JSON the fields and the omission too.
inline constexpr std::size_t line_overhead_max = 512;
inline constexpr std::size_t log_line_bytes_max =
    line_overhead_max + 2 * (sentence_bytes_max + event_fields_max * field_bytes_max);
static_assert(log_line_bytes_max < 12 * 1024, "a line is shorter than the buffer of any log collector");

/// The time by RFC 3339 in UTC, for example "2026-11-27T18:03:57.042Z".
[[nodiscard]] std::string rfc3339(wall_time time);

/// One line that ends with a line break and contains no other. Bytes of peers cannot control a terminal in it, and it
/// is UTF-8. `before` are events that were left out; a count of 0 is not written.
///
/// JSON: {"time":"…","level":"warn","node":"replica-1","event":"link_down","text":"the link to …","member":"replica-3",
/// …, "left_out":12,"left_out_s":31}. The fields follow `text` under their own names.
[[nodiscard]] std::string log_line(log_format format, const log_heading& heading, const operator_event& event,
                                   const omission& before = {});

/// The fields of the event as a JSON object without a line break.
[[nodiscard]] std::string json_of_fields(const operator_event& event);

}  // namespace hypermesh::runtime
