#pragma once

#include <filesystem>
#include <vector>

#include "runtime/config_check.hpp"
#include "runtime/config_key.hpp"

namespace hypermesh {

/// The value of a key that a member runs with, and the place that it comes from.
struct effective_value {
  documented_key of;
  config_value value;
  /// The file that would hold the key.
  std::filesystem::path file;
  /// The line of the key; 0 if the file does not have it and the value is the default.
  std::uint32_t line = 0;
};

/// The values of all keys of a configuration file, and for a member's file those of the genesis that it names. Paths
/// are as the program uses them. The error has all problems of the files.
[[nodiscard]] or_error<std::vector<effective_value>> effective_values(const std::filesystem::path& file,
                                                                      config_kind kind);

}  // namespace hypermesh
