#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "runtime/keys.hpp"
#include "runtime/storage/storage_environment.hpp"

namespace hypermesh {

/// How far the storage has promised durability: a file beside the database that says how many changes are on the disk.
/// A database that comes back with fewer has lost some that others rely on. Without it, a flipped bit in the length
/// of the log's last record could not be told from a record that was never finished.
///
/// Two sectors are written in turn, so that a torn one leaves the other. `advance` costs one write into the page cache
/// and reaches the disk every `changes_per_sync` changes: the mark is exact after the process was killed, and at most
/// that much too low after the machine lost power. It is never too high, because it is written after what it counts.
/// For one thread at a time.
class acknowledged_mark {
 public:
  /// A power failure must coincide with damage to this many of the newest changes to go unnoticed. One more sync in
  /// 256 costs less than half a percent.
  static constexpr std::uint64_t changes_per_sync = 256;

  struct reading {
    std::uint64_t changes = 0;
    /// The storage was closed in order: the number is exact, and no log has a torn end.
    bool closed = false;
  };

  /// A new file for the database `origin` that says zero, durable. Replaces one of that name.
  [[nodiscard]] static std::optional<world_error> create(storage_environment& environment,
                                                         const std::filesystem::path& path, std::uint64_t origin);

  /// Opens the file; an error when neither sector can be read.
  [[nodiscard]] static or_error<acknowledged_mark> open(storage_environment& environment,
                                                        const std::filesystem::path& path);

  /// The database that the mark belongs to.
  [[nodiscard]] std::uint64_t origin() const { return origin_; }
  [[nodiscard]] const reading& last() const { return last_; }

  /// `changes` are durable.
  [[nodiscard]] std::optional<world_error> advance(std::uint64_t changes);

  /// Says so in both sectors, durably.
  [[nodiscard]] std::optional<world_error> settle(const reading& said);

 private:
  acknowledged_mark(std::filesystem::path path, std::unique_ptr<updatable_file> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  [[nodiscard]] std::optional<world_error> write_next(const reading& said);
  [[nodiscard]] std::optional<world_error> sync();

  std::filesystem::path path_;
  std::unique_ptr<updatable_file> file_;
  std::uint64_t origin_ = 0;
  reading last_;
  /// Number of the last writing; its lowest bit is the sector.
  std::uint64_t turn_ = 0;
  std::uint64_t synced_ = 0;
};

}  // namespace hypermesh
