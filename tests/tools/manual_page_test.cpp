#include <doctest/doctest.h>

#include <memory>

#include "messages/layers.hpp"
#include "tools/hypermesh/terminal/manual_page.hpp"

namespace hypermesh::testing {

using namespace cli;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A small binary with one option of each kind.
struct sample {
  CLI::App app{"A sample", "sample"};
  std::string level = "info";
  std::string file;
  bool quiet = false;

  sample() {
    app.footer("Ends at once.");
    auto* run = app.add_subcommand("run", "Run something");
    run->footer("Examples:\n  sample run x -q\n\nOne line\nand its rest.");
    run->add_option("FILE", file, "What to run")->required()->type_name("");
    run->add_option("--level", level, "How much\nto say")
        ->check(CLI::IsMember({"info", "off"}))
        ->capture_default_str()
        ->type_name("LEVEL");
    run->add_flag("-q,--quiet", quiet, "Say nothing");
    run->add_option("--inner", file, "Not for people")->group("");
    app.add_subcommand("unseen", "Not for people")->group("");
  }
};

}  // namespace

TEST_CASE("the tree of commands has what the help shows, and leaves out what it hides") {
  const sample of;
  const auto root = tree_of(of.app);
  REQUIRE(root.commands.size() == 1);
  const auto& run = root.commands.front();
  CHECK(run.path_text() == "run");
  REQUIRE(run.positionals.size() == 1);
  CHECK(run.positionals.front().names == std::vector<std::string>{"FILE"});
  CHECK(run.positionals.front().is_required);
  CHECK(run.positionals.front().is_path());
  REQUIRE(run.options.size() == 3);
  const auto& level = run.options[1];
  CHECK(level.names == std::vector<std::string>{"--level"});
  CHECK(level.value == "LEVEL");
  CHECK(level.words == std::vector<std::string>{"info", "off"});
  CHECK(level.default_value == "info");
  const auto& quiet = run.options[2];
  CHECK(quiet.names == std::vector<std::string>{"-q", "--quiet"});
  CHECK_FALSE(quiet.takes_value);
}

TEST_CASE("a manual page shows commands, options, words, defaults and examples") {
  const sample of;
  const auto text = manual_page_of("sample", tree_of(of.app), "other(1)");
  CHECK(has(text, ".SS \"sample run [OPTIONS] FILE\"\n"));
  CHECK(has(text, ".TP\n.B \"\\-\\-level LEVEL\"\nHow much to say. One of: info, off. Default: info.\n"));
  CHECK(has(text, ".B \"\\-q, \\-\\-quiet\"\nSay nothing.\n"));
  CHECK(has(text, ".nf\n  sample run x \\-q\n.fi\n.PP\nOne line\nand its rest.\n"));
  CHECK(has(text, "other(1)\n"));
  CHECK_FALSE(has(text, "Not for people"));
}

TEST_CASE("no text becomes a request of a manual page") {
  manual_page page{"title", 1, "title", "summary"};
  page.paragraph(".so /etc/passwd");
  page.paragraph("'br");
  page.paragraph("a\\fBb");
  page.entry("say \"x\"", "");
  page.help_text(".ig\n  .ig");
  const auto& text = page.text();
  CHECK(has(text, "\n\\&.so /etc/passwd\n"));
  CHECK(has(text, "\n\\&\\(aqbr\n"));
  CHECK(has(text, "\na\\(rsfBb\n"));
  CHECK(has(text, ".B \"say \\(dqx\\(dq\"\n\\&\n"));
  CHECK(has(text, "\n\\&.ig\n.nf\n  .ig\n.fi\n"));
}

}  // namespace hypermesh::testing
