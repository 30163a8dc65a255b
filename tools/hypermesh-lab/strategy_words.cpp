#include "tools/hypermesh-lab/strategy_words.hpp"

#include <string_view>
#include <vector>

#include "runtime/base/nearest_word.hpp"
#include "tests/byzantine/strategy.hpp"

namespace hypermesh::lab {

std::string unknown_strategy_text(const std::string& names) {
  std::vector<std::string> known;
  for (const auto& each : testing::all_strategies())
    known.emplace_back(each.name);
  std::string_view rest = names;
  for (;;) {
    const auto name = rest.substr(0, rest.find_first_of("+/"));
    const std::string alone{name};
    if (testing::make_adversary(alone) == nullptr) {
      return "unknown strategy '" + base::shortened_word(name) + "'" + base::did_you_mean(name, known);
    }
    if (name.size() == rest.size()) break;
    rest.remove_prefix(name.size() + 1);
  }
  return "unknown strategy '" + base::shortened_word(names) + "'";
}

}  // namespace hypermesh::lab
