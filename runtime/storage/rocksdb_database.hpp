#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/keys.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/storage_environment.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Iterator;
class Status;
}  // namespace rocksdb

namespace hypermesh::storage {

/// The column families of the database. Each has its own files. All column families except the chunks share one
/// write-ahead log.
enum class column : std::uint8_t {
  /// The totals, the manifest of the kept state, and the newest record of each kind that `is_replaced`.
  ledger,
  /// All other records, by their order. In a separate column family their tables do not overlap, so the tables are
  /// never merged, and old tables are removed whole.
  records,
  /// The chunks, by their leaves. They are written without the log, because a chunk counts only once a manifest names
  /// it, and the column family is flushed before the manifest is written.
  chunks,
};
inline constexpr auto column_last = column::chunks;
inline constexpr std::size_t column_count = static_cast<std::size_t>(column_last) + 1;

/// The purpose for which a database is opened.
enum class open_mode {
  /// Creates a new database. Completes a creation that was interrupted.
  create,
  /// For reading only: nothing on the disk changes. An incomplete last write is ignored, because it was never
  /// acknowledged. All other damage is an error.
  examine,
  /// Like `examine`, for a database that was closed cleanly. Such a database has no incomplete write.
  examine_closed,
  /// For reading and writing. Use this only after `examine` found the database sound, because opening removes files
  /// that RocksDB does not need any more.
  serve,
};

/// An open RocksDB with the options of this project. RocksDB's own log is not written; its last warning becomes a part
/// of the error. Memory: write buffers of 18 MiB at most, 4 MiB of block cache, and the indexes of the open files.
class rocksdb_database {
 public:
  [[nodiscard]] static or_error<std::unique_ptr<rocksdb_database>> open(const node_directory& directory, open_mode mode,
                                                                        storage_environment& environment);
  ~rocksdb_database();
  rocksdb_database(const rocksdb_database&) = delete;
  rocksdb_database& operator=(const rocksdb_database&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] rocksdb::DB& content() { return *content_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* of(column which) { return columns_.at(static_cast<std::size_t>(which)); }

  /// A cursor over a whole column family. It checks the checksum of every block it reads.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> scan(column which);

  /// The error "cannot ACTION in PATH: …" with a suitable remedy.
  [[nodiscard]] tl::unexpected<world_error> error_of(std::string_view action, const rocksdb::Status& status) const;

 private:
  class warning_keeper;

  explicit rocksdb_database(std::filesystem::path path);

  std::filesystem::path path_;
  std::shared_ptr<warning_keeper> warnings_;
  std::unique_ptr<rocksdb::DB> content_;
  std::array<rocksdb::ColumnFamilyHandle*, column_count> columns_{};
};

}  // namespace hypermesh::storage
