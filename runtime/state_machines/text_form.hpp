#pragma once

#include <string>
#include <string_view>

#include "messages/types.hpp"

/// Foreign bytes as text that does not control a terminal: control characters are written out.
namespace hypermesh {

/// A value on one line, so that no two values look alike and none looks like another answer:
///
/// - Text that can be shown unchanged is shown unchanged.
/// - Text appears in double quotes, with \" and \\ inside, if `visible_text` changes it, or if it begins like another
///   answer (`"`, `(`, `0x`, `refused:`, `malformed:`, `error:`).
/// - Bytes that are not UTF-8 appear as 0x and hexadecimal.
[[nodiscard]] std::string value_text(byte_span value);

}  // namespace hypermesh
