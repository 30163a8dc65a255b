#pragma once

#include <chrono>

#include "actors/agenda.hpp"
#include "actors/interfaces.hpp"
#include "actors/protocol/admission/request_intake.hpp"
#include "actors/protocol/admission/request_pool.hpp"

namespace hypermesh::actors {

/// The mailbox around `request_pool` and `request_intake`. These two cores decide which requests are pending, how
/// batches are formed, and which requests a backup forwards to the primary (§4.1).
struct batcher_state {
  static inline const char* name = "batcher";

  node_identity identity;
  duration batch_delay{};
  std::unique_ptr<request_pool> pool;
  std::unique_ptr<request_intake> intake;
  std::shared_ptr<const node_actors> with;
  sequence_number executed_through;
  /// The generation of the batch delay that is running; zero if none is.
  std::uint64_t delay_running = 0;
  std::uint64_t delays_started = 0;
  /// The coordinator rests until a request waits.
  bool coordinator_rests = false;
  /// The pending requests that a backup looks at again.
  agenda<ordered_id> looks;
  /// `vouches_due` is in the mailbox.
  bool vouches_due = false;
};

/// `batch_delay` is the longest time for which a request waits for others while the pipeline is busy.
batcher_actor::behavior_type batcher(batcher_actor::stateful_pointer<batcher_state> self, node_identity identity,
                                     batch_settings settings, duration batch_delay);

}  // namespace hypermesh::actors
