#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include <caf/typed_response_promise.hpp>

#include "runtime/feed/node_feed.hpp"
#include "runtime/host_actors/host_messages.hpp"

namespace hypermesh::host {

/// `consensus_actor` with the messages that it sends to itself.
using inner_consensus_actor = consensus_actor::extend<caf::reacts_to<look_again>, caf::reacts_to<end_host_actor>>;

/// What the actor reports about.
struct consensus_sources {
  cluster_parameters cluster;
  monitor_actor monitor;
  fault_detector_actor fault_detector;
  reputation_tracker_actor reputation_tracker;
  std::shared_ptr<const feed::node_feed> feed;
  /// Returns at once.
  std::function<hypermesh::node_health()> health;
  /// Set while a `look_again` of the feed is under way, so that a busy node does not fill the mailbox of this actor.
  std::shared_ptr<std::atomic<bool>> is_told;
};

/// The replica of the host, as an actor: translates requests of the host's processes into those of the node's actors.
/// It holds the requests that wait for news. The feed wakes it when there are news, and a timer at the first deadline.
/// Memory: `waiting_max` requests of each kind.
struct consensus_state {
  static inline const char* name = "consensus";
  static constexpr std::size_t waiting_max = 1'024;

  struct waiting_operations {
    operation_position from;
    moment deadline;
    caf::typed_response_promise<operations> promise;
  };
  struct waiting_events {
    std::uint64_t from = 0;
    moment deadline;
    caf::typed_response_promise<events> promise;
  };

  consensus_sources sources;
  std::deque<waiting_operations> for_operations;
  std::deque<waiting_events> for_events;
  /// The earliest moment for which a timer runs; nothing if none runs.
  std::optional<moment> timer_at;
};

inner_consensus_actor::behavior_type consensus(inner_consensus_actor::stateful_pointer<consensus_state> self,
                                               consensus_sources sources);

}  // namespace hypermesh::host
