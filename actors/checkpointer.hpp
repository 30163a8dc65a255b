#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/checkpoint_votes.hpp"
#include "actors/protocol/recovery.hpp"

namespace hypermesh {

/// The mailbox of `checkpoint_votes`, which it owns (§4.3).
struct checkpointer_state {
  static inline const char* name = "checkpointer";

  node_identity identity;
  std::chrono::microseconds period{};
  std::unique_ptr<checkpoint_votes> core;
  std::shared_ptr<const neighbours> with;
};

/// Every `period` the own votes that are not stable are sent again.
checkpointer_actor::behavior_type checkpointer(checkpointer_actor::stateful_pointer<checkpointer_state> self,
                                               node_identity identity, std::chrono::microseconds period,
                                               std::shared_ptr<const recovered_node> past);

}  // namespace hypermesh
