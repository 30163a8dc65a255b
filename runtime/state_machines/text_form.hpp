#pragma once

#include <string>
#include <string_view>

#include "messages/types.hpp"

/// Bytes of others as text that changes nothing but the picture: what a terminal would obey is written out.
namespace hypermesh {

/// Whether the bytes are UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(byte_span bytes);

/// The text with everything written out that steers a terminal: control characters (C0, DEL and C1), separators of
/// lines and marks of the direction of writing become \n, \t, \x1b or \u{202e}; a byte that is not UTF-8 becomes \xff.
/// Everything else stays as it is, a backslash too.
[[nodiscard]] std::string visible_text(std::string_view text);

/// The same for messages of several lines: line breaks and tabs stay.
[[nodiscard]] std::string visible_lines(std::string_view text);

/// A value on one line, so that no two values look alike and none looks like another answer:
///
/// - text that can be read as it stands, as it is;
/// - text that contains what `visible_text` writes out, or begins like one of the other answers (`"`, `(`, `0x`,
///   `refused:`, `malformed:`, `error:`), in double quotes, with \" and \\ inside;
/// - bytes that are not UTF-8, as 0x and hexadecimal.
[[nodiscard]] std::string value_text(byte_span value);

}  // namespace hypermesh
