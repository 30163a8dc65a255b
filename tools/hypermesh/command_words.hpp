#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "tools/hypermesh/command.hpp"

/// How a binary finds the command that its words name; the same for the product and the laboratory.
namespace hypermesh::cli {

/// Why the words behind the binary's name begin with no command of `app`, and which one is meant, if one is like it.
/// Nothing when they do, or begin with an option.
[[nodiscard]] std::optional<world_error> objection_to_command(const CLI::App& app, std::span<const std::string> words);

/// The subcommand that was being read when parsing failed, for a pointer to its help.
[[nodiscard]] std::string command_path(const CLI::App& app);

/// Adds `help [COMMAND…]`, which puts its words into `words`, and --version.
CLI::App* add_help(CLI::App& app, std::vector<std::string>& words);

/// Prints the help of the command that `words` name; of `app` when there are none.
[[nodiscard]] exit_code print_help(const CLI::App& app, const std::vector<std::string>& words);

/// Parses. Nothing: run what was chosen; else the program is done with this exit code, because help or version was
/// asked for, or something is wrong and was said.
[[nodiscard]] std::optional<exit_code> parse(CLI::App& app, int count, const char* const* words);

/// A leaf of the tree of commands, with its path: {"config", "check"}.
struct leaf_command {
  std::vector<std::string> path;
  const CLI::App* command = nullptr;
};

/// All commands that do something by themselves.
[[nodiscard]] std::vector<leaf_command> leaf_commands(const CLI::App& app);

}  // namespace hypermesh::cli
