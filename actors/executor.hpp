#pragma once

#include <deque>
#include <map>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/protocol/recovery.hpp"
#include "actors/protocol/replicated_state.hpp"

namespace hypermesh {

/// Where an executor starts: a fresh state, or where the last run of the node was.
struct executor_start {
  std::unique_ptr<replicated_state> state;
  view_number view;
  /// The states at the checkpoints on the way, for others that lack them.
  std::vector<taken_state> taken;
};

/// Executes committed batches and answers clients: the mailbox of `replicated_state`, which it owns, and
/// the single writer of machine state and client table, and of where the links of clients are.
/// Memory: the state, and for each connected client `links_per_client_max` links and as many sessions on each as it may
/// have open.
struct executor_state {
  static inline const char* name = "executor";

  /// One for each process that uses the client's key; the oldest gives way.
  static constexpr std::size_t links_per_client_max = limits::sessions_per_client_max;

  /// A link of a client, and the opening requests that came on it last.
  struct client_link {
    peer_actor link;
    std::deque<request_reference> openings;
  };

  node_identity identity;
  std::unique_ptr<replicated_state> replicated;
  /// Told to the neighbours once they are known.
  std::vector<taken_state> taken_before;
  std::shared_ptr<const neighbours> with;
  std::map<client_id, std::vector<client_link>> clients;
  /// The view of the last executed batch.
  view_number view;
};

/// `start` is moved into the executor.
executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state> self, node_identity identity,
                                       std::shared_ptr<executor_start> start);

}  // namespace hypermesh
