#pragma once

#include "tools/hypermesh/commands/command.hpp"

namespace hypermesh::cli {

/// The command line of the product, with all commands and their options.
class command_line {
 public:
  command_line();

  /// Parses the arguments of `main` and runs the command that they name.
  [[nodiscard]] exit_code run(int count, const char* const* words);

  [[nodiscard]] const CLI::App& app() const { return app_; }

 private:
  CLI::App app_;
  chosen_command chosen_;
  std::vector<std::string> help_words_;
  /// The shell of `completion`, or the page of `man`.
  std::string document_;
};

}  // namespace hypermesh::cli
