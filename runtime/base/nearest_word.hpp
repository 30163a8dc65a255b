#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hypermesh::base {

/// The word of `known` that a person who typed `word` probably meant; empty if none is similar. A known word that
/// begins with `word` is the nearest. Otherwise the known word with the fewest typing errors is the nearest, with at
/// most two errors, or one for every four letters of a longer word. A typing error is a letter inserted, deleted,
/// replaced or swapped with its neighbour (Damerau and Levenshtein). Pure.
[[nodiscard]] std::string nearest_word(std::string_view word, std::span<const std::string> known);

/// The end of a message about an unknown word: "; did you mean 'status'?", or nothing if no known word is similar.
/// Pure.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

/// The same for a list such as "table, wide, json".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::string_view known);

/// An unknown word in a message: its first 64 bytes, so that the terminal shows what stands behind it. Pure.
[[nodiscard]] std::string shortened_word(std::string_view word);

}  // namespace hypermesh::base
