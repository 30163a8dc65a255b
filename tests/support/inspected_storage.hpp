#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// The part of a write that is on the disk after the node crashed during the write.
enum class write_fate : std::uint8_t {
  lost,
  kept,
  /// Only the first part of the write.
  torn,
};

/// An error that a disk reports.
enum class disk_trouble : std::uint8_t {
  none,
  /// Each write fails.
  write_errors,
  /// Writes succeed, but none becomes durable.
  sync_errors,
  /// There is no space for further writes.
  full,
};

/// The storage port over a disk that a test can inspect and damage. The disk remains when the node that writes it ends.
class inspected_storage : public stable_storage {
 public:
  /// Decides for each change how many of its parts become durable, counted from the first part. The change fails unless
  /// all of them do. The implementation defines a part; a change has at least one part.
  using write_judge = std::function<std::size_t(std::size_t parts)>;
  virtual void on_write(write_judge how_many) = 0;

  /// The process that had the storage open was killed, or its machine lost power. A loss of power also loses unsynced
  /// writes. After this call, `read` may be called again.
  virtual void on_killed(bool power_lost) = 0;

  /// From now on the disk reports its last `count` changes as durable too early. With 0, all reports are true.
  virtual void lie_about(std::size_t count) = 0;
  /// The power fails. Changes that were falsely reported as durable are lost; returns their number.
  virtual std::size_t lose_lies() = 0;

  /// From now on the disk has this trouble.
  virtual void set_trouble(disk_trouble trouble) = 0;
  /// Some bytes of the disk change while it is closed. Returns false if this disk has no bytes.
  virtual bool damage(std::uint64_t seed) = 0;
  /// Whether the last call of `read` refused the disk because bytes had changed.
  [[nodiscard]] virtual bool was_refused_for_damage() const = 0;

  /// A separate disk with the same content.
  [[nodiscard]] virtual std::shared_ptr<inspected_storage> copy() const = 0;

  /// Whether the record is durable, or was durable and is obsolete because a stored state covers it or a record of its
  /// kind for a later view replaced it. Frames that wait for the disk leave after all records that are written with
  /// them.
  [[nodiscard]] virtual bool binds(const storage_record& record) const = 0;
  [[nodiscard]] virtual std::size_t records_held() const = 0;

  /// A short summary of the disk's content. Equal histories give equal summaries.
  [[nodiscard]] virtual std::string summary() const = 0;
};

}  // namespace hypermesh::testing
