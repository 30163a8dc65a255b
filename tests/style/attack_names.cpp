#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/style/style_rules.hpp"

namespace hypermesh::style {

namespace {

/// The attacks of the design that the product withstands. For each of them, the name of a test names it. This test
/// fails without the defence.
constexpr std::array attacks_held = {8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                     23, 24, 25, 26, 27, 28, 29, 31, 32, 33, 39, 40, 43, 44};

/// Reads the numbers in the name of a test, for example "attack 9" and "attacks 10, 13 and 20".
void read_numbers(std::string_view name, std::set<int>& into) {
  for (auto at = name.find("(attack"); at != std::string_view::npos; at = name.find("(attack", at + 1)) {
    const auto end = name.find(')', at);
    int number = 0;
    for (const char letter : name.substr(at, end == std::string_view::npos ? end : end - at + 1)) {
      const bool is_digit = std::isdigit(static_cast<unsigned char>(letter)) != 0;
      if (is_digit) {
        number = 10 * number + (letter - '0');
      } else if (number != 0) {
        into.insert(std::exchange(number, 0));
      }
    }
  }
}

}  // namespace

violations check_attacks(const source_tree& tree) {
  std::set<int> named;
  for (const auto& file : tree) {
    if (!file.path.ends_with("_test.cpp")) continue;
    const std::string_view text = file.text;
    for (auto at = text.find("TEST_CASE"); at != std::string_view::npos; at = text.find("TEST_CASE", at + 1))
      read_numbers(text.substr(at, text.find(") {", at) - at), named);
  }
  violations found;
  for (const auto attack : attacks_held) {
    if (named.contains(attack)) continue;
    found.push_back({"tests", 0, "no test case is named \"… (attack " + std::to_string(attack) + ")\""});
  }
  return found;
}

}  // namespace hypermesh::style
