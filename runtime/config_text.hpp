#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/genesis.hpp"

/// Configuration files and their reference as text, made from the table of all keys. Pure.
namespace hypermesh {

/// The longest line of a generated file, where words allow it.
inline constexpr std::size_t line_bytes_max = 100;

/// The words of the text in lines, of which the first one begins with `first` and the others with `next`.
[[nodiscard]] std::string wrapped_text(std::string_view text, std::string_view first, std::string_view next);

/// Which keys of a new file have a value; the others stand as comments with their defaults.
enum class written_keys {
  /// The required ones, and those that an operator should see.
  chosen,
  /// All that have a default.
  all,
};

/// node.toml of a new replica. It reads back as the defaults.
[[nodiscard]] std::string node_file_text(std::uint32_t replica, written_keys which = written_keys::chosen);

/// client.toml of a new client.
[[nodiscard]] std::string client_file_text(std::uint32_t client);

/// The beginning of genesis.toml: what it is, and [cluster].
[[nodiscard]] std::string genesis_head_text(const genesis& content);

/// The reference of all keys in Markdown, which is `runtime/CONFIGURATION.md`.
[[nodiscard]] std::string reference_text();

}  // namespace hypermesh
