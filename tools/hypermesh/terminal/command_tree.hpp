#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

/// The commands and options of a binary as values. Manual pages and completion are made from them, so they say what the
/// help says.
namespace hypermesh::cli {

/// An option, or a positional argument.
struct option_entry {
  /// {"-o", "--output"} of an option; the name alone of a positional argument: {"FILE"}.
  std::vector<std::string> names;
  /// The kind of the value as the help shows it, for example "FILE"; empty for a flag and for a positional argument.
  std::string value;
  /// The words of which the value is one; empty for other values.
  std::vector<std::string> words;
  std::string about;
  /// The default as the help shows it; empty if there is none.
  std::string default_value;
  bool takes_value = false;
  bool is_required = false;
  bool is_repeated = false;

  /// Whether the value is the path of a file or of a folder.
  [[nodiscard]] bool is_path() const;
};

/// The binary itself, or one of its commands.
struct command_entry {
  /// {"config", "check"}; empty for the binary.
  std::vector<std::string> path;
  std::string about;
  /// Examples and remarks, which the help shows below the options.
  std::string footer;
  std::vector<option_entry> positionals;
  std::vector<option_entry> options;
  std::vector<command_entry> commands;

  /// "config check"; empty for the binary.
  [[nodiscard]] std::string path_text() const;
};

/// The tree of `app`. Leaves out what the help leaves out: options and commands without a group.
[[nodiscard]] command_entry tree_of(const CLI::App& app);

/// `root` and all commands below it, each before the commands that it contains.
[[nodiscard]] std::vector<const command_entry*> all_entries(const command_entry& root);

}  // namespace hypermesh::cli
