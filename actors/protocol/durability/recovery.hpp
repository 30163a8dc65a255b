#pragma once

#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/ordering/recovered_replica.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A state of which the node has a snapshot, for replicas that lack it.
struct taken_state {
  sequence_number sequence;
  digest root;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// What a node finds on its disk, as promises and as work to repeat.
struct recovered_node {
  recovered_replica replica;
  /// The own CHECKPOINTs above the stable one.
  std::vector<signed_statement> own_checkpoints;
  /// In order and without a gap after the kept state.
  std::vector<committed_batch> to_execute;
};

/// Reads the promises of the last run from its records. Pure. Returns an error if records contradict each other,
/// because a disk that cannot be trusted must not decide what the replica signs.
[[nodiscard]] or_error<recovered_node> recover(const cluster_parameters& cluster, replica_id self,
                                               const stored_history& history);

/// Brings `state`, which is fresh, to where the node was: installs the kept state and executes the batches that were
/// committed after it. Returns the kept state and those at the checkpoints on the way.
[[nodiscard]] or_error<std::vector<taken_state>> replay(const cluster_parameters& cluster,
                                                        const stored_history& history, const recovered_node& past,
                                                        replicated_state& state);

}  // namespace hypermesh
