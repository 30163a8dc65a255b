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

/// How an operation on a simulated disk ended.
enum class disk_outcome : std::uint8_t { done, missing, failed, no_space };

/// Files in memory that behave like those of a journaling file system when a process or a machine ends. Written bytes
/// survive the process. In a power failure each file keeps its synced bytes and a part of the rest that the seed
/// chooses (a prefix of the appended bytes, any of the overwritten sectors), and names keep their order: a prefix of
/// the changes since the last sync of a folder survives. All folders share one journal. Everything follows from the
/// seed and from the order of calls. Memory: the files, and one old sector for each that was overwritten and not
/// synced.
class simulated_disk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  /// Content of a file, shared by its names and its open handles.
  struct content {
    std::string bytes;
    /// So many of the first bytes survive a loss of power.
    std::size_t synced = 0;
    /// Sectors below `synced` that were overwritten since: the number of the change, and the bytes before it.
    struct old_sector {
      std::uint64_t change = 0;
      std::string bytes;
    };
    std::map<std::size_t, old_sector> overwritten;
  };
  using file = std::shared_ptr<content>;

  explicit simulated_disk(std::uint64_t seed) : chance_(seed) {}
  /// The same files with the same prospects, without trouble, under another seed.
  [[nodiscard]] std::unique_ptr<simulated_disk> copy(std::uint64_t seed) const;

  // Calls of a program.
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
  /// Up to `size` bytes from `at`, copied to `out`; how many.
  [[nodiscard]] disk_outcome read(const content& from, std::size_t at, std::size_t size, char* out,
                                  std::size_t& count) const;
  [[nodiscard]] disk_outcome size_of(const std::string& path, std::uint64_t& out) const;
  /// Names of files and folders directly in `folder`.
  [[nodiscard]] std::vector<std::string> list(const std::string& folder) const;
  [[nodiscard]] bool exists(const std::string& path) const;

  // Faults of the disk.
  /// The process that uses the disk is killed after so many more bytes, inside the operation that would go beyond: from
  /// then on every operation fails.
  void kill_after(std::uint64_t bytes);
  void kill() { kill_after(0); }
  [[nodiscard]] bool is_killed() const;
  /// Another process may use the disk, which has forgotten nothing.
  void revive();
  /// The machine lost power, and has it again.
  void lose_power();
  /// See `inspected_storage`.
  void set_trouble(disk_trouble trouble);
  void delay_syncs(std::size_t count);
  std::size_t lose_delayed_syncs();
  /// One to eight bytes of one file change. False when all files are empty.
  bool damage(std::uint64_t seed);

  /// Path, size and synced size of each file: equal for equal histories.
  [[nodiscard]] std::string summary() const;

 private:
  using names = std::map<std::string, file>;
  /// The undo step of one change of the names.
  using undo = std::vector<std::pair<std::string, file>>;

  [[nodiscard]] disk_outcome name_anew(const std::string& from, const std::string& to, bool moved);
  void put_name(undo& steps, const std::string& path, file what);
  void change_names(undo steps) { unsynced_names_.push_back(std::move(steps)); }
  /// What a mutation does first: what is left of `bytes` that it may still write.
  [[nodiscard]] disk_outcome begin(std::size_t bytes, std::size_t& allowed);
  void become_durable(std::function<void()> what);
  void lose_power(content& of);

  mutable std::mutex guard_;
  splitmix64 chance_;
  names files_;
  /// In the order in which they were made.
  std::deque<undo> unsynced_names_;
  /// Of the names that are synced already: the number of the first that is not.
  std::uint64_t synced_names_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t left_ = never;
  bool killed_ = false;
  disk_trouble trouble_ = disk_trouble::none;
  /// Syncs that the disk reported as done.
  std::deque<std::function<void()>> delayed_;
  /// Those that went with the power.
  std::size_t lost_syncs_ = 0;
  std::size_t delayed_max_ = 0;

  static constexpr std::uint64_t never = ~0ULL;
};

}  // namespace hypermesh::testing
