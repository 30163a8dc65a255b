#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/observations.hpp"
#include "runtime/events/event_table.hpp"
#include "runtime/links/link_event.hpp"

/// Turns what happens in a node into events for its operator. Pure: the caller gives the time.
namespace hypermesh::runtime {

/// Events of the observations of one node. An event often depends on the observations before it, for example the reason
/// for which a view was left, so the maker must see all of them. Memory: fixed, and the last batch with evidence.
class observation_events {
 public:
  explicit observation_events(const cluster_parameters& cluster) : cluster_(cluster) {}

  [[nodiscard]] std::optional<operator_event> of(const observation& what, moment now);

 private:
  struct maker;

  /// The word for the reason why the present view ended or is ending, and its explanation.
  struct cause {
    std::string_view word;
    std::string_view why;
  };
  [[nodiscard]] cause cause_of_change() const;
  /// Whether the window between the last stable checkpoint and the last executed batch is full.
  [[nodiscard]] bool is_window_full() const {
    return is_stable_known_ && executed_.value >= stable_.value + cluster_.watermark_window;
  }
  [[nodiscard]] std::optional<operator_event> lag(moment now);
  void note_stable(sequence_number sequence);
  /// The name of the evidence that convicted `who` at this sequence; empty if this node did not execute its batch.
  [[nodiscard]] std::string evidence_against(principal who, sequence_number at) const;

  cluster_parameters cluster_;
  /// The last view that was entered.
  view_number entered_;
  /// The view that this replica waits for, since this moment.
  std::optional<view_number> awaited_;
  moment left_at_;
  bool has_progress_ = false;
  bool awaited_at_start_ = false;
  std::optional<suspicion_reason> suspicion_;
  std::optional<group_request> hand_over_;
  std::optional<probation_changed> probation_;
  sequence_number executed_;
  sequence_number stable_;
  /// The window is full since this moment.
  std::optional<moment> full_since_;
  bool is_lagging_ = false;
  /// Whether a stable checkpoint was observed in this run. After a restart it is not known at first.
  bool is_stable_known_ = false;
  /// The last executed batch that has system requests.
  sequence_number judged_at_;
  std::shared_ptr<const batch> judged_;
};

/// Events of the links of one node. A link that cannot be opened makes one event for each new reason until it is open.
/// Memory: one reason for each replica.
class link_events {
 public:
  [[nodiscard]] std::optional<operator_event> of(const link_event& what);

 private:
  [[nodiscard]] std::optional<operator_event> of_replica(const link_event& what);

  std::map<std::uint32_t, std::pair<link_error, int>> failures_;
};

/// What becomes of an alternative of `observation`.
struct observation_row {
  std::string_view name;
  /// The kinds of the events that it makes; empty if it makes none.
  std::vector<operator_event_kind> kinds = {};
  /// Why it makes none, or why not always.
  std::string_view reason = {};
};

/// In the order of the alternatives of `observation`. EVENTS.md shows it, and a test compares it with the maker.
[[nodiscard]] const std::array<observation_row, std::variant_size_v<observation>>& observation_table();

}  // namespace hypermesh::runtime
