#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include <caf/io/middleman.hpp>

#include <hypermesh/caf/module.hpp>
#include <hypermesh/consensus_client.hpp>
#include <hypermesh/consensus_manager.hpp>

#include "runtime/scheduling/consensus_port.hpp"
#include "runtime/scheduling/scheduler_client.hpp"

using namespace std::chrono_literals;

namespace {

struct my_machine final : hypermesh::small_state_machine {
  [[nodiscard]] std::string_view name() const override { return "mine"; }
  hypermesh::operation_result apply(const hypermesh::operation_context&, hypermesh::byte_span) override { return {}; }
  [[nodiscard]] hypermesh::operation_result query(hypermesh::byte_span) const override { return {}; }
  [[nodiscard]] hypermesh::byte_vector save() const override { return {}; }
  [[nodiscard]] hypermesh::or_reason<void> load(hypermesh::byte_span) override { return {}; }
};

int report(const hypermesh::world_error& error) { return error.what.empty() ? 0 : 1; }

// The examples of the documents, word for word. Nobody calls these functions: they show that the examples compile.

[[maybe_unused]] int example_of_the_runtime() {
  auto replica = hypermesh::consensus_manager::start({"cluster/replica-0/node.toml"});
  if (!replica) return report(replica.error());
  auto client = hypermesh::consensus_client::connect({"cluster/client-0/client.toml"});
  auto outcome = (*client)->submit(hypermesh::to_byte_vector("…")).get();
  return static_cast<int>(outcome.index());
}

[[maybe_unused]] int example_of_the_manager() {
  auto replica = hypermesh::consensus_manager::start({"replica-0/node.toml"}, std::make_unique<my_machine>());
  if (!replica) return report(replica.error());
  return 0;
}

[[maybe_unused]] int example_of_scheduling() {
  auto client = hypermesh::consensus_client::connect({"cluster/client-0/client.toml"});
  if (!client) return report(client.error());
  hypermesh::scheduling::consensus_port port{**client};
  hypermesh::scheduling::scheduler_client mesh{port};
  auto placed = mesh.submit({{"job-7", {4'000, 8'192, 1, 500, {"G2"}}, {}}, 30s, "job-7/1", true});
  return placed ? 0 : 1;
}

[[maybe_unused]] int example_of_the_module() {
  caf::actor_system_config config;
  hypermesh::module::add_to(config);
  caf::actor_system system{config};
  auto module = hypermesh::module::start(system, {.replica = hypermesh::configuration{"node.toml"}});
  return module ? 0 : report(module.error());
}

[[maybe_unused]] void example_of_the_host_actors(caf::actor_system& system, const hypermesh::module& module) {
  // clang-format off
  system.middleman().publish(module.client(), 4711, "127.0.0.1");                 // the first process
  system.middleman().remote_actor<hypermesh::host::client_actor>("127.0.0.1", 4711);  // the second one
  // clang-format on
}

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in{std::string{HYPERMESH_SOURCE_DIR} + "/" + file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// The line without its indentation, and the marks of a comment that documents a header.
std::string code_of(std::string line) {
  if (line.starts_with("///")) line.erase(0, 3);
  const auto first = line.find_first_not_of(' ');
  return (first == std::string::npos ? "" : line.substr(first)) + '\n';
}

/// The examples of a document: the blocks ```cpp of a README, or the indented lines in the comments of a header.
std::vector<std::string> examples_in(const std::string& file) {
  std::vector<std::string> examples;
  bool is_inside = false;
  for (const auto& line : lines_of(file)) {
    const bool ends = line == "```" || (is_inside && file.ends_with(".hpp") && !line.starts_with("///     "));
    if (ends) is_inside = false;
    if (!is_inside && (line == "```cpp" || (file.ends_with(".hpp") && line.starts_with("///     ")))) {
      is_inside = true;
      examples.emplace_back();
      if (line == "```cpp") continue;
    }
    if (is_inside) examples.back() += code_of(line);
  }
  return examples;
}

}  // namespace

TEST_CASE("the examples of the documents are those that the compiler reads") {
  std::string compiled;
  for (const auto& line : lines_of("tests/runtime/documented_code_test.cpp"))
    compiled += code_of(line);
  for (const std::string file :
       {"runtime/README.md", "runtime/scheduling/README.md", "runtime/host_actors/README.md",
        "runtime/include/hypermesh/consensus_manager.hpp", "runtime/include/hypermesh/caf/module.hpp"}) {
    CAPTURE(file);
    const auto examples = examples_in(file);
    CHECK_FALSE(examples.empty());
    for (const auto& each : examples) {
      CAPTURE(each);
      CHECK(compiled.find(each) != std::string::npos);
    }
  }
}
