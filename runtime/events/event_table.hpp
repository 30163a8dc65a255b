#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <hypermesh/reports.hpp>

#include "runtime/events/event.hpp"

/// The table of all events: one row for each kind. The log, the feed of hosts, `/api/v1/events` and EVENTS.md use it,
/// so an event has one name, one level and one sentence everywhere. Pure.
namespace hypermesh::runtime {

/// The most fields of one event, from which the longest line of the log follows.
inline constexpr std::size_t event_fields_max = 6;

enum class event_group : std::uint8_t { views, members, state, links, process, log };
inline constexpr auto event_group_last = event_group::log;

[[nodiscard]] std::string_view title_of(event_group group);

/// One kind of event.
struct event_row {
  operator_event_kind kind;
  std::string_view name;
  event_group group;
  event_level level;
  /// The sentence for people. {view} stands for the field of this name, and {why} for an explanation.
  std::string_view sentence;
  /// When the event happens, and what an operator does about it.
  std::string_view about;
  /// The fields, in their order; empty names at the end.
  std::array<std::string_view, event_fields_max> fields = {};
  /// Whether `/api/v1/events` sends it. Events that strangers or clients cause are only logged.
  bool is_streamed = false;
  /// The kind for hosts; nothing if hosts do not get this event.
  std::optional<event_kind> for_hosts = {};
};

/// In the order of the enumerators.
[[nodiscard]] std::span<const event_row> event_table();
[[nodiscard]] const event_row& row_of(operator_event_kind kind);

/// The meaning of a field, which is the same for all events.
struct event_field_row {
  std::string_view name;
  std::string_view about;
};
[[nodiscard]] std::span<const event_field_row> field_table();

/// The name and the level of the row, with these fields.
[[nodiscard]] operator_event event_of(operator_event_kind kind, std::vector<event_field> fields = {},
                                      std::string why = {});

/// The sentence of the event, with escapes in place of characters that control a terminal. It has at most
/// `sentence_bytes_max` bytes.
[[nodiscard]] std::string sentence_of(const operator_event& event);
inline constexpr std::size_t sentence_bytes_max = 1'536;

/// The longest text of one field, after escapes. An ellipsis marks a text that was cut.
inline constexpr std::size_t field_bytes_max = 640;

/// The text of a value with escapes, at most `field_bytes_max` bytes. A list is separated by commas.
[[nodiscard]] std::string text_of(const event_value& value);

/// The value of a field; null if the event does not have it.
[[nodiscard]] const event_value* field_in(const operator_event& event, std::string_view name);

}  // namespace hypermesh::runtime
