#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/genesis.hpp"

/// Generates configuration files and their reference as text from the table of all keys. Pure.
namespace hypermesh::runtime {

/// The longest line of a generated file. A longer word is not broken.
inline constexpr std::size_t line_bytes_max = 100;

/// Breaks the text into lines. The first line begins with `first`, the other lines with `next`.
[[nodiscard]] std::string wrapped_text(std::string_view text, std::string_view first, std::string_view next);

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
