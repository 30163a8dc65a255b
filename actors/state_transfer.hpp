#pragma once

#include <chrono>
#include <deque>

#include "actors/interfaces.hpp"
#include "actors/protocol/transfer/state_donor.hpp"
#include "actors/protocol/transfer/state_transfer.hpp"

namespace hypermesh::actors {

/// The mailbox around `state_donor` and `state_fetcher`, which this actor owns.
struct state_transfer_state {
  static inline const char* name = "state-transfer";

  duration period{};
  group_size group{0};
  std::unique_ptr<state_donor> donor;
  std::unique_ptr<state_fetcher> fetcher;
  /// The states of this replica that the checkpointer has not hashed yet, in ascending order. Bounded by the
  /// checkpoints of a window, because the replica waits for its checkpoints.
  std::deque<checkpoint_taken> unfinished;
  /// Whether the monitor knows that a transfer is running.
  bool is_shown_active = false;
  std::shared_ptr<const node_actors> with;
};

/// Every `period` the fetcher replaces late donors, and the donor grants a new share of bytes to each replica that
/// fetches from it.
state_transfer_actor::behavior_type state_transfer(state_transfer_actor::stateful_pointer<state_transfer_state> self,
                                                   node_identity identity, duration period, donor_settings giving);

}  // namespace hypermesh::actors
