#include <doctest/doctest.h>

#include "messages/layers.hpp"
#include "tools/hypermesh/terminal/shell_completion.hpp"

namespace hypermesh::testing {

using namespace cli;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A binary whose texts contain what shells give a meaning.
command_entry hostile_tree() {
  command_entry root{{}, "Root", "", {}, {}, {}};
  command_entry run{{"run"}, "It's $(touch x) `y` \\'z", "", {}, {}, {}};
  run.options.push_back({{"--mode"}, "MODE", {"a", "b"}, "Colon: \"quote\"\nsecond line", "", true, false, false});
  root.commands.push_back(run);
  return root;
}

}  // namespace

TEST_CASE("only shells with a script have a name") {
  CHECK(shell_of("bash") == shell_kind::bash);
  CHECK(shell_of("zsh") == shell_kind::zsh);
  CHECK(shell_of("fish") == shell_kind::fish);
  CHECK_FALSE(shell_of("ksh"));
  CHECK_FALSE(shell_of(""));
}

TEST_CASE("a completion offers the words of an option and the options of a command") {
  const auto root = hostile_tree();
  const auto bash = completion_for(shell_kind::bash, "a-b", root);
  CHECK(has(bash, "'run --mode') words='a b' ;;"));
  CHECK(has(bash, "'run') words='--mode' ;;"));
  CHECK(has(bash, "complete -F _a_b a-b\n"));
  const auto zsh = completion_for(shell_kind::zsh, "a-b", root);
  CHECK(zsh.starts_with("#compdef a-b\n"));
  CHECK(has(zsh, "('run --mode') values=(a b); compadd -a values; return ;;"));
  const auto fish = completion_for(shell_kind::fish, "a-b", root);
  CHECK(has(fish, "complete -c a-b -n \"__a_b_at 'run'\" -l mode -x -a 'a b'"));
}

TEST_CASE("a shell gives no character of a description a meaning") {
  const auto root = hostile_tree();
  CHECK_FALSE(has(completion_for(shell_kind::bash, "a-b", root), "touch"));
  const auto zsh = completion_for(shell_kind::zsh, "a-b", root);
  CHECK(has(zsh, "'run:It'\\''s $(touch x) `y` \\'\\''z'"));
  CHECK(has(zsh, "'--mode:Colon: \"quote\"'"));
  CHECK_FALSE(has(zsh, "second line"));
  const auto fish = completion_for(shell_kind::fish, "a-b", root);
  CHECK(has(fish, "-d 'It'\\''s $(touch x) `y` \\\\'\\''z'"));
}

}  // namespace hypermesh::testing
