#pragma once

#include <filesystem>
#include <string>

#include "runtime/base/durable_file.hpp"

/// Reads files that no other user may read or change: secret keys, tokens, TLS keys.
namespace hypermesh::base {

/// Opens a regular file of this user that no other user can read or change. The file is examined after it was opened,
/// so nobody can put another file in its place between the check and the use. A symbolic link is followed, and its
/// target is examined. The error says what is wrong and which command mends it.
[[nodiscard]] or_error<open_file> open_private_file(const std::filesystem::path& path);

/// The content of a private file of at most `bytes_max` bytes.
[[nodiscard]] or_error<std::string> read_private_file(const std::filesystem::path& path, std::uintmax_t bytes_max);

}  // namespace hypermesh::base
