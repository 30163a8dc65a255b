#pragma once

#include <string>
#include <string_view>

#include "messages/types.hpp"

/// Shows foreign bytes as text that does not control a terminal: control characters become visible escapes.
namespace hypermesh::machines {

/// Shows a value on one line. Two different values never look alike, and no value looks like another kind of answer:
///
/// - Text that can be shown unchanged is shown unchanged.
/// - Text appears in double quotes, with \" and \\ inside, if `visible_text` changes it, or if it begins like another
///   kind of answer (`"`, `(`, `0x`, `refused:`, `malformed:`, `error:`).
/// - Bytes that are not UTF-8 appear as 0x and hexadecimal digits.
[[nodiscard]] std::string value_text(byte_span value);

}  // namespace hypermesh::machines
