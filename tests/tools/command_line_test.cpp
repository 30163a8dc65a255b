// The whole command line of the product as values: help, completion, manual pages and exit codes know every command.
#include "tools/hypermesh/commands/command_line.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/nearest_word.hpp"
#include "tools/hypermesh/terminal/command_tree.hpp"
#include "tools/hypermesh/terminal/command_words.hpp"
#include "tools/hypermesh/terminal/manual_page.hpp"
#include "tools/hypermesh/terminal/shell_completion.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::testing {

using namespace cli;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string text_of_file(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

const std::set<std::string> known_codes = {"0", "1", "2", "3", "130"};

/// The codes that a text after "Exit codes:" explains.
std::set<std::string> codes_in(const std::string& text) {
  std::set<std::string> codes;
  const std::regex code{R"((?:Exit codes:|;|,)\s+(?:and )?(\d+)(?: or (\d+))?\s)"};
  for (std::sregex_iterator found{text.begin(), text.end(), code}; found != std::sregex_iterator{}; ++found) {
    codes.insert((*found)[1]);
    if ((*found)[2].matched) codes.insert((*found)[2]);
  }
  return codes;
}

}  // namespace

TEST_CASE("the help of every command explains its exit codes, and all of them are known") {
  const command_line line;
  for (const auto& leaf : leaf_commands(line.app())) {
    const auto footer = leaf.command->get_footer();
    CAPTURE(leaf.path.back());
    const auto begin = footer.find("Exit codes:");
    REQUIRE(begin != std::string::npos);
    const auto codes = codes_in(footer.substr(begin));
    CHECK(codes.contains("0"));
    CHECK(std::ranges::includes(known_codes, codes));
  }
}

TEST_CASE("the table of exit codes has every code and no other one") {
  const auto readme = text_of_file(HYPERMESH_SOURCE_DIR "/tools/README.md");
  const auto begin = readme.find("| exit code |");
  REQUIRE(begin != std::string::npos);
  const auto table = readme.substr(begin, readme.find("\n\n", begin) - begin);
  std::set<std::string> codes;
  const std::regex row{R"(\n\| (\d+) \|)"};
  for (std::sregex_iterator found{table.begin(), table.end(), row}; found != std::sregex_iterator{}; ++found)
    codes.insert((*found)[1]);
  CHECK(codes == known_codes);
  for (const auto code :
       {exit_code::ok, exit_code::failed, exit_code::usage, exit_code::no_quorum, exit_code::interrupted}) {
    CHECK(codes.contains(std::to_string(static_cast<int>(code))));
  }
}

TEST_CASE("completion, manual page and README know every command") {
  const command_line line;
  const auto tree = tree_of(line.app());
  const auto page = manual_page_of("hypermesh", tree, "");
  const auto readme = text_of_file(HYPERMESH_SOURCE_DIR "/tools/README.md");
  for (const auto& leaf : leaf_commands(line.app())) {
    const auto path = fmt::format("{}", fmt::join(leaf.path, " "));
    CAPTURE(path);
    for (const auto shell : {shell_kind::bash, shell_kind::zsh, shell_kind::fish})
      CHECK(has(completion_for(shell, "hypermesh", tree), leaf.path.back()));
    // A manual page writes a hyphen that people may copy as "\-".
    CHECK(has(page, std::regex_replace(leaf.path.back(), std::regex{"-"}, "\\-")));
    if (path != "help") CHECK(has(readme, "`" + path));
  }
}

TEST_CASE("a command that prints facts has -o, and a schema describes its JSON") {
  const command_line line;
  // Documents for other programs and for people, and processes that run until they are stopped.
  const std::set<std::string> without = {"config print-reference",
                                         "metrics print-reference",
                                         "events print-reference",
                                         "metrics print-alerts",
                                         "metrics print-dashboard",
                                         "start",
                                         "completion",
                                         "audit export",
                                         "man",
                                         "help"};
  const auto readme = text_of_file(HYPERMESH_SOURCE_DIR "/tools/hypermesh/schema/README.md");
  for (const auto& leaf : leaf_commands(line.app())) {
    const auto path = fmt::format("{}", fmt::join(leaf.path, " "));
    CAPTURE(path);
    CHECK((leaf.command->get_option_no_throw("--output") != nullptr) == !without.contains(path));
    if (!without.contains(path)) CHECK(has(readme, "`" + path));
  }
}

TEST_CASE("a wrong word of an option gets a suggestion") {
  CLI::App app;
  std::string format;
  app.add_option("--output", format)->check(one_of({"table", "json"}));
  CHECK_NOTHROW(app.parse("--output json"));
  try {
    app.parse("--output jsno");
    FAIL("the word is wrong");
  } catch (const CLI::ValidationError& error) {
    CHECK(has(error.what(), "'jsno' is none of table, json; did you mean 'json'?"));
  }
  CHECK(tree_of(app).options.back().words == std::vector<std::string>{"table", "json"});
  CHECK(base::did_you_mean("tabel", "table, wide") == "; did you mean 'table'?");
  CHECK(base::did_you_mean("elephant", "table, wide").empty());
  CHECK(base::shortened_word("short") == "short");
  CHECK(base::shortened_word(std::string(63, 'a') + "ü") == std::string(63, 'a') + "…");
}

}  // namespace hypermesh::testing
