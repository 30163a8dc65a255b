#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "actors/protocol/execution/checkpoint_votes.hpp"

namespace hypermesh::actors {

/// The mailbox around `checkpoint_votes`, which this actor owns (§4.3).
struct checkpointer_state {
  static inline const char* name = "checkpointer";

  node_identity identity;
  duration period{};
  std::unique_ptr<checkpoint_votes> core;
  std::shared_ptr<const node_actors> with;
};

/// Every `period` the actor repeats its own votes for checkpoints that are not stable yet.
checkpointer_actor::behavior_type checkpointer(checkpointer_actor::stateful_pointer<checkpointer_state> self,
                                               node_identity identity, duration period,
                                               std::shared_ptr<const recovered_node> past);

}  // namespace hypermesh::actors
