#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/rocksdb_database.hpp"
#include "runtime/storage/storage_ledger.hpp"
#include "runtime/storage/wal_syncer.hpp"

namespace rocksdb {
class WriteBatch;
}  // namespace rocksdb

namespace hypermesh {

/// The durability modes `sync` and `async`: one node's history in RocksDB. For one thread at a time.
///
/// Every change is one atomic batch in one write-ahead log: its records and the totals of all that is held after it.
/// Chunks go past the log into a column of their own, which `keep_state` flushes before the manifest that names them
/// is written; a manifest on the disk thus never lacks a chunk, and chunks without a manifest are removed at the next
/// start. Forgetting is two numbers in the totals and is not synced: what comes back when power fails is forgotten
/// again. A table goes as a whole, unread, once a durable change has forgotten all that is in it.
///
/// What `read` finds out, at any byte of any file: a block, record or chunk that is damaged; a file that is missing or
/// short; a record that vanished or reappeared (totals); changes at the end that were acknowledged (the mark). It
/// passes over an end of the log that is short, as an interrupted write leaves it; an end of the right length and wrong
/// content is refused, because a damaged promise looks the same. What it cannot find out: a whole directory that was
/// replaced by an older copy of itself, changes of somebody who also computes checksums, and damage that makes the log
/// look short within what the mark does not count yet: in mode `sync` after a power failure only, the last
/// `acknowledged_mark::changes_per_sync` changes; in mode `async` the last `wal_syncer::period`.
///
/// Memory: what `rocksdb_database` and `storage_ledger` say, and 100 bytes for each chunk.
class rocksdb_storage final : public stable_storage {
 public:
  /// A new database in a directory where nothing was promised yet; `mode` is not `memory`. Completes an attempt that
  /// a crash interrupted.
  [[nodiscard]] static or_error<std::unique_ptr<rocksdb_storage>> create(
      const node_directory& directory, directory_lock lock, durability mode,
      std::shared_ptr<storage_environment> environment = system_environment());

  /// The database with this origin. `read` looks whether it is sound.
  [[nodiscard]] static or_error<std::unique_ptr<rocksdb_storage>> open(
      const node_directory& directory, directory_lock lock, durability mode, std::uint64_t origin,
      std::shared_ptr<storage_environment> environment = system_environment());

  /// Closes in order: everything is durable and the mark says so.
  ~rocksdb_storage() override;
  rocksdb_storage(const rocksdb_storage&) = delete;
  rocksdb_storage& operator=(const rocksdb_storage&) = delete;

  [[nodiscard]] std::variant<stored_history, world_error> read() override;
  [[nodiscard]] std::optional<world_error> write(std::span<const storage_record> records) override;
  [[nodiscard]] std::optional<world_error> forget_through(sequence_number last) override;
  [[nodiscard]] std::optional<world_error> store_chunks(std::span<const state_chunk> chunks) override;
  [[nodiscard]] std::optional<world_error> keep_state(sequence_number sequence,
                                                      std::span<const digest> leaves) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return ledger_.bytes() + chunk_bytes_; }

  /// In an environment without threads and in mode `async`: what the product does every `wal_syncer::period`.
  void sync_log();

  /// Random number of the database.
  [[nodiscard]] std::uint64_t origin() const { return mark_.origin(); }

 private:
  rocksdb_storage(std::shared_ptr<storage_environment> environment, node_directory directory, directory_lock lock,
                  durability mode, acknowledged_mark mark)
      : environment_(std::move(environment)),
        directory_(std::move(directory)),
        lock_(std::move(lock)),
        mode_(mode),
        mark_(std::move(mark)) {}

  /// Examines without a change to the disk, then opens for writing.
  [[nodiscard]] or_error<stored_history> read_existing();
  [[nodiscard]] std::optional<world_error> begin_serving();
  /// The first totals of a new database, with its origin.
  [[nodiscard]] static or_error<stored_values::storage_totals> first_totals(rocksdb_database& database);
  /// Completes the batch with the totals and writes it.
  [[nodiscard]] std::optional<world_error> commit(rocksdb::WriteBatch& batch, bool durable, std::string_view action);
  /// Removes the tables of which everything is forgotten for good.
  [[nodiscard]] std::optional<world_error> drop_tables();
  [[nodiscard]] std::uint64_t durable_changes() const;
  [[nodiscard]] std::optional<world_error> drop_chunks(std::span<const digest> leaves);
  /// Why nothing more is written, if that is so.
  [[nodiscard]] std::optional<world_error> failure();
  [[nodiscard]] world_error fail(world_error error);
  void close();

  std::shared_ptr<storage_environment> environment_;
  node_directory directory_;
  directory_lock lock_;
  durability mode_;
  acknowledged_mark mark_;
  /// None between `open` and `read`.
  std::unique_ptr<rocksdb_database> database_;
  storage_ledger ledger_;
  /// The chunks in the database, needed or not yet, and their sizes.
  std::map<digest, std::uint64_t> chunks_;
  std::uint64_t chunk_bytes_ = 0;
  /// What the last forgetting left to remove.
  struct {
    /// From this change on …
    std::uint64_t changes = 0;
    /// … nothing below this order is needed.
    std::uint64_t before_order = 0;
  } droppable_;
  bool was_read_ = false;
  std::optional<world_error> failure_;
  /// In mode `async`. Ends before what it uses.
  std::unique_ptr<wal_syncer> syncer_;
};

}  // namespace hypermesh
