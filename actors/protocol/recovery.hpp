#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/replicated_state.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// What a replica has promised and knows, read back from its disk: everything that it may not contradict (attack 9).
/// Statements are of sequences above the stable checkpoint.
struct recovered_replica {
  view_number view;
  /// False: it had left its view and waited for the NEW-VIEW of `view`.
  bool active = true;
  /// The own VIEW-CHANGE when it waited, the NEW-VIEW when it had entered a view after view 0.
  std::shared_ptr<const view_change> own_change;
  std::shared_ptr<const new_view> opened;
  std::shared_ptr<const checkpoint_certificate> stable;
  sequence_number last_executed;
  /// It lost its disk, and what it said before is not known (see `probation`).
  bool on_probation = false;
  /// It did once, and has been a full member again since.
  bool readmitted = false;
  /// Accepted or proposed, in any view.
  std::vector<pre_prepare> proposals;
  std::vector<signed_statement> own_prepares;
  std::vector<signed_statement> own_commits;
  std::vector<prepared_certificate> prepared;
  std::vector<commit_certificate> committed;
};

/// A state that the node has taken, for others that lack it.
struct taken_state {
  sequence_number sequence;
  digest root;
  std::shared_ptr<const state_snapshot> snapshot;
};

struct recovered_node {
  recovered_replica replica;
  /// The own CHECKPOINTs above the stable one.
  std::vector<signed_statement> own_checkpoints;
  /// In order and without a gap behind the kept state.
  std::vector<committed_batch> to_execute;
};

/// Makes sense of what the disk gave back. Pure. The error names what contradicts itself: a disk that cannot be
/// trusted must not speak for the replica.
[[nodiscard]] std::variant<recovered_node, world_error> recover(const cluster_parameters& cluster, replica_id self,
                                                                const stored_history& history);

/// Brings `state`, which is fresh, to where the node was: installs the kept state and executes what was committed
/// behind it. Returns the states at checkpoints on the way.
[[nodiscard]] std::variant<std::vector<taken_state>, world_error> replay(const cluster_parameters& cluster,
                                                                         const stored_history& history,
                                                                         const recovered_node& past,
                                                                         replicated_state& state);

}  // namespace hypermesh
