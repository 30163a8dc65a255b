#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/state_machines/packed_leaf.hpp"

namespace hypermesh::machines {

/// The leaves of an authenticated map in the order of their regions, and the places where they start.
///
/// The leaves are in blocks of at most `block_leaves_max`, so an insertion moves few of them, whatever the size of the
/// state, and a search reads the starts of the blocks, then those of one block. Memory: 16 bytes for each leaf, and up
/// to as much again in blocks that are half full.
class leaf_directory {
 public:
  using leaf_ptr = std::unique_ptr<packed_leaf>;

  static constexpr std::size_t block_leaves_max = 256;

  /// The place of a leaf in the directory, or the end. Valid until the next change.
  struct position {
    std::size_t block = 0;
    std::size_t index = 0;

    friend bool operator==(const position&, const position&) = default;
  };

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] position begin() const { return {}; }
  [[nodiscard]] position end() const { return {blocks_.size(), 0}; }
  [[nodiscard]] position next(position of) const;
  /// `of` is not the begin.
  [[nodiscard]] position previous(position of) const;

  [[nodiscard]] packed_leaf& at(position of) const { return *blocks_[of.block].leaves[of.index]; }
  [[nodiscard]] std::uint64_t start_of(position of) const { return blocks_[of.block].starts[of.index]; }

  /// The first leaf that starts at `start` or behind it.
  [[nodiscard]] position first_from(std::uint64_t start) const;
  /// The first leaf that starts behind `start`.
  [[nodiscard]] position first_behind(std::uint64_t start) const;

  /// Inserts a leaf in front of `before`. Returns its position.
  position insert(position before, leaf_ptr leaf);
  /// Replaces a leaf by one with the same start.
  void replace(position of, leaf_ptr leaf) { blocks_[of.block].leaves[of.index] = std::move(leaf); }
  /// Removes a leaf. Returns the position of the leaf behind it.
  position erase(position of);

  /// Bytes in memory besides those of the leaves.
  [[nodiscard]] std::size_t overhead_bytes() const;

 private:
  struct block {
    std::vector<std::uint64_t> starts;
    std::vector<leaf_ptr> leaves;
  };

  /// Moves the end of an index that is behind the last leaf of its block to the next block.
  [[nodiscard]] position normal(position of) const;
  position split(position inside);

  /// None of them is empty. `firsts_` has the first start of each.
  std::vector<block> blocks_;
  std::vector<std::uint64_t> firsts_;
  std::size_t size_ = 0;
};

}  // namespace hypermesh::machines
