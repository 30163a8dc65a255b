#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "tests/integration/simulated_machines.hpp"
#include "tools/hypermesh-lab/lab_command_line.hpp"
#include "tools/hypermesh/commands/command_line.hpp"

namespace hypermesh::testing::cli_test {

namespace {

const fs::path top = HYPERMESH_SOURCE_DIR;

/// The lines of all blocks of a document that begin with ```sh, in their order.
std::string commands_of(const fs::path& document) {
  std::ifstream in{document};
  std::string commands;
  bool is_inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      is_inside = line == "```sh";
    } else if (is_inside) {
      commands += line + "\n";
    }
  }
  return commands;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Installs the product into a folder of the machines, for documents that build something.
constexpr auto installation = R"(
cmake --install ")" HYPERMESH_BUILD_DIR R"(" --prefix "$WORLD/prefix" > /dev/null
export CMAKE_PREFIX_PATH=$WORLD/prefix
)";

/// Runs the commands of a document, with the addresses of its machines replaced by addresses of this machine.
std::string run_document(const std::string& name, const std::string& before = {}) {
  auto commands = commands_of(top / name);
  REQUIRE_FALSE(commands.empty());
  commands.insert(0, before);
  const auto own = static_cast<unsigned>(getpid());
  replace_all(commands, "10.0.0.1", fmt::format("127.{}.{}.1", 1 + own / 250 % 250, own % 250));
  const simulated_machines machines;
  std::string told;
  const auto code = machines.run(commands, told);
  const auto end = told.size() > 4'000 ? told.substr(told.size() - 4'000) : told;
  CAPTURE(end);
  REQUIRE(code == 0);
  return told;
}

/// All texts of a document that begin like a command of a binary: lines of blocks, and quotations in a sentence.
std::vector<std::string> mentions_in(const std::string& text) {
  static const std::regex mention{R"((`|\n|&& |; do |sh -c ")(hypermesh(-lab)? [a-z][^`\n]*))"};
  std::vector<std::string> found;
  for (std::sregex_iterator at{text.begin(), text.end(), mention}, end; at != end; ++at)
    found.push_back((*at)[2]);
  return found;
}

const CLI::App* command_of(const CLI::App& app, const std::string& word) {
  for (const auto* each : app.get_subcommands([](const CLI::App*) { return true; }))
    if (each->get_name() == word) return each;
  return nullptr;
}

/// What is wrong with a mention: a command or an option that the binary does not have; empty if nothing is.
std::string flaw_of(const std::string& mention, const CLI::App& product, const CLI::App& laboratory) {
  std::istringstream words{mention};
  std::string word;
  words >> word;
  const auto* app = word == "hypermesh" ? &product : &laboratory;
  bool is_command = true;
  while (words >> word && word.find_first_of("#|>&;)") == std::string::npos) {
    if (const auto* next = is_command ? command_of(*app, word) : nullptr) {
      app = next;
      continue;
    }
    if (is_command && app->get_parent() == nullptr && word != "COMMAND" && !word.starts_with("-")) return word;
    is_command = false;
    const auto option = word.substr(0, word.find_first_of("=,.:"));
    const bool is_option = option.size() > 1 && option.front() == '-' && option.find_first_of("0123456789") != 1;
    if (is_option && app->get_option_no_throw(option) == nullptr) return option;
  }
  return {};
}

}  // namespace

TEST_CASE("every command and option that a document mentions exists") {
  const cli::command_line product;
  const lab::lab_command_line laboratory;
  std::size_t count = 0;
  for (const auto& folder : {"actors", "messages", "runtime", "schemas", "tests", "tools", "."}) {
    for (auto entry = fs::recursive_directory_iterator{top / folder}; entry != fs::recursive_directory_iterator{};
         ++entry) {
      if (entry->is_directory() && folder == std::string{"."}) entry.disable_recursion_pending();
      if (entry->path().extension() != ".md") continue;
      for (const auto& mention : mentions_in("\n" + text_of(entry->path()))) {
        CAPTURE(entry->path().string());
        CAPTURE(mention);
        CHECK(flaw_of(mention, product.app(), laboratory.app()) == "");
        ++count;
      }
    }
  }
  CHECK(count > 100);
  CHECK(flaw_of("hypermesh statu --cluster x", product.app(), laboratory.app()) == "statu");
  CHECK(flaw_of("hypermesh config explain --bogus", product.app(), laboratory.app()) == "--bogus");
}

TEST_CASE("the commands of the operator's day run, in their order, on four machines") {
  const auto told = run_document("runtime/OPERATIONS.md");
  CAPTURE(told);
  CHECK(has(told, "\ncommit\n"));
  CHECK(has(told, "tolerates 1 more fault"));
  CHECK(has(told, "hypermesh_last_executed_sequence"));
  // The write before the backup is there after the disaster, and the one after it is not.
  const auto restored = told.rfind("get --cluster mesh upgraded");
  REQUIRE(restored != std::string::npos);
  CHECK(has(told.substr(restored), "\nyes\n"));
  CHECK(has(told.substr(restored), "\n(none)\n"));
}

TEST_CASE("the commands of the tutorial run, in their order, against the installed product") {
  if (!fs::exists(fs::path{HYPERMESH_BUILD_DIR} / "runtime" / "libhypermesh.so")) {
    MESSAGE("skipped: libhypermesh.so is not built; configure with HYPERMESH_INSTALL");
    return;
  }
  const auto told = run_document("runtime/TUTORIAL.md", installation);
  CAPTURE(told);
  CHECK(has(told, "\npassed\n"));
  CHECK(has(told, "\n3\n"));
  CHECK(has(told, "\n1\n"));
  CHECK(has(told, "\nonly 1 left\n"));
  CHECK(has(told, "\n6\n"));
}

TEST_CASE("the commands of the tour in the README run, in their order") {
  const auto told = run_document("README.md");
  CAPTURE(told);
  CHECK(has(told, "\nblue\n"));
  CHECK(has(told, "4 of 4 replicas hold the same state"));
}

}  // namespace hypermesh::testing::cli_test
