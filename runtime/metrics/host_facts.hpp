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

/// The disks by `disk_directory`.
using disk_facts_list = std::array<std::optional<disk_facts>, disk_directory_count>;

/// Facts about the process and its machine. A fact that the system does not tell is missing.
struct host_facts {
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::chrono::microseconds> processor_time;
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> open_files_max;
  std::optional<std::uint64_t> threads;
  disk_facts_list disks;
};

/// Asks the system about the process. The disks are left out, because a disk that hangs blocks the call for ever:
/// `disk_watch` examines them.
[[nodiscard]] host_facts read_host_facts();

/// Asks the system only for memory, threads and processor time of the process.
[[nodiscard]] host_facts read_process_facts();

/// Asks the system about the disk of a directory. The call does not return while the disk hangs.
[[nodiscard]] std::optional<disk_facts> read_disk_facts(const std::filesystem::path& directory);

}  // namespace hypermesh::metrics
