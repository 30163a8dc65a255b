#include "tools/hypermesh/terminal/word_option.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/nearest_word.hpp"

namespace hypermesh::cli {

CLI::Validator one_of(std::vector<std::string> words) {
  // `command_tree` reads the words from this form.
  auto shown = fmt::format("{{{}}}", fmt::join(words, ","));
  return CLI::Validator{[words = std::move(words)](std::string& text) -> std::string {
                          if (std::ranges::find(words, text) != words.end()) return {};
                          return fmt::format("'{}' is none of {}{}", base::shortened_word(text), fmt::join(words, ", "),
                                             base::did_you_mean(text, words));
                        },
                        std::move(shown)};
}

}  // namespace hypermesh::cli
