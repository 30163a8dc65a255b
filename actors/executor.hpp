#pragma once

#include <deque>
#include <map>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "actors/protocol/execution/held_queries.hpp"
#include "actors/protocol/execution/replicated_state.hpp"

namespace hypermesh::actors {

class root_tree;

/// The state in which an executor starts: the initial state, or the state that the last run of the node reached.
struct executor_start {
  std::unique_ptr<replicated_state> state;
  view_number view;
  /// The kept state, and the states at the checkpoints that recovery executed. Other replicas can fetch them.
  std::vector<taken_state> taken;
};

/// Executes committed batches and answers clients: the mailbox around `replicated_state`, which this actor owns. No
/// other actor changes the machine state, the client table or the links of clients. Memory: the state, and for each
/// connected client `links_per_client_max` links with at most `limits::sessions_per_client_max` openings each, and the
/// queries that wait (`held_queries`).
struct executor_state {
  static inline const char* name = "executor";

  /// Links of one client, one for each process that uses its key. By default the listener admits 32 links, and no
  /// configuration lets it admit more than this bound (`link_limits::links_per_client_max`). If it admitted more,
  /// this actor would remove the oldest link.
  static constexpr std::size_t links_per_client_max = limits::sessions_per_client_max;

  /// A link of a client, and the latest opening requests that the client sent on it.
  struct client_link {
    peer_actor link;
    std::deque<request_reference> openings;
  };

  node_identity identity;
  std::unique_ptr<replicated_state> replicated;
  /// States of the last run. The executor reports them once the actors are connected.
  std::vector<taken_state> taken_before;
  std::shared_ptr<const node_actors> with;
  std::map<client_id, std::vector<client_link>> clients;
  /// Shared with the checkpoints that other actors hash.
  std::shared_ptr<root_tree> roots;
  /// Linearizable queries that wait for execution. They keep no credit, because the window of a link must not close
  /// while they wait: the ordered read that follows them comes on the same link.
  struct query_and_link {
    std::shared_ptr<const message> value;
    peer_actor via;
  };
  held_queries<query_and_link> held;
  /// The view of the last executed batch.
  view_number view;
};

/// The executor takes the content of `start`, so `start` is empty afterwards.
executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state> self, node_identity identity,
                                       std::shared_ptr<executor_start> start);

}  // namespace hypermesh::actors
