#pragma once

#include <string>
#include <string_view>

#include "messages/types.hpp"

/// Handles text from a file, an option or another person that goes to a terminal or into a file. Pure.
namespace hypermesh::base {

/// Whether the bytes are UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(byte_span bytes);

/// The text with escapes in place of everything that controls a terminal. Control characters (C0, DEL and C1), line
/// separators and marks of the writing direction become for example \n, \t, \x1b or \u{202e}. A byte that is not UTF-8
/// becomes for example \xff. Everything else stays unchanged, even a backslash.
[[nodiscard]] std::string visible_text(std::string_view text);

/// Like `visible_text`, but for messages of several lines: line breaks and tabs stay unchanged.
[[nodiscard]] std::string visible_lines(std::string_view text);

/// At most the first `bytes_max` bytes of the text, without a part of a character, and "…" (3 bytes) if something is
/// missing. For text of another's choice that is kept or logged: its length is bounded here, once.
[[nodiscard]] std::string clipped_text(std::string_view text, std::size_t bytes_max);

/// The text as a basic string of TOML with quotes. A reader gets the same text back. The text must be UTF-8.
[[nodiscard]] std::string toml_string(std::string_view text);

/// The longest name of a cluster, in bytes.
inline constexpr std::size_t cluster_name_bytes_max = 128;

/// The reason why the text cannot be a cluster's name; empty when it can. Names appear in files, logs and terminals. So
/// a name is UTF-8 without control characters, not empty, and not longer than `cluster_name_bytes_max`.
[[nodiscard]] std::string flaw_of_cluster_name(std::string_view name);
/// Like `flaw_of_cluster_name`, but for a state machine. A host application may bring this machine.
[[nodiscard]] std::string flaw_of_machine_name(std::string_view name);

}  // namespace hypermesh::base
