#pragma once

#include "actors/ports.hpp"

namespace hypermesh {

/// The durability mode `memory`: nothing is stored. A node that ends has forgotten its votes, so it may come back only
/// in a cluster that starts anew. A crash of more than f replicas at once loses acknowledged operations.
class memory_storage : public stable_storage {
 public:
  [[nodiscard]] std::variant<stored_history, world_error> read() override { return stored_history{}; }
  [[nodiscard]] std::optional<world_error> write(std::span<const storage_record>) override { return std::nullopt; }
  [[nodiscard]] std::optional<world_error> forget_through(sequence_number) override { return std::nullopt; }
  [[nodiscard]] std::optional<world_error> store_chunks(std::span<const state_chunk>) override { return std::nullopt; }
  [[nodiscard]] std::optional<world_error> keep_state(sequence_number, std::span<const digest>) override {
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t bytes_held() const override { return 0; }
};

}  // namespace hypermesh
