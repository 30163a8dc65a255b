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

}  // namespace hypermesh::base
