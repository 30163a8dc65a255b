#pragma once

#include <filesystem>
#include <vector>

#include "runtime/node_config.hpp"

/// What can be seen to be wrong in a member's configuration before it starts: in the file, and in the files, folders
/// and addresses that it names. Changes nothing.
namespace hypermesh {

enum class config_kind { genesis, node, client };

/// What the keys of a file make it; nothing when it cannot be read.
[[nodiscard]] std::optional<config_kind> kind_of_config(const std::filesystem::path& file);

/// Everything that is wrong with the file and what it names; empty when nothing is. What depends on something that is
/// wrong, like the owner of a key when the genesis cannot be read, is left out.
[[nodiscard]] std::vector<world_error> problems_of(const std::filesystem::path& file, config_kind kind);

/// `error` about the node's data directory; if the directory is absent and the audit trail shows that this replica
/// has run before, it says so: then a disk is not mounted or lost, and nothing new begins.
[[nodiscard]] world_error with_trail_hint(world_error error, const node_config& config);

}  // namespace hypermesh
