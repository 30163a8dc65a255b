#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "runtime/base/keys.hpp"
#include "runtime/storage/storage_environment.hpp"

namespace hypermesh::storage {

/// The number of changes whose durability the storage has acknowledged, in a file beside the database. If a database
/// comes back with fewer changes, it has lost changes on which others rely. Without the mark, a flipped bit in the
/// length of the log's last record would look like a record that was never finished.
///
/// Two sectors are written in turn, so a torn write leaves the other sector intact. Each `advance` writes into the page
/// cache, and one in `changes_per_sync` changes also syncs the file. So the mark is exact after the process was killed,
/// and at most that many changes too low after the machine lost power. The mark is never too high, because it is
/// written after the changes that it counts. For one thread at a time.
class acknowledged_mark {
 public:
  /// Damage to this many of the newest changes can go unnoticed, but only after a power failure. One additional sync
  /// for 256 changes costs less than half a percent.
  static constexpr std::uint64_t changes_per_sync = 256;

  struct reading {
    std::uint64_t changes = 0;
    /// The storage was closed cleanly. So the number is exact, and no log has a torn end.
    bool closed = false;
  };

  /// Creates a durable file for the database `origin` with zero changes. Replaces an existing file of that name.
  [[nodiscard]] static or_error<void> create(storage_environment& environment, const std::filesystem::path& path,
                                             std::uint64_t origin);

  /// Opens the file. It is an error if the file is missing or short, or if neither sector can be read.
  [[nodiscard]] static or_error<acknowledged_mark> open(storage_environment& environment,
                                                        const std::filesystem::path& path);

  /// The origin of the database that the mark belongs to.
  [[nodiscard]] std::uint64_t origin() const { return origin_; }
  [[nodiscard]] const reading& last() const { return last_; }

  /// Records that `changes` changes are durable.
  [[nodiscard]] or_error<void> advance(std::uint64_t changes);

  /// Writes `said` into both sectors and syncs each sector.
  [[nodiscard]] or_error<void> settle(const reading& said);

 private:
  acknowledged_mark(std::filesystem::path path, std::unique_ptr<updatable_file> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  [[nodiscard]] or_error<void> write_next(const reading& said);
  [[nodiscard]] or_error<void> sync();

  std::filesystem::path path_;
  std::unique_ptr<updatable_file> file_;
  std::uint64_t origin_ = 0;
  reading last_;
  /// The number of the last write. Its lowest bit selects the sector.
  std::uint64_t turn_ = 0;
  std::uint64_t synced_ = 0;
};

}  // namespace hypermesh::storage
