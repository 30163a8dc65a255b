#pragma once

#include <deque>
#include <map>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "actors/protocol/execution/replicated_state.hpp"

namespace hypermesh {

/// The state in which an executor starts: a fresh one, or the one that the last run of the node reached.
struct executor_start {
  std::unique_ptr<replicated_state> state;
  view_number view;
  /// The kept state and the states at the checkpoints that recovery executed, for replicas that lack them.
  std::vector<taken_state> taken;
};

/// Executes committed batches and answers clients: the mailbox of `replicated_state`, which it owns, and
/// the single writer of machine state, client table and the links of clients.
/// Memory: the state, and for each connected client `links_per_client_max` links with at most
/// `limits::sessions_per_client_max` openings each.
struct executor_state {
  static inline const char* name = "executor";

  /// Links of one client: one for each process that uses its key. The listener admits 32 and refuses the 33rd
  /// by default, and no configuration lets it admit more than this bound (`link_limits::sessions_per_client_max`). If
  /// it did, the oldest link would be removed here.
  static constexpr std::size_t links_per_client_max = limits::sessions_per_client_max;

  /// A link of a client, and the latest opening requests that came on it.
  struct client_link {
    peer_actor link;
    std::deque<request_reference> openings;
  };

  node_identity identity;
  std::unique_ptr<replicated_state> replicated;
  /// States of the last run, which are reported once the actors are connected.
  std::vector<taken_state> taken_before;
  std::shared_ptr<const node_actors> with;
  std::map<client_id, std::vector<client_link>> clients;
  /// The view of the last executed batch.
  view_number view;
};

/// The content of `start` is moved into the executor.
executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state> self, node_identity identity,
                                       std::shared_ptr<executor_start> start);

}  // namespace hypermesh
