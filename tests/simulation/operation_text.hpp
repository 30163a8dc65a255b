#pragma once

#include <span>
#include <string>

#include "messages/expected.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::testing {

/// An operation in the words that `parse_operation` of the key-value store reads ("put key-3 value-17"). If no such
/// words give exactly these bytes, the text is 0x and hexadecimal digits. `operation_of` gives the bytes back.
[[nodiscard]] std::string words_of(byte_span operation);

/// The operation that `words` describe. The failure describes the problem.
[[nodiscard]] or_reason<byte_vector> operation_of(std::span<const std::string> words);

/// Splits `text` into words. Any number of spaces separates two words.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

}  // namespace hypermesh::testing
