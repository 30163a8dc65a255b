#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/admission/fair_queue.hpp"
#include "actors/protocol/admission/inbound_pipeline.hpp"

namespace hypermesh::actors {

/// The mailbox around `inbound_pipeline`, which verifies frames. This actor sends each verified message to the actor
/// that handles its kind. It first queues all frames that have arrived, and then examines the frames of the senders in
/// turns. Otherwise 16 MiB of frames of one sender could delay the votes of all others for seconds (attack 33). Memory:
/// the frames, which the inbound windows of the links bound.
struct ingress_state {
  static inline const char* name = "ingress";

  node_identity identity;
  std::unique_ptr<inbound_pipeline> pipeline;
  /// Frames that have not been examined yet.
  fair_queue<incoming_frame> waiting;
  std::shared_ptr<const node_actors> with;
};

/// `frames_per_second` is the largest number of frames of each replica that are examined in a second.
ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity,
                                     std::uint64_t frames_per_second);

}  // namespace hypermesh::actors
