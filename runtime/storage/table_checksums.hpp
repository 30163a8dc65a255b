#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>

#include "actors/ports.hpp"

namespace hypermesh::storage {

/// Stores the checksum of each whole table file in a small file beside the database. RocksDB interprets parts of a
/// table before it has checked them, and in Debian's build it aborts the process at an impossible value. So every table
/// is checked before RocksDB opens it. Only source files include this file. RocksDB calls this class from its own
/// threads; its only state is the files.
///
/// A checksum is written after its table is complete and before the database uses the table. It is removed before a
/// table of that name is created again. The checksum is not synced, so a power failure may lose it. Such a table has
/// only RocksDB's own checks.
class table_checksums final : public rocksdb::EventListener {
 public:
  /// `environment` must outlive the database.
  table_checksums(rocksdb::Env& environment, std::filesystem::path folder);

  /// Compares every table that has a checksum with its checksum. The error names the first table that differs.
  [[nodiscard]] or_error<void> verify(const std::filesystem::path& database) const;

  /// Creates the folder and removes the checksums of tables that no longer exist.
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

}  // namespace hypermesh::storage
