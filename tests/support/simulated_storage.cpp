#include "tests/support/simulated_storage.hpp"

#include <algorithm>

namespace hypermesh::testing {

std::optional<world_error> simulated_storage::write(std::span<const storage_record> records) {
  if (failure_) return failure_;
  ++writes_;
  for (const auto& record : records) {
    bytes_ += record.bytes->size();
    records_.emplace(record.sequence, record);
  }
  return std::nullopt;
}

std::optional<world_error> simulated_storage::forget_through(sequence_number stable) {
  if (failure_) return failure_;
  const auto end = records_.upper_bound(stable);
  for (auto place = records_.begin(); place != end; ++place)
    bytes_ -= place->second.bytes->size();
  records_.erase(records_.begin(), end);
  forgotten_through_ = std::max(forgotten_through_, stable);
  return std::nullopt;
}

bool simulated_storage::holds(record_kind kind, sequence_number sequence, byte_span bytes) const {
  const auto [first, last] = records_.equal_range(sequence);
  return std::any_of(first, last, [&](const auto& place) {
    const auto& record = place.second;
    return record.kind == kind && (record.bytes->data() == bytes.data() || std::ranges::equal(*record.bytes, bytes));
  });
}

std::vector<storage_record> simulated_storage::records() const {
  std::vector<storage_record> all;
  all.reserve(records_.size());
  for (const auto& [sequence, record] : records_)
    all.push_back(record);
  return all;
}

}  // namespace hypermesh::testing
