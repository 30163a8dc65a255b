#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "actors/ports.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"

/// How a binary finds the command that its arguments name. The same for the product and the laboratory.
namespace hypermesh::cli {

/// An error if the words after the binary's name begin neither with a command of `app` nor with an option; it names a
/// similar command if there is one.
[[nodiscard]] or_error<void> check_command(const CLI::App& app, std::span<const std::string> words);

/// The subcommand that was being read when parsing failed, for a hint to its help.
[[nodiscard]] std::string command_path(const CLI::App& app);

/// Adds `help [COMMAND…]`, which puts its words into `words`, and --version.
CLI::App* add_help(CLI::App& app, std::vector<std::string>& words);

/// Prints the help of the command that `words` name, or of `app` without words.
[[nodiscard]] exit_code print_help(const CLI::App& app, const std::vector<std::string>& words);

/// Parses the command line. Nothing: run the chosen command. Otherwise the program ends with this exit code, because
/// help or version was asked for, or an error was reported.
[[nodiscard]] std::optional<exit_code> parse(CLI::App& app, int count, const char* const* words);

/// A leaf of the tree of commands, with its path: {"config", "check"}.
struct leaf_command {
  std::vector<std::string> path;
  const CLI::App* command = nullptr;
};

/// All commands that can be run themselves.
[[nodiscard]] std::vector<leaf_command> leaf_commands(const CLI::App& app);

}  // namespace hypermesh::cli
