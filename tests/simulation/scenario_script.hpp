#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hypermesh::testing {

/// One line of a script: a command, named arguments "name=value", and the other words in order.
struct script_command {
  std::string name;
  std::map<std::string, std::string> named;
  std::vector<std::string> words;

  [[nodiscard]] bool has(const std::string& argument) const { return named.contains(argument); }
  /// The value of a named argument, or `otherwise`.
  [[nodiscard]] std::string text(const std::string& argument, std::string otherwise = {}) const;
  /// A number; throws `script_error` when it is none, or when it is missing and there is no `otherwise`.
  [[nodiscard]] std::uint64_t number(const std::string& argument, std::optional<std::uint64_t> otherwise = {}) const;
};

/// What a script's author did wrong.
struct script_error {
  std::string what;
};

[[nodiscard]] script_command parse_command(const std::string& line);

/// A number of microseconds from "150ms", "2s" or "20us".
[[nodiscard]] std::uint64_t parse_duration_us(const std::string& text);
[[nodiscard]] std::uint64_t parse_number(const std::string& text);
/// "1,2,3".
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

/// Runs the commands of one block and gives its output, lines that end in a line feed.
using block_runner = std::function<std::string(const std::vector<script_command>&)>;

/// A script is a list of blocks: commands, a line "----", the output that is expected, an empty line. Comments
/// begin with '#'. Returns the script with the output that `run` gives in place of the expected one, so that
/// a script that holds is returned unchanged.
[[nodiscard]] std::string run_script(const std::string& script, const block_runner& run);

}  // namespace hypermesh::testing
