#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/admission/request_intake.hpp"
#include "actors/protocol/admission/request_pool.hpp"

namespace hypermesh {

/// The mailbox of `request_pool` and `request_intake`, which decide: pending requests, batches, and what a backup
/// forwards to the primary (§4.1).
struct batcher_state {
  static inline const char* name = "batcher";

  node_identity identity;
  std::chrono::microseconds batch_delay{};
  std::unique_ptr<request_pool> pool;
  std::unique_ptr<request_intake> intake;
  std::shared_ptr<const node_actors> with;
  sequence_number executed_through;
  /// The generation of the delay that runs, or zero.
  std::uint64_t delay_running = 0;
  std::uint64_t delays_started = 0;
};

/// `batch_delay` bounds how long a request waits for others while the pipeline is busy.
batcher_actor::behavior_type batcher(batcher_actor::stateful_pointer<batcher_state> self, node_identity identity,
                                     batch_settings settings, std::chrono::microseconds batch_delay);

}  // namespace hypermesh
