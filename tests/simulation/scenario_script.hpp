#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "messages/time.hpp"

namespace hypermesh::testing {

/// One line of a script: a command, named arguments "name=value", and the other words in order.
struct script_command {
  std::string name;
  std::map<std::string, std::string> named;
  std::vector<std::string> words;

  [[nodiscard]] bool has(const std::string& argument) const { return named.contains(argument); }
  /// The value of a named argument, or `otherwise`.
  [[nodiscard]] std::string text(const std::string& argument, std::string otherwise = {}) const;
  /// The number in a named argument. Throws `script_error` when it is not a number, or when it is missing without
  /// `otherwise`.
  [[nodiscard]] std::uint64_t number(const std::string& argument, std::optional<std::uint64_t> otherwise = {}) const;
};

/// A mistake of the author of a script.
struct script_error {
  std::string what;
};

[[nodiscard]] script_command parse_command(const std::string& line);

/// Reads a duration such as "150ms", "2s" or "20us".
[[nodiscard]] duration parse_duration(const std::string& text);
[[nodiscard]] std::uint64_t parse_number(const std::string& text);
/// Splits for example "1,2,3" into its parts.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

/// Runs the commands of one block and returns its output: lines that each end in a line feed.
using block_runner = std::function<std::string(const std::vector<script_command>&)>;

/// Runs a script. A script is a list of blocks: commands, a line "----", the expected output, an empty line. Comments
/// begin with '#'. Returns the script with the output of `run` in the place of the expected output. So a script whose
/// expectations are met is returned unchanged.
[[nodiscard]] std::string run_script(const std::string& script, const block_runner& run);

}  // namespace hypermesh::testing
