#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <hypermesh/large_state.hpp>

namespace hypermesh::machines {

/// The state of an authenticated map at one moment, as the changes since the moment before. `finish` makes the whole
/// snapshot of them and hashes the changed chunks, on any thread and once.
///
/// So the thread that executes operations pays only for the list of the changed chunks. Memory: the list; after
/// `finish` 56 bytes for each chunk of the state. The chunks are shared with the map and with other snapshots.
class frozen_map final : public frozen_state {
 public:
  /// A chunk that begins at a place; null if no chunk begins there any more. Several changes of one place are its chunks
  /// in the order of their keys.
  struct change {
    std::uint64_t start = 0;
    std::shared_ptr<const byte_vector> chunk;
  };
  /// The place at which each chunk begins, and the chunks in the same order. A place may have several chunks.
  struct content {
    std::vector<std::uint64_t> starts;
    state_snapshot chunks;
  };

  /// A state whose chunks are known, from a snapshot.
  explicit frozen_map(content known) : content_(std::move(known)), is_finished_{true} {}
  /// `changes` ascend by `start`. `before` is null if the map was empty.
  frozen_map(std::shared_ptr<frozen_map> before, std::vector<change> changes)
      : before_(std::move(before)), changes_(std::move(changes)) {}

  /// The chunks with their leaves. Costs the hash of each changed chunk, and the copy of a pointer for each other.
  [[nodiscard]] const state_snapshot& finish() override { return finish_content().chunks; }
  /// Whether `finish` has returned. Until then the state before is kept, too.
  [[nodiscard]] bool is_finished() const { return is_finished_.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] const content& finish_content();

  std::mutex mutex_;
  std::shared_ptr<frozen_map> before_;
  std::vector<change> changes_;
  content content_;
  std::atomic<bool> is_finished_ = false;
};

}  // namespace hypermesh::machines
