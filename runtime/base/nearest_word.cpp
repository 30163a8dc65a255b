#include "runtime/base/nearest_word.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace hypermesh::base {

namespace {

/// A longer word is not a typing error of a known word, and comparing it would be expensive.
constexpr std::size_t word_bytes_max = 64;

/// The number of typing errors: letters to insert, delete, replace or swap with their neighbour.
std::size_t distance_between(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> steps(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t row = 0; row <= left.size(); ++row) {
    for (std::size_t column = 0; column <= right.size(); ++column) {
      if (row == 0 || column == 0) {
        steps[row][column] = row + column;
        continue;
      }
      const std::size_t differ = left[row - 1] == right[column - 1] ? 0 : 1;
      steps[row][column] =
          std::min({steps[row - 1][column] + 1, steps[row][column - 1] + 1, steps[row - 1][column - 1] + differ});
      const bool swapped =
          row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1];
      if (swapped) steps[row][column] = std::min(steps[row][column], steps[row - 2][column - 2] + 1);
    }
  }
  return steps[left.size()][right.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, std::span<const std::string> known) {
  if (word.empty() || word.size() > word_bytes_max) return {};
  std::string nearest;
  std::size_t smallest = std::max<std::size_t>(2, word.size() / 4) + 1;
  for (const auto& each : known) {
    const auto distance = each.starts_with(word) ? 0 : distance_between(word, each);
    if (distance >= smallest || distance >= each.size()) continue;
    smallest = distance;
    nearest = each;
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const auto meant = nearest_word(word, known);
  return meant.empty() ? meant : "; did you mean '" + meant + "'?";
}

std::string did_you_mean(std::string_view word, std::string_view known) {
  std::vector<std::string> words;
  while (!known.empty()) {
    const auto each = known.substr(0, known.find(", "));
    words.emplace_back(each);
    known.remove_prefix(std::min(each.size() + 2, known.size()));
  }
  return did_you_mean(word, words);
}

std::string shortened_word(std::string_view word) {
  auto bytes = word_bytes_max;
  if (word.size() <= bytes) return std::string{word};
  // A character of UTF-8 is left out as a whole.
  while (bytes > 0 && (static_cast<unsigned char>(word[bytes]) & 0xc0U) == 0x80U)
    --bytes;
  return std::string{word.substr(0, bytes)} + "…";
}

}  // namespace hypermesh::base
