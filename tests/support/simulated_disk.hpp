#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/inspected_storage.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// The outcome of an operation on a simulated disk.
enum class disk_outcome : std::uint8_t { done, missing, failed, no_space };

/// Files in memory that behave like the files of a journaling file system when a process or a machine ends. Written
/// bytes survive the end of the process. In a power failure, each file keeps its synced bytes and a part of the other
/// bytes that the seed chooses: a prefix of the appended bytes, and any of the overwritten sectors. Changes of names
/// keep their order: a prefix of the changes since the last sync of a folder survives. All folders share one journal.
/// Everything follows from the seed and from the order of calls. Memory: the files, and one old sector for each sector
/// that was overwritten and not synced.
class simulated_disk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  /// The content of a file, shared by its names and its open handles.
  struct content {
    std::string bytes;
    /// The number of bytes at the beginning of the file that survive a power failure.
    std::size_t synced = 0;
    /// Sectors below `synced` that were overwritten after the sync: the number of the change, and the old bytes.
    struct old_sector {
      std::uint64_t change = 0;
      std::string bytes;
    };
    std::map<std::size_t, old_sector> overwritten;
  };
  using file = std::shared_ptr<content>;

  explicit simulated_disk(std::uint64_t seed) : chance_(seed) {}
  /// A disk with the same files under another seed. The copy has no trouble.
  [[nodiscard]] std::unique_ptr<simulated_disk> copy(std::uint64_t seed) const;

  // The functions that a program calls.
  [[nodiscard]] disk_outcome create(const std::string& path, file& out);
  [[nodiscard]] disk_outcome open(const std::string& path, file& out) const;
  [[nodiscard]] disk_outcome append(content& into, std::string_view bytes);
  [[nodiscard]] disk_outcome overwrite(content& into, std::size_t at, std::string_view bytes);
  [[nodiscard]] disk_outcome truncate(content& into, std::size_t size);
  [[nodiscard]] disk_outcome sync(const file& synced);
  [[nodiscard]] disk_outcome rename(const std::string& from, const std::string& to);
  [[nodiscard]] disk_outcome link(const std::string& from, const std::string& to);
  [[nodiscard]] disk_outcome remove(const std::string& path);
  [[nodiscard]] disk_outcome sync_names();
  /// Copies up to `size` bytes from the offset `at` to `out`. `out` has as many bytes as were read.
  [[nodiscard]] disk_outcome read(const content& from, std::size_t at, std::size_t size, char* out,
                                  std::size_t& count) const;
  [[nodiscard]] disk_outcome size_of(const std::string& path, std::uint64_t& out) const;
  /// The names of files and folders directly in `folder`.
  [[nodiscard]] std::vector<std::string> list(const std::string& folder) const;
  [[nodiscard]] bool exists(const std::string& path) const;

  // Faults of the disk.
  /// The process that uses the disk is killed after it has written `bytes` more bytes. From then on every operation
  /// fails.
  void kill_after(std::uint64_t bytes);
  void kill() { kill_after(0); }
  [[nodiscard]] bool is_killed() const;
  /// Another process may use the disk now. The content of the disk is unchanged.
  void revive();
  /// The machine loses power and then has power again.
  void lose_power();
  /// See `inspected_storage`.
  void set_trouble(disk_trouble trouble);
  void delay_syncs(std::size_t count);
  std::size_t lose_delayed_syncs();
  /// Changes one to eight bytes of one file. Returns false when all files are empty.
  bool damage(std::uint64_t seed);

  /// Path, size and synced size of each file. Equal histories give equal summaries.
  [[nodiscard]] std::string summary() const;

 private:
  using names = std::map<std::string, file>;
  /// The old names and files that undo one change of the names.
  using undo = std::vector<std::pair<std::string, file>>;

  [[nodiscard]] disk_outcome name_anew(const std::string& from, const std::string& to, bool moved);
  void put_name(undo& steps, const std::string& path, file what);
  void change_names(undo steps) { unsynced_names_.push_back(std::move(steps)); }
  /// Must be called first in every mutation. `allowed` receives the number of bytes of `bytes` that may still be
  /// written.
  [[nodiscard]] disk_outcome begin(std::size_t bytes, std::size_t& allowed);
  void become_durable(std::function<void()> what);
  void lose_power(content& of);

  mutable std::mutex guard_;
  splitmix64 chance_;
  names files_;
  /// The changes of names that are not synced, in their order.
  std::deque<undo> unsynced_names_;
  /// The number of changes of names that are synced. It is also the number of the first change that is not synced.
  std::uint64_t synced_names_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t left_ = never;
  bool killed_ = false;
  disk_trouble trouble_ = disk_trouble::none;
  /// Syncs that the disk reported as done too early.
  std::deque<std::function<void()>> delayed_;
  /// The number of delayed syncs that a power failure has lost.
  std::size_t lost_syncs_ = 0;
  std::size_t delayed_max_ = 0;

  static constexpr std::uint64_t never = ~0ULL;
};

}  // namespace hypermesh::testing
