#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/rocksdb_database.hpp"

namespace hypermesh {

/// Mode `async`: syncs the write-ahead log after writes, so that a write waits for no disk and a machine that loses
/// power forgets no more than `period` and the time of one sync. A thread does it, and sleeps while nothing is written;
/// without a thread, whoever runs the storage calls `sync_written`. The mark is the syncer's as long as it lives.
class wal_syncer {
 public:
  static constexpr std::chrono::milliseconds period{100};

  wal_syncer(rocksdb_database& database, acknowledged_mark& mark, bool with_thread);
  /// Ends the thread without a last sync.
  ~wal_syncer();
  wal_syncer(const wal_syncer&) = delete;
  wal_syncer& operator=(const wal_syncer&) = delete;

  /// `changes` are in the log.
  void on_written(std::uint64_t changes);

  /// Syncs what is written and not synced; what the thread does once a period.
  void sync_written();

  /// How many changes are on the disk.
  [[nodiscard]] std::uint64_t synced() const;

  /// Why the last sync failed, if it did; there is none after that.
  [[nodiscard]] std::optional<world_error> failure() const;

 private:
  void run();
  [[nodiscard]] std::optional<world_error> sync(std::uint64_t changes);

  rocksdb_database* database_;
  acknowledged_mark* mark_;
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::uint64_t written_;
  std::uint64_t synced_;
  bool ending_ = false;
  std::optional<world_error> failure_;
  /// If there is one. Last, because it uses the others from its start.
  std::thread thread_;
};

}  // namespace hypermesh
