#pragma once

#include <filesystem>
#include <vector>

#include "runtime/node_config.hpp"

/// Finds problems of a member's configuration before the member starts: in the file itself, and in the files, folders
/// and addresses that the file names. Changes nothing.
namespace hypermesh::runtime {

enum class config_kind { genesis, node, client };

/// The kind of a configuration file, recognized by its keys; nothing when the file cannot be read.
[[nodiscard]] std::optional<config_kind> kind_of_config(const std::filesystem::path& file);

/// All problems of the file and of the files, folders and addresses that it names; empty when there is none. A check
/// that needs an unreadable part is left out. Example: without a readable genesis the owner of a key is not checked.
[[nodiscard]] std::vector<world_error> problems_of(const std::filesystem::path& file, config_kind kind);

/// Returns `error`, which is about the node's data directory. If the directory is absent and the audit trail shows that
/// this replica has run before, the function adds this to the error. In that case a disk is lost or not mounted, and
/// the replica is not new.
[[nodiscard]] world_error with_trail_hint(world_error error, const node_config& config);

}  // namespace hypermesh::runtime
