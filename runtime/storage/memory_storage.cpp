#include "runtime/storage/memory_storage.hpp"

namespace hypermesh {

std::optional<world_error> memory_storage::write(std::span<const storage_record> records) {
  for (const auto& record : records) {
    bytes_ += record.bytes->size();
    records_.emplace(record.sequence, record);
  }
  return std::nullopt;
}

std::optional<world_error> memory_storage::forget_through(sequence_number stable) {
  const auto end = records_.upper_bound(stable);
  for (auto place = records_.begin(); place != end; ++place)
    bytes_ -= place->second.bytes->size();
  records_.erase(records_.begin(), end);
  return std::nullopt;
}

}  // namespace hypermesh
