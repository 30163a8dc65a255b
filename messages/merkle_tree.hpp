#pragma once

#include <span>
#include <vector>

#include "messages/digest.hpp"

namespace hypermesh::messages {

/// The tree of `merkle_root`, kept from call to call, so that a root costs the leaves that changed and their paths.
///
/// A root hashes one node of each level for each changed leaf. If the number of leaves changed, all leaves behind the
/// first change have moved, and the nodes above them are hashed again: about 0.4 µs for each leaf. One thread at a
/// time. Memory: 64 bytes for each leaf.
class merkle_tree {
 public:
  /// The `merkle_root` of `leaves`.
  [[nodiscard]] digest update(std::span<const digest> leaves);

  /// The nodes that the last `update` hashed, for tests.
  [[nodiscard]] std::size_t nodes_hashed() const { return nodes_hashed_; }

 private:
  /// The leaves, then each level above them up to the level of one node; empty before the first update.
  std::vector<std::vector<digest>> levels_;
  std::size_t nodes_hashed_ = 0;
};

}  // namespace hypermesh::messages
