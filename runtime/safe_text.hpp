#pragma once

#include <string>
#include <string_view>

#include "messages/types.hpp"

/// Text that came from a file, an option or another person and goes to a terminal or into a file. Pure.
namespace hypermesh {

/// Whether the bytes are UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(byte_span bytes);

/// The text with escapes in place of everything that controls a terminal: control characters (C0, DEL and C1), line
/// separators and marks of the writing direction become for example \n, \t, \x1b or \u{202e}. A byte that is not UTF-8
/// becomes for example \xff. Everything else stays, also a backslash.
[[nodiscard]] std::string visible_text(std::string_view text);

/// The same for messages of several lines: line breaks and tabs stay.
[[nodiscard]] std::string visible_lines(std::string_view text);

/// The text as a basic string of TOML, quotes included, so that a reader gets the same text back. The text must be
/// UTF-8.
[[nodiscard]] std::string toml_string(std::string_view text);

/// The longest name of a cluster, in bytes.
inline constexpr std::size_t cluster_name_bytes_max = 128;

/// Why the text cannot be a cluster's name; empty when it can. Names go into files, logs and terminals, so a name is
/// UTF-8 without control characters, not empty, and not longer than `cluster_name_bytes_max`.
[[nodiscard]] std::string flaw_of_cluster_name(std::string_view name);
/// The same for a state machine, which may be one that a host application brings.
[[nodiscard]] std::string flaw_of_machine_name(std::string_view name);

}  // namespace hypermesh
