#pragma once

#include <string>
#include <string_view>

#include "messages/types.hpp"

/// Bytes of others as text that changes nothing but the picture: what a terminal would obey is written out.
namespace hypermesh {

/// A value on one line, so that no two values look alike and none looks like another answer:
///
/// - text that can be read as it stands, as it is;
/// - text that contains what `visible_text` writes out, or begins like one of the other answers (`"`, `(`, `0x`,
///   `refused:`, `malformed:`, `error:`), in double quotes, with \" and \\ inside;
/// - bytes that are not UTF-8, as 0x and hexadecimal.
[[nodiscard]] std::string value_text(byte_span value);

}  // namespace hypermesh
