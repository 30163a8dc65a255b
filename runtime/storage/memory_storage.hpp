#pragma once

#include "actors/ports.hpp"

namespace hypermesh::storage {

/// The durability mode `memory`: nothing is stored. A node that ends has forgotten its votes, so it may return only in
/// a cluster that starts anew. A crash of more than f replicas at once loses acknowledged operations.
class memory_storage : public stable_storage {
 public:
  [[nodiscard]] or_error<stored_history> read() override { return stored_history{}; }
  [[nodiscard]] or_error<void> write(std::span<const storage_record>) override { return {}; }
  [[nodiscard]] or_error<void> forget_through(sequence_number) override { return {}; }
  [[nodiscard]] or_error<void> store_chunks(std::span<const state_chunk>) override { return {}; }
  [[nodiscard]] or_error<void> keep_state(sequence_number, std::span<const digest>) override { return {}; }
  [[nodiscard]] std::uint64_t bytes_held() const override { return 0; }
};

}  // namespace hypermesh::storage
