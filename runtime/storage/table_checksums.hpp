#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>

#include "actors/ports.hpp"

namespace hypermesh {

/// The checksum of each whole table file, in a small file beside the database. RocksDB interprets parts of a table
/// before it has checked them, and in Debian's build it aborts the process at an impossible value. So every table is
/// checked before RocksDB opens it. Included by sources only. RocksDB calls this class from its own threads; it has no
/// state but the files.
///
/// A checksum is written after its table is complete and before the database uses the table. It is removed before a
/// table of that name is made again. It is not synced: a table that lost its checksum in a power failure has RocksDB's
/// own checks only.
class table_checksums final : public rocksdb::EventListener {
 public:
  /// `environment` outlives the database.
  table_checksums(rocksdb::Env& environment, std::filesystem::path folder);

  /// Compares every table of the database that has a checksum; the error names the first that differs.
  [[nodiscard]] or_error<void> verify(const std::filesystem::path& database) const;

  /// Makes the folder and removes the checksums of tables that are gone.
  [[nodiscard]] or_error<void> tidy(const std::filesystem::path& database) const;

  void OnTableFileCreationStarted(const rocksdb::TableFileCreationBriefInfo& info) override;
  void OnTableFileCreated(const rocksdb::TableFileCreationInfo& info) override;
  void OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& info) override;

 private:
  [[nodiscard]] std::filesystem::path file_for(const std::filesystem::path& table) const;
  void forget(const std::filesystem::path& table) const;

  std::shared_ptr<rocksdb::FileSystem> files_;
  std::filesystem::path folder_;
};

}  // namespace hypermesh
