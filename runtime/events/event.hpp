#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/layers.hpp"
#include "messages/types.hpp"

/// The events of a node that its operator may ask about later. Values only.
namespace hypermesh::runtime {

enum class event_level : std::uint8_t {
  /// For somebody who examines the node.
  debug,
  /// The ordinary life of a cluster.
  info,
  /// Something that an operator should look at when there is time.
  warn,
  /// Something that needs an operator.
  error,
};
inline constexpr auto event_level_last = event_level::error;

/// "debug", "info", "warn" or "error". The configuration and the log use the same words.
[[nodiscard]] std::string_view to_string(event_level level);

/// The kinds of events. `event_table.cpp` has one row for each, in this order, which says when the event happens.
enum class operator_event_kind : std::uint8_t {
  // Views.
  primary_suspected,
  view_left,
  view_entered,
  move_agreed,
  // Members.
  fault_proven,
  standing_changed,
  trust_changed,
  sender_limited,
  // Checkpoints and state.
  checkpoint_stable,
  checkpoint_lagging,
  checkpoint_lag_ended,
  transfer_began,
  donor_replaced,
  state_installed,
  state_diverged,
  probation_changed,
  // Links.
  link_up,
  link_down,
  link_failed,
  connection_refused,
  session_opened,
  session_ended,
  address_misdirected,
  // The process and its machine.
  node_started,
  http_started,
  limits_lowered,
  core_dumps_allowed,
  health_changed,
  position_noted,
  query_failed,
  audit_interrupted,
  disk_nearly_full,
  disk_has_room,
  node_silent,
  node_failed,
  draining,
  hand_over_began,
  hand_over_ended,
  hand_over_failed,
  node_stopping,
  // The log itself.
  events_left_out,
};
inline constexpr auto operator_event_kind_last = operator_event_kind::events_left_out;

/// The name in snake_case, which the log, the feed, `/api/v1/events` and the documents use. It never changes.
[[nodiscard]] std::string_view to_string(operator_event_kind kind);

/// A number, a truth, a text, or a list of words. A text may come from a peer; whoever writes it out escapes it.
using event_value = std::variant<std::uint64_t, bool, std::string, std::vector<std::string>>;

struct event_field {
  /// One of the names of `field_table`.
  std::string_view name;
  event_value value;
};

/// An event with its numbers. The sentence for people is made from the row of its kind and these fields.
struct operator_event {
  operator_event_kind kind = operator_event_kind::node_started;
  /// The level of the row, unless this event is more or less urgent than others of its kind.
  event_level level = event_level::info;
  /// In the order of the row.
  std::vector<event_field> fields = {};
  /// The text for {why} in the sentence: an explanation without bytes of others.
  std::string why = {};
  /// What the event is about. Events of one kind and one subject share a rate limit, so that a flood of events about
  /// one member does not hide those about another. `subject_of` makes the numbers.
  std::uint32_t subject = 0;
};

/// Each replica is a subject of its own. All clients are one subject, because there may be many.
[[nodiscard]] inline std::uint32_t subject_of(principal who) { return who.is_replica() ? who.number + 2 : 1; }

}  // namespace hypermesh::runtime
