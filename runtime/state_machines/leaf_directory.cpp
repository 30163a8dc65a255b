#include "runtime/state_machines/leaf_directory.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::machines {

namespace {

template <class Vector>
auto at_index(Vector& values, std::size_t index) {
  return values.begin() + static_cast<std::ptrdiff_t>(index);
}

/// Moves the values from `first` on to the end of another vector.
template <class Value>
void move_from(std::vector<Value>& from, std::size_t first, std::vector<Value>& to) {
  to.insert(to.end(), std::make_move_iterator(at_index(from, first)), std::make_move_iterator(from.end()));
  from.erase(at_index(from, first), from.end());
}

}  // namespace

leaf_directory::position leaf_directory::normal(position of) const {
  if (of.block < blocks_.size() && of.index == blocks_[of.block].leaves.size()) return {of.block + 1, 0};
  return of;
}

leaf_directory::position leaf_directory::next(position of) const {
  require(of.block < blocks_.size(), "the end has no leaf behind it");
  return normal({of.block, of.index + 1});
}

leaf_directory::position leaf_directory::previous(position of) const {
  if (of.index > 0) return {of.block, of.index - 1};
  require(of.block > 0, "the first leaf has none in front of it");
  return {of.block - 1, blocks_[of.block - 1].leaves.size() - 1};
}

leaf_directory::position leaf_directory::first_from(std::uint64_t start) const {
  const auto block = static_cast<std::size_t>(std::ranges::lower_bound(firsts_, start) - firsts_.begin());
  if (block == 0) return begin();
  // The blocks in front of `block` begin in front of `start`, and the last of them may contain it.
  const auto& starts = blocks_[block - 1].starts;
  return normal({block - 1, static_cast<std::size_t>(std::ranges::lower_bound(starts, start) - starts.begin())});
}

leaf_directory::position leaf_directory::first_behind(std::uint64_t start) const {
  const auto block = static_cast<std::size_t>(std::ranges::upper_bound(firsts_, start) - firsts_.begin());
  if (block == 0) return begin();
  const auto& starts = blocks_[block - 1].starts;
  return normal({block - 1, static_cast<std::size_t>(std::ranges::upper_bound(starts, start) - starts.begin())});
}

leaf_directory::position leaf_directory::insert(position before, leaf_ptr leaf) {
  ++size_;
  const auto start = leaf->region().start;
  if (blocks_.empty()) {
    blocks_.emplace_back();
    firsts_.push_back(start);
  }
  // Behind the last leaf of a block is a better place than in front of the first one of the next, which moves all.
  if (before.index == 0 && before.block > 0) before = {before.block - 1, blocks_[before.block - 1].leaves.size()};
  auto& into = blocks_[before.block];
  into.starts.insert(at_index(into.starts, before.index), start);
  into.leaves.insert(at_index(into.leaves, before.index), std::move(leaf));
  if (before.index == 0) firsts_[before.block] = start;
  return into.leaves.size() > block_leaves_max ? split(before) : before;
}

/// Divides the block of a position. Returns where the position is afterwards.
leaf_directory::position leaf_directory::split(position inside) {
  const auto half = blocks_[inside.block].leaves.size() / 2;
  block upper;
  move_from(blocks_[inside.block].starts, half, upper.starts);
  move_from(blocks_[inside.block].leaves, half, upper.leaves);
  firsts_.insert(at_index(firsts_, inside.block + 1), upper.starts.front());
  blocks_.insert(at_index(blocks_, inside.block + 1), std::move(upper));
  return inside.index < half ? inside : position{inside.block + 1, inside.index - half};
}

leaf_directory::position leaf_directory::erase(position of) {
  require(of.block < blocks_.size(), "the leaf exists");
  --size_;
  auto& from = blocks_[of.block];
  from.starts.erase(at_index(from.starts, of.index));
  from.leaves.erase(at_index(from.leaves, of.index));
  if (from.leaves.empty()) {
    blocks_.erase(at_index(blocks_, of.block));
    firsts_.erase(at_index(firsts_, of.block));
    return {of.block, 0};
  }
  firsts_[of.block] = from.starts.front();
  // Two blocks that are small together become one, so that a state that shrinks has few blocks.
  const bool has_next = of.block + 1 < blocks_.size();
  if (has_next && from.leaves.size() + blocks_[of.block + 1].leaves.size() <= block_leaves_max / 2) {
    move_from(blocks_[of.block + 1].starts, 0, from.starts);
    move_from(blocks_[of.block + 1].leaves, 0, from.leaves);
    blocks_.erase(at_index(blocks_, of.block + 1));
    firsts_.erase(at_index(firsts_, of.block + 1));
  }
  return normal(of);
}

std::size_t leaf_directory::overhead_bytes() const {
  auto total = blocks_.capacity() * sizeof(block) + firsts_.capacity() * sizeof(std::uint64_t);
  for (const auto& each : blocks_)
    total += each.starts.capacity() * sizeof(std::uint64_t) + each.leaves.capacity() * sizeof(leaf_ptr);
  return total;
}

}  // namespace hypermesh::machines
