#include "tests/support/simulated_storage.hpp"

#include <algorithm>
#include <set>

namespace hypermesh::testing {

std::variant<stored_history, world_error> simulated_storage::read() {
  stored_history all;
  all.records = records();
  if (!state_) return all;
  stored_state kept{state_->sequence, {}};
  for (const auto& leaf : state_->leaves)
    kept.snapshot.push_back({chunks_.at(leaf), leaf});
  all.state = std::move(kept);
  return all;
}

std::optional<world_error> simulated_storage::write(std::span<const storage_record> records) {
  if (failure_) return failure_;
  if (on_write_ && !on_write_()) return world_error{"the node crashed in a write", ""};
  ++writes_;
  for (const auto& record : records) {
    if (is_replaced(record.kind)) {
      std::erase_if(records_, [&](const auto& each) {
        if (each.second.kind != record.kind) return false;
        bytes_ -= each.second.bytes->size();
        return true;
      });
    } else {
      by_sequence_.emplace(record.sequence, next_);
    }
    bytes_ += record.bytes->size();
    records_.emplace(next_++, record);
  }
  return std::nullopt;
}

std::optional<world_error> simulated_storage::forget_through(sequence_number last) {
  if (failure_) return failure_;
  const auto end = by_sequence_.upper_bound(last);
  for (auto place = by_sequence_.begin(); place != end; ++place) {
    const auto found = records_.find(place->second);
    bytes_ -= found->second.bytes->size();
    records_.erase(found);
  }
  by_sequence_.erase(by_sequence_.begin(), end);
  forgotten_through_ = std::max(forgotten_through_, last);
  return std::nullopt;
}

std::optional<world_error> simulated_storage::store_chunks(std::span<const state_chunk> chunks) {
  if (failure_) return failure_;
  for (const auto& chunk : chunks) {
    if (chunks_.emplace(chunk.leaf, chunk.bytes).second) bytes_ += chunk.bytes->size();
  }
  return std::nullopt;
}

std::optional<world_error> simulated_storage::keep_state(sequence_number sequence, std::span<const digest> leaves) {
  if (failure_) return failure_;
  state_ = kept_state{sequence, {leaves.begin(), leaves.end()}};
  forget_chunks();
  return std::nullopt;
}

void simulated_storage::forget_chunks() {
  const std::set<digest> needed{state_->leaves.begin(), state_->leaves.end()};
  std::erase_if(chunks_, [&](const auto& each) {
    if (needed.contains(each.first)) return false;
    bytes_ -= each.second->size();
    return true;
  });
}

bool simulated_storage::holds(record_kind kind, sequence_number sequence, byte_span bytes) const {
  const auto is_same = [&](const storage_record& record) {
    return record.kind == kind && (record.bytes->data() == bytes.data() || std::ranges::equal(*record.bytes, bytes));
  };
  if (is_replaced(kind)) {
    return std::ranges::any_of(records_, [&](const auto& each) { return is_same(each.second); });
  }
  const auto [first, last] = by_sequence_.equal_range(sequence);
  return std::any_of(first, last, [&](const auto& place) { return is_same(records_.at(place.second)); });
}

std::vector<storage_record> simulated_storage::records() const {
  std::vector<storage_record> all;
  all.reserve(records_.size());
  for (const auto& [order, record] : records_)
    all.push_back(record);
  return all;
}

}  // namespace hypermesh::testing
