#pragma once

#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/ordering/recovered_replica.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A state of which the node has a snapshot. Other replicas can fetch it.
struct taken_state {
  sequence_number sequence;
  digest root;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// The content of a node's disk: the promises that it must keep, and the batches that it has to execute again.
struct recovered_node {
  recovered_replica replica;
  /// The CHECKPOINTs of this replica above the stable checkpoint.
  std::vector<signed_statement> own_checkpoints;
  /// The committed batches after the kept state, in order and without a gap.
  std::vector<committed_batch> to_execute;
};

/// Reads the promises of the last run from its records. Pure. Returns an error if records contradict each other,
/// because a disk that cannot be trusted must not decide what the replica signs.
[[nodiscard]] or_error<recovered_node> recover(const cluster_parameters& cluster, replica_id self,
                                               const stored_history& history);

/// Restores the state of the node in `state`, which must be in its initial state: installs the kept state, and executes
/// the batches that were committed after it. Returns the kept state and the states at the checkpoints after it.
[[nodiscard]] or_error<std::vector<taken_state>> replay(const cluster_parameters& cluster,
                                                        const stored_history& history, const recovered_node& past,
                                                        replicated_state& state);

}  // namespace hypermesh::protocol
