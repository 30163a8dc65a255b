#include "runtime/storage/wal_syncer.hpp"

#include <rocksdb/db.h>

namespace hypermesh::storage {

wal_syncer::wal_syncer(rocksdb_database& database, acknowledged_mark& mark, bool with_thread)
    : database_(&database), mark_(&mark), written_(mark.last().changes), synced_(written_) {
  if (with_thread) thread_ = std::thread{[this] { run(); }};
}

wal_syncer::~wal_syncer() {
  {
    const std::scoped_lock lock{guard_};
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void wal_syncer::on_written(std::uint64_t changes) {
  {
    const std::scoped_lock lock{guard_};
    written_ = changes;
  }
  changed_.notify_all();
}

std::uint64_t wal_syncer::synced() const {
  const std::scoped_lock lock{guard_};
  return synced_;
}

or_error<void> wal_syncer::health() const {
  const std::scoped_lock lock{guard_};
  return health_;
}

void wal_syncer::run() {
  std::unique_lock lock{guard_};
  while (!ending_ && health_) {
    changed_.wait(lock, [&] { return ending_ || written_ != synced_; });
    changed_.wait_for(lock, period, [&] { return ending_; });
    if (ending_) return;
    lock.unlock();
    sync_written();
    lock.lock();
  }
}

void wal_syncer::sync_written() {
  std::unique_lock lock{guard_};
  if (!health_ || written_ == synced_) return;
  const auto wanted = written_;
  lock.unlock();
  auto done = sync(wanted);
  lock.lock();
  if (done) synced_ = wanted;
  health_ = std::move(done);
}

or_error<void> wal_syncer::sync(std::uint64_t changes) {
  const auto status = database_->content().SyncWAL();
  if (!status.ok()) return database_->error_of("sync what was written", status);
  return mark_->advance(changes);
}

}  // namespace hypermesh::storage
