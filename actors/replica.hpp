#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/early_filter.hpp"
#include "actors/protocol/replica_core.hpp"

namespace hypermesh {

/// The mailbox of `replica_core`, which it owns: the single writer of view, slots, watermarks and last
/// executed. Carries out effects in order: persist and send, then execute, then report.
struct replica_state {
  static inline const char* name = "replica";

  node_identity identity;
  std::chrono::microseconds status_period{};
  std::unique_ptr<replica_core> core;
  std::shared_ptr<const neighbours> with;
  /// The position that the ingress knows.
  replica_position told;
};

/// `past`: what the last run of the replica promised. Every `status_period` a replica that waits for something says
/// what it lacks (TOCS '02 §5.2).
replica_actor::behavior_type replica(replica_actor::stateful_pointer<replica_state> self, node_identity identity,
                                     std::chrono::microseconds status_period,
                                     std::shared_ptr<const recovered_replica> past);

}  // namespace hypermesh
