#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "messages/types.hpp"
#include "runtime/keys.hpp"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace hypermesh {

/// An open file of a fixed size that is written in place. Numbers are those of `errno`; 0: done.
class updatable_file {
 public:
  virtual ~updatable_file() = default;

  /// Writes all of `bytes` from this offset on; not durable before `sync`.
  [[nodiscard]] virtual int write_at(std::size_t at, byte_span bytes) = 0;
  [[nodiscard]] virtual int sync() = 0;
  /// The first bytes of the file, as many as it has and `into` holds.
  [[nodiscard]] virtual int read(std::span<std::byte> into, std::size_t& count) = 0;
};

/// What the durable storage stands on: files and threads. The product has those of this machine; the simulator brings
/// files in memory and no threads, so that the same storage runs in virtual time.
class storage_environment {
 public:
  virtual ~storage_environment() = default;

  /// Where RocksDB has its files and threads; lives as long as this object. The checksums of tables are there too.
  [[nodiscard]] virtual rocksdb::Env& database() = 0;

  /// A file with this content appears under `path`, complete and durable, or nothing changes. Replaces one of that
  /// name.
  [[nodiscard]] virtual std::optional<world_error> make_file(const std::filesystem::path& path,
                                                             std::string_view content) = 0;

  /// Opens a file for updates in place; null when there is none of this name.
  [[nodiscard]] virtual or_error<std::unique_ptr<updatable_file>> open_file(const std::filesystem::path& path) = 0;

  /// Whether the storage may start threads of its own. If not, whoever runs it calls `rocksdb_storage::sync_log`.
  [[nodiscard]] virtual bool has_threads() const = 0;
};

/// Files and threads of this machine.
[[nodiscard]] std::shared_ptr<storage_environment> system_environment();

}  // namespace hypermesh
