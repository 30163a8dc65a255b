#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/phase_clock.hpp"
#include "actors/protocol/admission/pre_verification_filter.hpp"
#include "actors/protocol/ordering/replica_core.hpp"

namespace hypermesh::actors {

/// The mailbox around `replica_core`, which this actor owns. No other actor changes the view, the slots or the
/// watermarks. The actor carries out the effects of the core in this order: persist and send, execute, report.
struct replica_state {
  static inline const char* name = "replica";

  node_identity identity;
  duration status_period{};
  std::unique_ptr<replica_core> core;
  std::shared_ptr<const node_actors> with;
  /// The position that was last sent to the ingress.
  replica_position last_published;
  /// The times of the batches that are not committed yet.
  phase_clock phases;
};

/// `past` contains the promises of the last run. Every `status_period` a replica that waits for something sends a
/// STATUS, so that other replicas send the messages that it lacks (TOCS '02 §5.2).
replica_actor::behavior_type replica(replica_actor::stateful_pointer<replica_state> self, node_identity identity,
                                     duration status_period, std::shared_ptr<const recovered_replica> past);

}  // namespace hypermesh::actors
