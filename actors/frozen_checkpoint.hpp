#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "actors/ports.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "actors/protocol/execution/checkpoint_parts.hpp"
#include "messages/merkle_tree.hpp"

namespace hypermesh::actors {

/// The Merkle tree of the last checkpoint, of which the next root costs what changed. All checkpoints of one executor
/// share it, and may use it at once. Memory: that of the tree.
class root_tree {
 public:
  [[nodiscard]] digest root_of(const state_snapshot& snapshot);

 private:
  std::mutex mutex_;
  merkle_tree tree_;
};

/// The state of a checkpoint on its way from the executor to the actors that need it. The checkpointer calls `finish`,
/// which hashes the chunks that changed, so execution does not wait for it. Memory: that of the parts, then that of the
/// snapshot.
class frozen_checkpoint {
 public:
  frozen_checkpoint(checkpoint_parts parts, std::shared_ptr<root_tree> tree)
      : parts_(std::move(parts)), tree_(std::move(tree)) {}
  /// A state whose snapshot and root are known.
  explicit frozen_checkpoint(taken_state known) : taken_(std::move(known)) {}

  /// The snapshot and its root. May be called by several threads at once; the second one waits for the first.
  [[nodiscard]] const taken_state& finish();
  /// The same if `finish` has returned; null before. Never waits.
  [[nodiscard]] const taken_state* finished();

 private:
  std::mutex mutex_;
  /// Nothing once the state is taken.
  std::optional<checkpoint_parts> parts_;
  std::shared_ptr<root_tree> tree_;
  std::optional<taken_state> taken_;
};

}  // namespace hypermesh::actors
