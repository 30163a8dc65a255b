#pragma once

#include <filesystem>
#include <optional>

namespace hypermesh::testing {

inline constexpr const char* nodes_file_name = "openb_node_list_all_node.csv";
inline constexpr const char* pods_file_name = "openb_pod_list_default.csv";

/// The folder of the trace beside the repository, found from any working directory inside of the repository. The trace
/// is not part of the repository.
inline std::optional<std::filesystem::path> trace_folder() {
  std::error_code unknown;
  for (auto start = std::filesystem::current_path(unknown); !start.empty(); start = start.parent_path()) {
    const auto folder = start.parent_path() / "shared" / "data";
    if (std::filesystem::exists(folder / nodes_file_name, unknown) &&
        std::filesystem::exists(folder / pods_file_name, unknown)) {
      return folder;
    }
    if (start == start.parent_path()) break;
  }
  return std::nullopt;
}

}  // namespace hypermesh::testing
