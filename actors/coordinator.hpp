#pragma once

#include <chrono>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "actors/protocol/views/view_changer.hpp"

namespace hypermesh::actors {

/// The view-change coordinator: the mailbox around `view_changer`, which this actor owns. Every `period` the actor asks
/// the batcher how long clients wait. In an idle group it rests (`view_changer::may_rest`) and asks only every
/// `rest_periods` periods, until the batcher or another actor has news.
struct coordinator_state {
  static inline const char* name = "coordinator";

  /// Must outlive `changes`, which signs with its keys.
  node_identity identity;
  /// A request that waits ends the rest, so a longer rest would only delay what no client waits for.
  static constexpr std::int64_t rest_periods = 20;

  duration period{};
  bool rests = false;
  /// The generation of the timer that runs.
  std::uint64_t timer = 0;
  std::unique_ptr<view_changer> changes;
  std::shared_ptr<const node_actors> with;
};

coordinator_actor::behavior_type coordinator(coordinator_actor::stateful_pointer<coordinator_state> self,
                                             node_identity identity, view_change_settings settings, duration period,
                                             std::shared_ptr<const recovered_replica> past);

}  // namespace hypermesh::actors
