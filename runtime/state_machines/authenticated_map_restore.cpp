#include <fmt/format.h>

#include "messages/expected.hpp"
#include "runtime/state_machines/authenticated_map.hpp"

namespace hypermesh::machines {

or_reason<void> authenticated_map::add_restored(leaf_ptr leaf) {
  const auto region = leaf->region();
  if (leaves_.size() > 0) {
    const auto& before = leaves_.at(leaves_.previous(leaves_.end()));
    // Leaves of single keys share a place; all other leaves are behind each other.
    const bool is_beside = region.depth == leaf_region::depth_max && before.region() == region &&
                           as_text(before.at(0).key) < as_text(leaf->at(0).key);
    if (!is_beside && region.start <= before.region().last()) return invalid("the chunk is out of order");
  }
  size_ += leaf->count();
  content_bytes_ += leaf->entry_bytes() - leaf->count() * packed_leaf::entry_header_bytes;
  (void)leaves_.insert(leaves_.end(), std::move(leaf));
  return {};
}

/// A content has one division into leaves: none of them may be smaller than necessary.
or_reason<void> authenticated_map::check_regions() const {
  std::size_t number = 0;
  for (auto each = leaves_.begin(); each != leaves_.end(); each = leaves_.next(each), ++number) {
    const auto& region = leaves_.at(each).region();
    if (region.depth > 0 && content_of(region.parent()).fits) {
      return invalid(fmt::format("chunk {}: the region is smaller than necessary", number));
    }
  }
  return {};
}

or_reason<void> authenticated_map::restore(const state_snapshot& snapshot) {
  if (snapshot.size() > limits::state_chunks_max) return invalid("the snapshot has more chunks than a state may have");
  authenticated_map staged{leaf_bytes_max_, keys_};
  std::vector<std::uint64_t> starts;
  starts.reserve(snapshot.size());
  for (std::size_t number = 0; number < snapshot.size(); ++number) {
    const auto& chunk = snapshot[number];
    auto leaf = packed_leaf::read(chunk.bytes, leaf_bytes_max_, keys_ == map_keys::kept);
    if (!leaf) return invalid(fmt::format("chunk {}: {}", number, leaf.error()));
    if (state_chunk_digest(*chunk.bytes) != chunk.leaf) {
      return invalid(fmt::format("chunk {}: the hash of the bytes differs from the leaf", number));
    }
    starts.push_back((*leaf)->region().start);
    if (auto done = staged.add_restored(std::move(*leaf)); !done) {
      return invalid(fmt::format("chunk {}: {}", number, done.error()));
    }
  }
  if (auto done = staged.check_regions(); !done) return done;
  if (!snapshot.empty()) {
    staged.frozen_ = std::make_shared<frozen_map>(frozen_map::content{std::move(starts), snapshot});
  }
  *this = std::move(staged);
  return {};
}

}  // namespace hypermesh::machines
