#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/style/commit_rules.hpp"

using namespace hypermesh::style;

namespace {

bool is_refused(std::string subject, std::vector<std::string> paths) {
  return !check_commits({{"abc1234", std::move(subject), std::move(paths)}}).empty();
}

}  // namespace

TEST_CASE("a subject of a commit has at most 72 letters, also when letters have several bytes") {
  const std::string folder = "tools: ";
  CHECK_FALSE(is_refused(folder + std::string(65, 'a'), {"tools/check"}));
  CHECK(is_refused(folder + std::string(66, 'a'), {"tools/check"}));
  std::string umlauts;
  for (int count = 0; count < 65; ++count)
    umlauts += "ü";
  CHECK_FALSE(is_refused(folder + umlauts, {"tools/check"}));
}

TEST_CASE("a subject of a commit begins with folders that the commit changes") {
  const std::vector<std::string> paths = {"actors/protocol/views/new_view.cpp", "tests/paper/a_test.cpp"};
  CHECK_FALSE(is_refused("protocol: propose again", paths));
  CHECK_FALSE(is_refused("actors/protocol: propose again", paths));
  CHECK_FALSE(is_refused("protocol/views, tests: propose again", paths));
  CHECK(is_refused("propose again", paths));
  CHECK(is_refused("runtime: propose again", paths));
  CHECK(is_refused("protocol, runtime: propose again", paths));
  CHECK(is_refused("protocol/paper: propose again", paths));
  CHECK(is_refused("proto: propose again", paths));
  CHECK(is_refused(": propose again", paths));
}

TEST_CASE("a subject of a commit may name a folder by its last word, or a file without its ending") {
  CHECK_FALSE(is_refused("lab: shrink faster", {"tools/hypermesh-lab/shrink_command.cpp"}));
  CHECK_FALSE(is_refused("github: say how to report", {".github/SECURITY.md"}));
  CHECK_FALSE(is_refused("readme: say how to begin", {"README.md"}));
  CHECK_FALSE(is_refused("tools/mutants: plant another bug", {"tools/mutants"}));
}

TEST_CASE("a subject of a commit states what the commit does, in lower case and without a full stop") {
  CHECK(is_refused("tools: Print more", {"tools/check"}));
  CHECK(is_refused("tools: print more.", {"tools/check"}));
  CHECK(is_refused("tools: ", {"tools/check"}));
  CHECK_FALSE(is_refused("tools: 2 replicas are too few", {"tools/check"}));
}

TEST_CASE("the log of git is read: hash, subject, changed files") {
  const auto commits = read_log(
      "\x01"
      "abc\ntools: a\n\ntools/check\ntools/demo\n\x01"
      "def\ntests: b\n\ntests/a.cpp\n");
  REQUIRE(commits.size() == 2);
  CHECK(commits[0].name == "abc");
  CHECK(commits[0].subject == "tools: a");
  CHECK(commits[0].paths == std::vector<std::string>{"tools/check", "tools/demo"});
  CHECK(commits[1].subject == "tests: b");
  CHECK(read_log("").empty());
}

TEST_CASE("an empty commit is judged by its words alone") {
  CHECK_FALSE(is_refused("tools: begin anew", {}));
  CHECK(is_refused("begin anew", {}));
}
