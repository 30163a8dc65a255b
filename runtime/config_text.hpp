#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/wrapped_text.hpp"
#include "runtime/genesis.hpp"

/// Generates configuration files and their reference as text from the table of all keys. Pure.
namespace hypermesh::runtime {

/// Says which keys of a new file have a value. All other keys appear as comments with their defaults.
enum class written_keys {
  /// The required keys, and those that an operator should see.
  chosen,
  /// All keys that have a default.
  all,
};

/// The text of node.toml for a new replica. Reading this file gives the defaults.
[[nodiscard]] std::string node_file_text(std::uint32_t replica, written_keys which = written_keys::chosen);

/// The text of client.toml for a new client.
[[nodiscard]] std::string client_file_text(std::uint32_t client);

/// The beginning of genesis.toml: the purpose of the file, and [cluster].
[[nodiscard]] std::string genesis_head_text(const genesis& content);

/// The Markdown reference of all keys: the content of `runtime/CONFIGURATION.md`.
[[nodiscard]] std::string reference_text();

}  // namespace hypermesh::runtime
