#pragma once

#include <filesystem>
#include <vector>

#include "runtime/config_check.hpp"
#include "runtime/config_key.hpp"

namespace hypermesh::runtime {

/// The value of a key that a member uses, and the file and line that set the value.
struct effective_value {
  documented_key of;
  config_value value;
  /// The file in which the key would be set.
  std::filesystem::path file;
  /// The line of the key; 0 if the file does not have it and the value is the default.
  std::uint32_t line = 0;
};

/// The values of all keys of a configuration file. For a member's file, the values of its genesis file are included.
/// Paths appear as the program uses them. The error lists all problems of the files.
[[nodiscard]] or_error<std::vector<effective_value>> effective_values(const std::filesystem::path& file,
                                                                      config_kind kind);

}  // namespace hypermesh::runtime
