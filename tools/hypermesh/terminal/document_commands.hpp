#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"

/// The commands that print documents of a binary for its installation: `completion` and `man`. The product and the
/// laboratory share this code.
namespace hypermesh::cli {

/// Adds `completion SHELL`, which puts the name of the shell into `shell`.
CLI::App* add_completion(CLI::App& app, std::string& shell);

/// Prints the completion of all commands of `app` for this shell.
[[nodiscard]] exit_code print_completion(const CLI::App& app, const std::string& shell);

/// Adds `man PAGE`, which puts the name of one of these pages into `page`.
CLI::App* add_man(CLI::App& app, std::string& page, const std::vector<std::string>& pages);

}  // namespace hypermesh::cli
