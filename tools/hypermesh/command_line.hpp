#pragma once

#include "tools/hypermesh/command.hpp"

namespace hypermesh::cli {

/// The command line of the product: all commands with their options.
class command_line {
 public:
  command_line();

  /// Reads the words of `main` and runs what they mean.
  [[nodiscard]] exit_code run(int count, const char* const* words);

  [[nodiscard]] const CLI::App& app() const { return app_; }

 private:
  CLI::App app_;
  chosen_command chosen_;
  std::vector<std::string> help_words_;
};

}  // namespace hypermesh::cli
