#pragma once

#include <map>
#include <vector>

#include "actors/ports.hpp"

namespace hypermesh {

/// The durability mode `memory`: records live as long as the process. A crash of more than f replicas at
/// once loses what was acknowledged. Memory: the records above the stable checkpoint.
class memory_storage : public stable_storage {
 public:
  [[nodiscard]] std::optional<world_error> write(std::span<const storage_record> records) override;
  [[nodiscard]] std::optional<world_error> forget_through(sequence_number stable) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return bytes_; }

 private:
  std::multimap<sequence_number, storage_record> records_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hypermesh
