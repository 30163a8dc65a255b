#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hypermesh {

/// The word of `known` that a person who typed `word` probably meant; empty if none is similar. A word that begins with
/// `word` is the nearest; otherwise the one with the fewest typing errors, of which there may be two, or one in four
/// letters of a longer word. A typing error is a letter inserted, deleted, replaced or swapped with its neighbour
/// (Damerau and Levenshtein). Pure.
[[nodiscard]] std::string nearest_word(std::string_view word, std::span<const std::string> known);

}  // namespace hypermesh
