#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// What of the write in which a node crashed is on its disk.
enum class write_fate : std::uint8_t {
  lost,
  kept,
  /// The first part of it.
  torn,
};

/// What a disk does wrong without hiding it.
enum class disk_trouble : std::uint8_t {
  none,
  /// Each write fails.
  write_errors,
  /// Writes succeed, but none becomes durable.
  sync_errors,
  /// There is no space for what comes.
  full,
};

/// The storage port over a disk that a test can look into, break, and keep when the node that writes it ends.
class inspected_storage : public stable_storage {
 public:
  /// Asked in each change how many of so many parts of it become durable, the first ones; the change fails unless all
  /// do. What a part is, is the implementation's matter; a change has at least one.
  using write_judge = std::function<std::size_t(std::size_t parts)>;
  virtual void on_write(write_judge how_many) = 0;

  /// The process that had the storage open was killed, or its machine lost power, which also loses what was written
  /// but not synced. After this `read` may be called again.
  virtual void on_killed(bool power_lost) = 0;

  /// From now on the disk says of its last `count` changes too early that they are durable; 0: of none.
  virtual void lie_about(std::size_t count) = 0;
  /// The power is gone: what the disk lied about is lost. How many changes.
  virtual std::size_t lose_lies() = 0;

  /// From now on the disk is in this trouble.
  virtual void set_trouble(disk_trouble trouble) = 0;
  /// Some bytes of the disk change, while nobody has it open. False when this disk has no bytes.
  virtual bool damage(std::uint64_t seed) = 0;
  /// Whether `read` refused the last time because bytes had changed.
  [[nodiscard]] virtual bool was_refused_for_damage() const = 0;

  /// A disk with the same on it, which keeps what it is given.
  [[nodiscard]] virtual std::shared_ptr<inspected_storage> copy() const = 0;

  /// Whether the record is durable, or was and binds nobody any more: a state that is kept covers it, or one of its
  /// kind for a later view replaced it. What waits for the disk leaves after all that is written with it.
  [[nodiscard]] virtual bool binds(const storage_record& record) const = 0;
  [[nodiscard]] virtual std::size_t records_held() const = 0;

  /// What is on it in few words: equal for equal histories.
  [[nodiscard]] virtual std::string summary() const = 0;
};

}  // namespace hypermesh::testing
