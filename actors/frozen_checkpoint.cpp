#include "actors/frozen_checkpoint.hpp"

#include <utility>
#include <vector>

#include "messages/require.hpp"

namespace hypermesh::actors {

digest root_tree::root_of(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  leaves.reserve(snapshot.size());
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  const std::lock_guard lock{mutex_};
  return tree_.update(leaves);
}

const taken_state& frozen_checkpoint::finish() {
  const std::lock_guard lock{mutex_};
  if (taken_) return *taken_;
  require(parts_.has_value() && tree_ != nullptr, "a checkpoint has parts until it is taken");
  auto snapshot = std::make_shared<const state_snapshot>(parts_->assemble());
  const auto root = tree_->root_of(*snapshot);
  taken_ = taken_state{parts_->sequence(), root, std::move(snapshot)};
  // The parts share chunks with older states, which need not stay in memory.
  parts_.reset();
  return *taken_;
}

const taken_state* frozen_checkpoint::finished() {
  const std::unique_lock lock{mutex_, std::try_to_lock};
  return lock.owns_lock() && taken_ ? &*taken_ : nullptr;
}

}  // namespace hypermesh::actors
