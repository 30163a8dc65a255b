#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/values.hpp"
#include "runtime/events/event_table.hpp"
#include "runtime/health/health_report.hpp"
#include "runtime/metrics/host_facts.hpp"

/// Events of facts that a node does not observe but that somebody asks for again and again: each change between two
/// answers is an event. Pure.
namespace hypermesh::runtime {

/// Memory: one word for each replica.
class sampled_events {
 public:
  explicit sampled_events(replica_id self) : self_(self) {}

  /// The other replicas that this node begins or ceases to throttle, or to avoid as primary.
  [[nodiscard]] std::vector<operator_event> of_trust(const std::vector<reputation>& now);
  /// The beginning of a state transfer. Its end is the observation `state_was_installed`.
  [[nodiscard]] std::optional<operator_event> of_transfer(const node_report& now);
  /// A disk that becomes nearly full, with less than a tenth left, or has room again, with more than an eighth. The
  /// distance of the two bounds keeps a disk at the bound from making an event each time.
  [[nodiscard]] std::vector<operator_event> of_disks(const disk_facts_list& now);
  static constexpr std::uint64_t full_divisor = 10;
  static constexpr std::uint64_t room_divisor = 8;

 private:
  replica_id self_;
  /// How this node treats each replica that it does not trust, by replica number.
  std::map<std::size_t, std::string_view> distrusted_;
  bool is_transferring_ = false;
  std::array<bool, disk_directory_count> is_full_{};
};

/// The fields of `health_changed`. The reasons are words like "replica_3_silent", without numbers that change all the
/// time.
[[nodiscard]] std::vector<event_field> health_fields(const health::health_report& report);

/// The event `health_changed`. It is a warning if the node does not work or if the group tolerates fewer faults than it
/// could. `attention` is what else needs attention. `was_degraded` is said of the event before this one.
[[nodiscard]] operator_event health_event(const health::health_report& report, bool works,
                                          std::vector<std::string> attention, bool was_degraded);

}  // namespace hypermesh::runtime
