#include <doctest/doctest.h>

#include <unistd.h>

#include <fmt/format.h>

#include "tests/integration/simulated_machines.hpp"

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

}  // namespace

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
