#include "runtime/state_machines/redis/redis_glob.hpp"

#include <algorithm>

namespace hypermesh::machines::redis {

namespace {

/// The first element of the pattern, which matches exactly one letter: how long it is, and whether it matches.
struct element_match {
  std::size_t length = 1;
  bool matches = false;
};

/// A class in brackets. Without the closing bracket, the class ends with the pattern.
element_match match_class(std::string_view pattern, char letter) {
  std::size_t at = 1;
  const bool is_negated = at < pattern.size() && pattern[at] == '^';
  if (is_negated) ++at;
  const auto wanted = static_cast<unsigned char>(letter);
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      ++at;
      found = found || pattern[at] == letter;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      const auto [low, high] =
          std::minmax({static_cast<unsigned char>(pattern[at]), static_cast<unsigned char>(pattern[at + 2])});
      found = found || (wanted >= low && wanted <= high);
      at += 2;
    } else {
      found = found || pattern[at] == letter;
    }
    ++at;
  }
  return {std::min(at + 1, pattern.size()), found != is_negated};
}

element_match match_one(std::string_view pattern, char letter) {
  switch (pattern.front()) {
    case '?':
      return {1, true};
    case '[':
      return match_class(pattern, letter);
    case '\\':
      if (pattern.size() >= 2) return {2, pattern[1] == letter};
      [[fallthrough]];
    default:
      return {1, pattern.front() == letter};
  }
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, std::size_t& steps) {
  std::size_t at = 0;
  std::size_t in_text = 0;
  // Where the last star stands, and where its match ends so far. Only the last star has to be tried again, because
  // what stands before it matched the shortest beginning that it could.
  std::size_t star = std::string_view::npos;
  std::size_t star_end = 0;
  while (in_text < text.size()) {
    ++steps;
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_end = in_text;
      continue;
    }
    if (at < pattern.size()) {
      const auto found = match_one(pattern.substr(at), text[in_text]);
      // A class costs its length.
      steps += found.length - 1;
      if (found.matches) {
        at += found.length;
        ++in_text;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    at = star + 1;
    in_text = ++star_end;
  }
  while (at < pattern.size() && pattern[at] == '*')
    ++at;
  return at == pattern.size();
}

}  // namespace hypermesh::machines::redis
