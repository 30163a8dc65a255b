#include "tests/support/simulated_storage.hpp"

#include <algorithm>
#include <set>

namespace hypermesh::testing {

namespace {

tl::unexpected<world_error> crashed() { return tl::unexpected(world_error{"the node crashed in a write", ""}); }

}  // namespace

or_error<stored_history> simulated_storage::read() {
  stored_history all;
  all.records = records();
  if (!held_.state) return all;
  stored_state kept{held_.state->sequence, {}};
  for (const auto& leaf : held_.state->leaves)
    kept.snapshot.push_back({held_.chunks.at(leaf), leaf});
  all.state = std::move(kept);
  return all;
}

std::size_t simulated_storage::begin_change(std::size_t count) {
  if (lies_max_ > 0) {
    before_.push_back(held_);
    if (before_.size() > lies_max_) before_.pop_front();
  }
  return on_write_ ? std::min(on_write_(count), count) : count;
}

or_error<void> simulated_storage::write(std::span<const storage_record> records) {
  if (!health_) return health_;
  const auto durable = begin_change(records.size());
  ++writes_;
  for (const auto& record : records.first(durable))
    put(record);
  if (durable < records.size()) return crashed();
  return {};
}

void simulated_storage::put(const storage_record& record) {
  if (is_replaced(record.kind)) {
    std::erase_if(held_.records, [&](const auto& each) {
      if (each.second.kind != record.kind) return false;
      held_.bytes -= each.second.bytes->size();
      return true;
    });
  } else {
    held_.by_sequence.emplace(record.sequence, held_.next);
  }
  held_.bytes += record.bytes->size();
  held_.records.emplace(held_.next++, record);
}

or_error<void> simulated_storage::forget_through(sequence_number last) {
  if (!health_) return health_;
  if (begin_change(1) < 1) return crashed();
  const auto end = held_.by_sequence.upper_bound(last);
  for (auto place = held_.by_sequence.begin(); place != end; ++place) {
    const auto found = held_.records.find(place->second);
    held_.bytes -= found->second.bytes->size();
    held_.records.erase(found);
  }
  held_.by_sequence.erase(held_.by_sequence.begin(), end);
  held_.forgotten_through = std::max(held_.forgotten_through, last);
  return {};
}

or_error<void> simulated_storage::store_chunks(std::span<const state_chunk> chunks) {
  if (!health_) return health_;
  const auto durable = begin_change(chunks.size());
  for (const auto& chunk : chunks.first(durable)) {
    if (held_.chunks.emplace(chunk.leaf, chunk.bytes).second) held_.bytes += chunk.bytes->size();
  }
  if (durable < chunks.size()) return crashed();
  return {};
}

or_error<void> simulated_storage::keep_state(sequence_number sequence, std::span<const digest> leaves) {
  if (!health_) return health_;
  if (begin_change(1) < 1) return crashed();
  held_.state = kept_state{sequence, {leaves.begin(), leaves.end()}};
  forget_chunks();
  return {};
}

void simulated_storage::forget_chunks() {
  const std::set<digest> needed{held_.state->leaves.begin(), held_.state->leaves.end()};
  std::erase_if(held_.chunks, [&](const auto& each) {
    if (needed.contains(each.first)) return false;
    held_.bytes -= each.second->size();
    return true;
  });
}

void simulated_storage::lie_about(std::size_t count) {
  lies_max_ = count;
  while (before_.size() > count)
    before_.pop_front();
}

std::size_t simulated_storage::lose_lies() {
  const auto lost = before_.size();
  if (lost > 0) held_ = std::move(before_.front());
  before_.clear();
  return lost;
}

void simulated_storage::set_trouble(disk_trouble trouble) {
  health_ = {};
  if (trouble != disk_trouble::none) fail_writes({"the simulated disk fails", "replace it"});
}

std::shared_ptr<inspected_storage> simulated_storage::copy() const {
  auto same = std::make_shared<simulated_storage>();
  same->held_ = held_;
  return same;
}

bool simulated_storage::holds(record_kind kind, sequence_number sequence, byte_span bytes) const {
  const auto is_same = [&](const storage_record& record) {
    return record.kind == kind && (record.bytes->data() == bytes.data() || std::ranges::equal(*record.bytes, bytes));
  };
  if (is_replaced(kind)) {
    return std::ranges::any_of(held_.records, [&](const auto& each) { return is_same(each.second); });
  }
  const auto [first, last] = held_.by_sequence.equal_range(sequence);
  return std::any_of(first, last, [&](const auto& place) { return is_same(held_.records.at(place.second)); });
}

bool simulated_storage::binds(const storage_record& record) const {
  if (holds(record.kind, record.sequence, *record.bytes)) return true;
  if (!is_replaced(record.kind)) return record.sequence <= held_.forgotten_through;
  return std::ranges::any_of(held_.records, [&](const auto& each) {
    return each.second.kind == record.kind && each.second.view > record.view;
  });
}

std::string simulated_storage::summary() const {
  return std::to_string(held_.records.size()) + " records, " + std::to_string(held_.bytes) + " bytes\n";
}

std::vector<storage_record> simulated_storage::records() const {
  std::vector<storage_record> all;
  all.reserve(held_.records.size());
  for (const auto& [order, record] : held_.records)
    all.push_back(record);
  return all;
}

}  // namespace hypermesh::testing
