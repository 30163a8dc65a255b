#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/admission/pre_verification_filter.hpp"
#include "actors/protocol/ordering/replica_core.hpp"

namespace hypermesh {

/// The mailbox of `replica_core`, which it owns: the single writer of view, slots, watermarks and last
/// executed. Carries out effects in order: persist and send, then execute, then report.
struct replica_state {
  static inline const char* name = "replica";

  node_identity identity;
  std::chrono::microseconds status_period{};
  std::unique_ptr<replica_core> core;
  std::shared_ptr<const node_actors> with;
  /// The position that the ingress got last.
  replica_position last_published;
};

/// `past` holds the promises of the replica's last run. Every `status_period` a replica that waits for something sends
/// a STATUS, so that other replicas send the messages that it lacks (TOCS '02 §5.2).
replica_actor::behavior_type replica(replica_actor::stateful_pointer<replica_state> self, node_identity identity,
                                     std::chrono::microseconds status_period,
                                     std::shared_ptr<const recovered_replica> past);

}  // namespace hypermesh
