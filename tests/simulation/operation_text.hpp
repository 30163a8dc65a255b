#pragma once

#include <span>
#include <string>

#include "messages/expected.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::testing {

/// An operation as the words that `parse_operation` of the key-value store takes ("put key-3 value-17"), or as 0x and
/// hexadecimal when no such words give exactly these bytes. `operation_of` gives the bytes back.
[[nodiscard]] std::string words_of(byte_span operation);

/// The operation that `words` mean; the failure describes the problem.
[[nodiscard]] or_reason<byte_vector> operation_of(std::span<const std::string> words);

/// The words of `text`; any number of spaces parts two of them.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

}  // namespace hypermesh::testing
