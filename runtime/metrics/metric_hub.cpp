#include "runtime/metrics/metric_hub.hpp"

namespace hypermesh::metrics {

void metric_hub::note(const observation& what) {
  const std::scoped_lock lock{guard_};
  folded_.note(what);
}

void metric_hub::note_link(replica_id to, bool up) {
  const std::scoped_lock lock{guard_};
  folded_.note_link(to, up);
}

void metric_hub::note_write(std::size_t records, std::size_t bytes, std::chrono::nanoseconds took) {
  const std::scoped_lock lock{guard_};
  folded_.note_write(records, bytes, took);
}

metric_values metric_hub::values() const {
  const std::scoped_lock lock{guard_};
  return folded_.values();
}

or_error<void> measured_storage::write(std::span<const storage_record> records) {
  const auto before = std::chrono::steady_clock::now();
  auto written = storage_wrapper::write(records);
  const auto took = std::chrono::steady_clock::now() - before;
  if (!written) return written;
  std::size_t bytes = 0;
  for (const auto& each : records)
    bytes += each.bytes->size();
  hub_->note_write(records.size(), bytes, took);
  return written;
}

}  // namespace hypermesh::metrics
