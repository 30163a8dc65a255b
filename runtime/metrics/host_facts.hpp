#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "messages/layers.hpp"
#include "runtime/metrics/metric_table.hpp"

namespace hypermesh::metrics {

/// The disk of a directory.
struct disk_facts {
  /// Bytes that a process without privileges may still write.
  std::uint64_t free_bytes = 0;
  std::uint64_t size_bytes = 0;
};

/// Facts about the process and its machine. A fact that the system does not tell is missing.
struct host_facts {
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::chrono::microseconds> processor_time;
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> open_files_max;
  std::optional<std::uint64_t> threads;
  std::array<std::optional<disk_facts>, disk_directory_count> disks;
};

/// The directories whose disks are examined, by `disk_directory`. An empty path is left out.
using disk_directories = std::array<std::filesystem::path, disk_directory_count>;

/// Asks the system. A disk that hangs blocks the call, so no actor calls it.
[[nodiscard]] host_facts read_host_facts(const disk_directories& directories);

}  // namespace hypermesh::metrics
