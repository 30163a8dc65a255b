#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/rocksdb_database.hpp"

namespace hypermesh::storage {

/// Mode `async`: syncs the write-ahead log after writes. So no write waits for the disk, and a machine that loses power
/// forgets at most the writes of `period` and of the time of one sync. A thread makes the syncs and sleeps while
/// nothing is written. Without a thread, the owner of the storage calls `sync_written`. While the syncer lives, no
/// other code writes the mark.
class wal_syncer {
 public:
  static constexpr std::chrono::milliseconds period{100};

  wal_syncer(rocksdb_database& database, acknowledged_mark& mark, bool with_thread);
  /// Ends the thread without a last sync.
  ~wal_syncer();
  wal_syncer(const wal_syncer&) = delete;
  wal_syncer& operator=(const wal_syncer&) = delete;

  /// Must be called when `changes` changes are in the log.
  void on_written(std::uint64_t changes);

  /// Syncs the changes that are written and not synced yet. The thread calls this once in each period.
  void sync_written();

  /// The number of changes that are on the disk.
  [[nodiscard]] std::uint64_t synced() const;

  /// The error of a sync, if a sync failed. There are no syncs after that.
  [[nodiscard]] or_error<void> health() const;

 private:
  void run();
  [[nodiscard]] or_error<void> sync(std::uint64_t changes);

  rocksdb_database* database_;
  acknowledged_mark* mark_;
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::uint64_t written_;
  std::uint64_t synced_;
  bool ending_ = false;
  or_error<void> health_;
  /// The thread, if there is one. It is the last member, because the thread uses the other members from its start.
  std::thread thread_;
};

}  // namespace hypermesh::storage
