#pragma once

#include <string>
#include <string_view>

/// Text that came from a file, an option or another person and goes to a terminal or into a file. Pure.
namespace hypermesh {

/// The text as a terminal can show it: control characters and bytes that are no UTF-8 become \xNN, all else stays.
[[nodiscard]] std::string escaped(std::string_view text);

/// The text as a basic string of TOML, quotes included, so that a reader gets the same text back. The text is UTF-8.
[[nodiscard]] std::string toml_string(std::string_view text);

/// The longest name of a cluster.
inline constexpr std::size_t cluster_name_bytes_max = 128;

/// Why the text cannot be a cluster's name: names go into files, logs and onto terminals, so they are UTF-8 without
/// control characters, and neither empty nor longer than `cluster_name_bytes_max`. Empty when it can be one.
[[nodiscard]] std::string flaw_of_cluster_name(std::string_view name);

}  // namespace hypermesh
