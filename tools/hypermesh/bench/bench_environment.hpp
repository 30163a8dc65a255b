#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace hypermesh::cli {

/// The facts of a machine without which figures cannot be compared. A fact that the system does not tell is empty.
struct bench_environment {
  std::string version;
  /// The time of the run, in UTC.
  std::string time;
  std::string processor;
  std::uint32_t cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel;
  /// The file system of the replicas' data, and the median time until 4 KiB are on its disk, in microseconds. Nothing
  /// in a run that joins a cluster.
  std::string file_system;
  std::optional<double> disk_sync_us;
};

/// Reads the facts. `data` is the folder of the replicas' data; empty if another machine may have it. Measures the disk
/// there for some milliseconds.
[[nodiscard]] bench_environment read_environment(const std::filesystem::path& data);

}  // namespace hypermesh::cli
