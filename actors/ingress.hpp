#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/admission/fair_queue.hpp"
#include "actors/protocol/admission/inbound_pipeline.hpp"

namespace hypermesh::actors {

/// The frames of one sender that take their turn together. The requests that a replica forwards have a lane of their
/// own: a busy group forwards many, and the votes of a replica would wait behind its requests. The primary would then
/// execute late and propose nothing, although it is correct (attack 32).
struct frame_lane {
  principal sender;
  bool is_forwarded = false;

  friend auto operator<=>(const frame_lane&, const frame_lane&) = default;
};

/// The mailbox around `inbound_pipeline`, which verifies frames. This actor sends each verified message to the actor
/// that handles its kind. It first queues all frames that have arrived, and then examines the frames of the senders in
/// turns. Otherwise 16 MiB of frames of one sender could delay the votes of all others for seconds (attack 33). Memory:
/// the frames, which the inbound windows of the links bound.
struct ingress_state {
  static inline const char* name = "ingress";

  /// The forwarded requests of one replica that may wait, with `fair_queue::item_bytes` for each. The rest of the
  /// link's inbound window is left for votes.
  static constexpr std::size_t forwarded_bytes_max = std::size_t{6} * 1024 * 1024;

  node_identity identity;
  std::unique_ptr<inbound_pipeline> pipeline;
  /// Frames that have not been examined yet.
  fair_queue<incoming_frame, frame_lane> waiting;
  std::shared_ptr<const node_actors> with;
};

/// `frames_per_second` is the largest number of frames of each replica that are examined in a second.
ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity,
                                     std::uint64_t frames_per_second);

}  // namespace hypermesh::actors
