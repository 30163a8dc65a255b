#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "actors/ports.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"

/// Finds the command that the arguments name. The product and the laboratory share this code.
namespace hypermesh::cli {

/// Returns an error if the words after the binary's name begin neither with a command of `app` nor with an option. The
/// error names a similar command if there is one.
[[nodiscard]] or_error<void> check_command(const CLI::App& app, std::span<const std::string> words);

/// Adds a line about exit codes to the help of each command that does not have its own.
void complete_footers(CLI::App& app);

/// The path of the subcommand that was being parsed when parsing failed, for a hint to its help.
[[nodiscard]] std::string command_path(const CLI::App& app);

/// Adds `help [COMMAND…]`, which puts its words into `words`, and --version.
CLI::App* add_help(CLI::App& app, std::vector<std::string>& words);

/// Prints the help of the command that `words` name, or of `app` without words.
[[nodiscard]] exit_code print_help(const CLI::App& app, const std::vector<std::string>& words);

/// Parses the command line. If it returns nothing, the caller runs the chosen command. Otherwise the program ends with
/// this exit code, because help or version was requested, or an error was reported.
[[nodiscard]] std::optional<exit_code> parse(CLI::App& app, int count, const char* const* words);

/// A leaf of the tree of commands, with its path: {"config", "check"}.
struct leaf_command {
  std::vector<std::string> path;
  const CLI::App* command = nullptr;
};

/// All commands that can be run directly.
[[nodiscard]] std::vector<leaf_command> leaf_commands(const CLI::App& app);

}  // namespace hypermesh::cli
