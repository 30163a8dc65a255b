#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/history_reader.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/rocksdb_database.hpp"
#include "runtime/storage/storage_totals_tracker.hpp"
#include "runtime/storage/wal_syncer.hpp"

namespace rocksdb {
class WriteBatch;
}  // namespace rocksdb

namespace hypermesh::storage {

/// The durability modes `sync` and `async`: stores the history of one node in RocksDB. For one thread at a time.
///
/// Every change is one atomic batch in one write-ahead log. The batch contains the records and the totals of everything
/// that is held after the change. Chunks bypass the log and have their own column family. `keep_state` flushes this
/// column family before it writes the manifest that names the chunks. So a manifest on the disk never lacks a chunk,
/// and the next start removes chunks without a manifest. Forgetting writes two numbers into the totals and is not
/// synced, because records that come back after a power failure are forgotten again. A table is removed whole and
/// unread, once a durable change has forgotten all its records.
///
/// `read` detects, at any byte of any file: a damaged block, record or chunk; a missing or short file; a record that
/// vanished or reappeared (totals); acknowledged changes that are missing at the end (the mark). It ignores a short end
/// of the log, because an interrupted write leaves such an end. It refuses an end of the right length and wrong
/// content, because a damaged acknowledged record looks the same. It cannot detect: a whole directory that was replaced
/// by an older copy of itself; changes by somebody who also recomputes the checksums; damage that makes the log look
/// short within the changes that the mark does not count yet. In mode `sync` these are at most the last
/// `acknowledged_mark::changes_per_sync` changes, and only after a power failure. In mode `async` they are the changes
/// of the last `wal_syncer::period`.
///
/// Memory: the memory of `rocksdb_database` and `storage_totals_tracker`, and 100 bytes for each chunk.
class rocksdb_storage final : public stable_storage {
 public:
  /// Creates a database in a directory whose replica has not voted yet. `mode` is not `memory`. Completes a creation
  /// that a crash interrupted.
  [[nodiscard]] static or_error<std::unique_ptr<rocksdb_storage>> create(
      const node_directory& directory, directory_lock lock, durability mode,
      std::shared_ptr<storage_environment> environment = system_environment());

  /// Opens the storage whose database has this origin. Afterwards `read` checks whether the database is sound.
  [[nodiscard]] static or_error<std::unique_ptr<rocksdb_storage>> open(
      const node_directory& directory, directory_lock lock, durability mode, std::uint64_t origin,
      std::shared_ptr<storage_environment> environment = system_environment());

  /// Closes the storage cleanly: makes everything durable and writes the mark `closed`.
  ~rocksdb_storage() override;
  rocksdb_storage(const rocksdb_storage&) = delete;
  rocksdb_storage& operator=(const rocksdb_storage&) = delete;

  [[nodiscard]] or_error<stored_history> read() override;
  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override;
  [[nodiscard]] or_error<void> forget_through(sequence_number last) override;
  [[nodiscard]] or_error<void> store_chunks(std::span<const state_chunk> chunks) override;
  [[nodiscard]] or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return tracker_.bytes() + chunk_bytes_; }

  /// For mode `async` in an environment without threads: makes the sync that the thread would make every
  /// `wal_syncer::period`.
  void sync_log();

  /// The random number that identifies the database.
  [[nodiscard]] std::uint64_t origin() const { return mark_.origin(); }

 private:
  rocksdb_storage(std::shared_ptr<storage_environment> environment, node_directory directory, directory_lock lock,
                  durability mode, acknowledged_mark mark)
      : environment_(std::move(environment)),
        directory_(std::move(directory)),
        lock_(std::move(lock)),
        mode_(mode),
        mark_(std::move(mark)) {}

  /// Examines the database without changing the disk, then opens it for writing.
  [[nodiscard]] or_error<stored_history> read_existing();
  [[nodiscard]] or_error<void> begin_serving();
  /// Returns the first totals of a new database, with its origin. Writes them if they are missing.
  [[nodiscard]] static or_error<stored_values::storage_totals> first_totals(rocksdb_database& database);
  /// Completes the batch with the totals and writes it.
  [[nodiscard]] or_error<void> commit(rocksdb::WriteBatch& batch, bool durable, std::string_view action);
  /// Removes the tables all of whose records are durably forgotten.
  [[nodiscard]] or_error<void> drop_tables();
  [[nodiscard]] std::uint64_t durable_changes() const;
  [[nodiscard]] or_error<void> drop_chunks(std::span<const digest> leaves);
  /// The error after which nothing more is written, if an error occurred.
  [[nodiscard]] or_error<void> health();
  [[nodiscard]] tl::unexpected<world_error> fail(tl::unexpected<world_error> error);
  void close();

  std::shared_ptr<storage_environment> environment_;
  node_directory directory_;
  directory_lock lock_;
  durability mode_;
  acknowledged_mark mark_;
  /// Null between `open` and `read`.
  std::unique_ptr<rocksdb_database> database_;
  storage_totals_tracker tracker_;
  /// The chunks in the database with their sizes, including chunks that no manifest names yet.
  chunk_sizes chunks_;
  std::uint64_t chunk_bytes_ = 0;
  /// The records that the last `forget_through` left on the disk.
  struct {
    /// When the change with this number is durable, the records below `before_order` may be dropped.
    std::uint64_t changes = 0;
    /// No record below this order is needed.
    std::uint64_t before_order = 0;
  } droppable_;
  bool was_read_ = false;
  or_error<void> health_;
  /// Null except in mode `async`. It is the last member, because it must end before the members that it uses.
  std::unique_ptr<wal_syncer> syncer_;
};

}  // namespace hypermesh::storage
