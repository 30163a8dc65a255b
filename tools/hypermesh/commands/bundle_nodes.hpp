#pragma once

#include <filesystem>
#include <string>

#include "tools/hypermesh/bundle/bundle_content.hpp"
#include "tools/hypermesh/bundle/secret_filter.hpp"

/// The parts of a bundle that come from the files of a node on this machine.
namespace hypermesh::cli {

/// Adds the secrets that a member's file names, the private files beside it, and the public keys of its genesis. A file
/// that this process cannot read has no effect: its content can only be in the bundle by another way, for example in a
/// log, and there the genesis and the rules about names help.
void add_secrets_of_node(const std::filesystem::path& node_file, secret_filter& into);
void add_secrets_of_client(const std::filesystem::path& client_file, secret_filter& into);

/// Adds what this machine knows about the node: its effective configuration without keys and tokens, the problems of
/// its configuration, the listings of its folders, a summary and the end of its audit trail, and its metrics if it
/// serves them here.
void add_node(const std::filesystem::path& node_file, bundle_content& into);

}  // namespace hypermesh::cli
