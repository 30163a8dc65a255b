#pragma once

#include <chrono>
#include <set>

#include "actors/interfaces.hpp"
#include "actors/protocol/guard/peer_trust.hpp"

namespace hypermesh::actors {

/// The mailbox around `peer_trust`, which this actor owns. The actor tells other actors which replicas to trust less,
/// and the host the reputation of each replica.
struct reputation_tracker_state {
  static inline const char* name = "reputation-tracker";
  /// The interval at which local scores recover and are reported to the monitor.
  static constexpr std::chrono::seconds period{1};

  std::unique_ptr<peer_trust> book;
  trust told;
  /// The replicas whose reputation was reported to the monitor. They stay in the reports after their scores recover.
  std::set<std::size_t> shown;
  /// Whether the last report counted rate-limited clients.
  bool has_rate_limited = false;
  std::shared_ptr<const node_actors> with;
};

reputation_tracker_actor::behavior_type reputation_tracker(
    reputation_tracker_actor::stateful_pointer<reputation_tracker_state> self, const node_identity& identity);

}  // namespace hypermesh::actors
