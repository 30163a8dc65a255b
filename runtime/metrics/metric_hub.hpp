#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/storage_wrapper.hpp"
#include "runtime/metrics/node_metrics.hpp"

namespace hypermesh::metrics {

/// The metrics of a running node. Thread-safe: the monitor, the links and the journal report their events, and the HTTP
/// server reads. The lock is held for one event, or for one copy of the values (at most 64 KiB), so no actor waits
/// longer than a fraction of a millisecond.
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
class measured_storage final : public base::storage_wrapper {
 public:
  measured_storage(std::shared_ptr<stable_storage> disk, std::shared_ptr<metric_hub> hub)
      : storage_wrapper(std::move(disk)), hub_(std::move(hub)) {}

  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override;

 private:
  std::shared_ptr<metric_hub> hub_;
};

}  // namespace hypermesh::metrics
