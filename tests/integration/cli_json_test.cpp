// The JSON of every command against its schema in tools/hypermesh/schema.
#include <doctest/doctest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"
#include "tests/tools/json_schema.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// The differences between a text of one document, or of one on each line, and a schema.
std::vector<std::string> errors_of(const std::string& name, const std::string& text, bool is_one_a_line = false) {
  const auto schema = nlohmann::json::parse(text_of(HYPERMESH_SOURCE_DIR "/tools/hypermesh/schema/" + name + ".json"));
  const schema_checker checker{schema};
  if (!is_one_a_line) return checker.errors_of(nlohmann::json::parse(text));
  std::vector<std::string> errors;
  std::istringstream lines{text};
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto found = checker.errors_of(nlohmann::json::parse(line));
    errors.insert(errors.end(), found.begin(), found.end());
  }
  if (count == 0) errors.emplace_back("no document");
  return errors;
}

void check_schema(const std::string& name, const std::string& text, bool is_one_a_line = false) {
  for (const auto& error : errors_of(name, text, is_one_a_line))
    FAIL_CHECK(name, ": ", error);
}

}  // namespace

TEST_CASE("the JSON of commands without a cluster fits its schema") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  const auto node = (root / "replica-0/node.toml").string();
  check_schema("init", run({"init", root.string(), "-o", "json"}).out);
  check_schema("keygen", run({"keygen", (folder / "a.key").string(), "-o", "json"}).out);
  check_schema("config-check", run({"config", "check", node, (root / "genesis.toml").string(), "-o", "json"}).out);
  check_schema("config-keys", run({"config", "explain", "views", "-o", "json"}).out);
  check_schema("config-keys", run({"config", "print-default", "-o", "json"}).out);
  check_schema("config-effective", run({"config", "print-effective", node, "-o", "json"}).out);
  check_schema("config-effective", run({"config", "print-effective", node, "--show-origin", "-o", "json"}).out);
  edit(node, "mode = \"sync\"", "mode = \"snyc\"");
  const auto wrong = run({"config", "check", node, "-o", "json"});
  CHECK(wrong.code == 2);
  check_schema("config-check", wrong.out);
  CHECK(nlohmann::json::parse(wrong.out)["ok"] == false);
  // The checker can fail.
  CHECK_FALSE(errors_of("keygen", "{\"file\": 1, \"more\": 2}").empty());
}

TEST_CASE("the JSON of commands on a cluster fits its schema") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  check_schema("answer", cluster.ask("submit", {"put", "a", "1", "-o", "json"}).out, true);
  check_schema("answer", cluster.ask("get", {"no-such-key", "-o", "json"}).out, true);
  check_schema("status", cluster.ask("status", {"-o", "json"}).out);
  check_schema("status", cluster.ask("status", {"-o", "json", "--watch", "200ms", "--rounds", "2"}).out, true);
  check_schema("top", cluster.ask("top", {"-o", "json", "--interval", "700ms", "--rounds", "3"}).out, true);
  check_schema("hand-over", cluster.ask("hand-over", {"--timeout", "60", "-o", "json"}).out);
  const scratch_folder folder;
  check_schema("bundle", cluster.ask("bundle", {"--report", "json", "-o", (folder / "b.tgz").string()}).out);
  const auto trail = cluster.directory() + "/replica-0/audit";
  check_schema("audit-entry", run({"audit", "show", trail, "-o", "json"}).out, true);
  check_schema("audit-entry", run({"audit", "export", trail}).out, true);
  const auto genesis = cluster.directory() + "/genesis.toml";
  check_schema("audit-verify", run({"audit", "verify", trail, "--genesis", genesis, "-o", "json"}).out);
  const auto receipt = (folder / "put.receipt").string();
  check_schema("answer", cluster.ask("submit", {"--receipt", receipt, "-o", "json", "put", "a", "2"}).out, true);
  check_schema("verify", run({"verify", receipt, "--genesis", genesis, "-o", "json"}).out);
  check_schema("judge", run({"judge", receipt, receipt, "--genesis", genesis, "-o", "json"}).out);
  cluster.replica(3).send(SIGKILL);
  (void)cluster.replica(3).wait();
  check_schema("status", cluster.ask("status", {"-o", "json", "--timeout", "1"}).out);
}

TEST_CASE("the JSON of runs fits its schema") {
  check_schema("replay", run({"replay", "--operations", "20", "-o", "json"}).out);
  check_schema("replay", run({"demo", "--operations", "20", "-o", "json"}).out);
  check_schema("demo-kills", run({"demo", "--kill-primary-every", "2s", "--duration", "3s", "-o", "json"}).out);
  check_schema("demo-gaps", run({"demo", "--failovers", "1", "-o", "json"}).out);
  check_schema("demo-gaps", run({"demo", "--hand-overs", "1", "-o", "json"}).out);
  check_schema("demo-absence", run({"demo", "--absent-for", "300", "-o", "json"}).out);
  check_schema("demo-endurance", run({"demo", "--endure", "200", "-o", "json"}).out);
  check_schema("bench", run({"bench", "--duration", "500ms", "--warm-up", "100ms", "-o", "json"}).out);
  check_schema("bench", run({"bench", "--duration", "300ms", "--warm-up", "0", "--rate", "50", "-o", "json"}).out);
}

TEST_CASE("the JSON of the laboratory fits its schema") {
  const auto lab = [](const words& arguments) {
    const auto result = run_with(arguments, {.binary = HYPERMESH_LAB});
    CHECK_MESSAGE(!result.out.empty(), result.err);
    return result.out;
  };
  check_schema("lab-sim", lab({"sim", "--seeds", "6", "-o", "json"}));
  check_schema("lab-run", lab({"sim", "--seed", "3", "-o", "json"}));
  check_schema("lab-run", lab({"replay", "--seed", "3", "-o", "json"}));
  check_schema("lab-strategies", lab({"strategies", "-o", "json"}));
  check_schema("lab-strategy-runs", lab({"sim", "--strategies", "mute-primary", "--seeds", "1", "-o", "json"}));
  check_schema("lab-bench-guard", lab({"bench", "guard", "--duration", "1", "-o", "json"}));
  check_schema("lab-bench-placement", lab({"bench", "placement", "--nodes", "50", "--tasks", "500", "-o", "json"}));
  check_schema("lab-siege", lab({"siege", "--strategies", "equivocate-to-halves", "--baseline", "1", "--duration", "2",
                                 "-o", "json"}));
}

}  // namespace hypermesh::testing::cli_test
