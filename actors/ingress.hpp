#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/admission/fair_queue.hpp"
#include "actors/protocol/admission/inbound_pipeline.hpp"

namespace hypermesh {

/// The mailbox of `inbound_pipeline`, which decides: passes verified messages to the actor that each is for. It takes
/// one frame of each sender in turn, after it has received all that came, because 16 MiB of one sender's frames would
/// stand before everybody's votes for seconds (attack 33). Memory: what the links' inbound windows let in.
struct ingress_state {
  static inline const char* name = "ingress";

  node_identity identity;
  std::unique_ptr<inbound_pipeline> pipeline;
  /// Frames that were not examined yet.
  fair_queue<incoming_frame> waiting;
  std::shared_ptr<const node_actors> with;
};

/// `frames_per_second`: frames of each replica that are examined.
ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity,
                                     std::uint64_t frames_per_second);

}  // namespace hypermesh
