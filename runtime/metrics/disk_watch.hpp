#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "runtime/metrics/host_facts.hpp"

namespace hypermesh::metrics {

/// The directories whose disks are examined, by `disk_directory`. An empty path is left out.
using disk_directories = std::array<std::filesystem::path, disk_directory_count>;

/// Knows the disks of a node. A thread for each directory examines its disk once a second. The call to the system never
/// returns while the disk hangs, so nobody waits for these threads: each owns what it uses, and ends by itself once the
/// watch is gone and the disk has answered. Thread-safe.
///
/// Memory: one entry for each directory. A thread whose disk hangs keeps its entry until the process ends.
class disk_watch {
 public:
  using clock = std::chrono::steady_clock;
  using examination = std::function<std::optional<disk_facts>(const std::filesystem::path&)>;

  /// Facts that are older are not reported, because the disk hangs. Ten examinations may be late.
  static constexpr std::chrono::seconds age_max{10};

  /// Without a free thread, a disk is not examined and its facts stay missing. `examine` may block and may throw.
  explicit disk_watch(const disk_directories& directories, const examination& examine = read_disk_facts);

  /// Ends the threads without waiting for them.
  ~disk_watch();
  disk_watch(const disk_watch&) = delete;
  disk_watch& operator=(const disk_watch&) = delete;

  /// The last facts. A disk that was not examined yet, cannot be examined or hangs has none. Never blocks.
  [[nodiscard]] disk_facts_list facts(clock::time_point now = clock::now()) const;

 private:
  struct watched;

  std::array<std::shared_ptr<watched>, disk_directory_count> disks_;
};

}  // namespace hypermesh::metrics
