#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing::storage_test {

/// A synthetic workload for a storage. Equal seeds give equal steps, so two processes, or a storage and its model, can
/// execute it side by side. Records come in any order above the last forgotten sequence. States of sixteen chunks share
/// most of their chunks with the previous state, and are stored in pieces between the writes.
class storage_script {
 public:
  explicit storage_script(std::uint64_t seed) : random_(seed) {
    for (auto& each : versions_)
      each = 0;
  }

  /// The number of completed steps.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  /// Must be called when the node was started again, because the chunks of a state that was not kept yet are lost.
  void on_start() { stored_ = 0; }

  /// Makes the next step.
  or_error<void> step(stable_storage& storage) {
    ++steps_;
    const auto choice = random_.below(20);
    if (choice < 13) return write(storage);
    if (choice < 15) return forget(storage);
    return extend_state(storage);
  }

 private:
  static constexpr std::uint64_t window = 40;

  byte_vector some_bytes() {
    const auto size = random_.below(50) == 0 ? 100'000 + random_.below(50'000) : random_.below(1'500);
    byte_vector bytes(size);
    for (auto& each : bytes)
      each = static_cast<std::byte>(random_.next());
    return bytes;
  }

  or_error<void> write(stable_storage& storage) {
    std::vector<storage_record> records(1 + random_.below(4));
    for (auto& each : records) {
      each.kind = static_cast<record_kind>(1 + random_.below(static_cast<std::uint64_t>(record_kind_last)));
      each.view = view_number{random_.below(5)};
      each.sequence = sequence_number{forgotten_ + 1 + random_.below(window)};
      each.bytes = std::make_shared<const byte_vector>(some_bytes());
    }
    return storage.write(records);
  }

  or_error<void> forget(stable_storage& storage) {
    forgotten_ += random_.below(window / 2);
    return storage.forget_through(sequence_number{forgotten_});
  }

  /// Stores the next piece of the present state. After the last piece, the state is kept.
  or_error<void> extend_state(stable_storage& storage) {
    if (stored_ == versions_.size()) {
      stored_ = 0;
      std::vector<digest> leaves;
      for (std::size_t index = 0; index < versions_.size(); ++index)
        leaves.push_back(chunk(index).leaf);
      return storage.keep_state(sequence_number{forgotten_}, leaves);
    }
    if (stored_ == 0) {
      for (std::uint64_t changed = 0; changed < 3; ++changed)
        versions_.at(random_.below(versions_.size())) = steps_;
    }
    std::vector<state_chunk> piece;
    for (int count = 0; count < 4; ++count)
      piece.push_back(chunk(stored_++));
    return storage.store_chunks(piece);
  }

  [[nodiscard]] state_chunk chunk(std::size_t index) const {
    splitmix64 content{versions_.at(index) * versions_.size() + index};
    byte_vector bytes(500 + content.below(5'000));
    for (auto& each : bytes)
      each = static_cast<std::byte>(content.next());
    const auto leaf = state_chunk_digest(bytes);
    return {std::make_shared<const byte_vector>(std::move(bytes)), leaf};
  }

  splitmix64 random_;
  std::uint64_t steps_ = 0;
  std::uint64_t forgotten_ = 0;
  std::array<std::uint64_t, 16> versions_;
  /// The number of stored chunks of the state that is being stored.
  std::size_t stored_ = 0;
};

}  // namespace hypermesh::testing::storage_test
