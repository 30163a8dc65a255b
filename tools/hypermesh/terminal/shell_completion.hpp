#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/hypermesh/terminal/command_tree.hpp"

/// Scripts with which a shell completes the words of a binary: commands, options, the words of an option, and paths.
/// Pure.
///
/// The scripts contain the whole tree and never run the binary, so completion is fast and needs no cluster. Each script
/// first finds the command that the typed words name. Then the word before the cursor decides: after an option with a
/// value it offers values, otherwise it offers commands, options and paths.
namespace hypermesh::cli {

enum class shell_kind { bash, zsh, fish };

/// Nothing for a shell without a script.
[[nodiscard]] std::optional<shell_kind> shell_of(std::string_view name);

[[nodiscard]] std::string completion_for(shell_kind shell, std::string_view binary, const command_entry& root);

}  // namespace hypermesh::cli
