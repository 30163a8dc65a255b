#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "messages/types.hpp"
#include "runtime/base/keys.hpp"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace hypermesh::storage {

/// An open file of a fixed size that is written in place. The functions return an error number, or 0 for success.
class updatable_file {
 public:
  virtual ~updatable_file() = default;

  /// Writes all of `bytes` at this offset. The bytes are durable only after `sync`.
  [[nodiscard]] virtual int write_at(std::size_t at, byte_span bytes) = 0;
  [[nodiscard]] virtual int sync() = 0;
  /// Reads from the beginning until the file ends or `into` is full. `count` receives the number of bytes.
  [[nodiscard]] virtual int read(std::span<std::byte> into, std::size_t& count) = 0;
};

/// The files and threads that the durable storage uses. The product uses those of this machine. The simulator uses
/// files in memory and no threads, so the same storage runs in virtual time.
class storage_environment {
 public:
  virtual ~storage_environment() = default;

  /// The files and threads of RocksDB. The checksums of tables are kept in these files too. The result is valid as long
  /// as this object.
  [[nodiscard]] virtual rocksdb::Env& database() = 0;

  /// Writes a complete and durable file with this content, or changes nothing. Replaces an existing file of that name.
  [[nodiscard]] virtual or_error<void> make_file(const std::filesystem::path& path, std::string_view content) = 0;

  /// Opens a file for updates in place. Returns null when there is no file of this name.
  [[nodiscard]] virtual or_error<std::unique_ptr<updatable_file>> open_file(const std::filesystem::path& path) = 0;

  /// Whether the storage may start threads. If not, its owner calls `rocksdb_storage::sync_log`.
  [[nodiscard]] virtual bool has_threads() const = 0;
};

/// Makes an environment with the files and threads of this machine.
[[nodiscard]] std::shared_ptr<storage_environment> system_environment();

}  // namespace hypermesh::storage
