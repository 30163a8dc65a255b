#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "runtime/metrics/node_metrics.hpp"

namespace hypermesh::metrics {

/// The metrics of a running node. Thread-safe: the monitor, the links and the journal report their events, and the HTTP
/// server reads. The lock is held for one event, or for one copy of the values (some 50 KiB), so no actor waits longer
/// than a fraction of a millisecond.
class metric_hub {
 public:
  metric_hub(replica_id self, std::uint32_t replicas, std::uint32_t window) : folded_(self, replicas, window) {}

  void note(const observation& what);
  void note_link(replica_id to, bool up);
  void note_write(std::size_t records, std::size_t bytes, std::chrono::nanoseconds took);

  /// A copy of the values that events have changed.
  [[nodiscard]] metric_values values() const;

 private:
  mutable std::mutex guard_;
  node_metrics folded_;
};

/// Measures the writes of another storage. Like the other storages, only the journal uses it.
class measured_storage final : public stable_storage {
 public:
  measured_storage(std::shared_ptr<stable_storage> disk, std::shared_ptr<metric_hub> hub)
      : disk_(std::move(disk)), hub_(std::move(hub)) {}

  [[nodiscard]] or_error<stored_history> read() override { return disk_->read(); }
  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override;
  [[nodiscard]] or_error<void> forget_through(sequence_number last) override { return disk_->forget_through(last); }
  [[nodiscard]] or_error<void> store_chunks(std::span<const state_chunk> chunks) override {
    return disk_->store_chunks(chunks);
  }
  [[nodiscard]] or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) override {
    return disk_->keep_state(sequence, leaves);
  }
  [[nodiscard]] std::uint64_t bytes_held() const override { return disk_->bytes_held(); }

 private:
  std::shared_ptr<stable_storage> disk_;
  std::shared_ptr<metric_hub> hub_;
};

}  // namespace hypermesh::metrics
