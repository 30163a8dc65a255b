#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/batch_builder.hpp"
#include "actors/protocol/hand_on_plan.hpp"

namespace hypermesh {

/// Pending requests, admission and batches; the mailbox of `batch_builder`, which it owns. On a backup it
/// forwards what clients send it to the primary (§4.1).
struct batcher_state {
  static inline const char* name = "batcher";

  node_identity identity;
  std::chrono::microseconds batch_delay{};
  std::unique_ptr<batch_builder> builder;
  std::unique_ptr<hand_on_plan> hand_ons;
  std::shared_ptr<const neighbours> with;
  view_number view;
  sequence_number executed_through;
  /// The pending requests that a timer runs for, and how often each was looked at.
  std::map<request_id, std::size_t> looked_after;
  /// The generation of the delay that runs, or zero.
  std::uint64_t delay_running = 0;
  std::uint64_t delays_started = 0;

  [[nodiscard]] replica_id primary() const { return identity.cluster.group().primary_of(view); }
  [[nodiscard]] bool is_primary() const { return primary() == identity.self; }
};

/// `batch_delay` bounds how long a request waits for others while the pipeline is busy.
batcher_actor::behavior_type batcher(batcher_actor::stateful_pointer<batcher_state> self, node_identity identity,
                                     batch_settings settings, std::chrono::microseconds batch_delay);

}  // namespace hypermesh
