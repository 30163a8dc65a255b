// Runs real clusters in which an adversary controls one replica.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// The number of frames that correct replicas refused for this reason.
std::uint64_t refused(const running_cluster& cluster, const std::string& reason) {
  const auto told = nlohmann::json::parse(cluster.ask("status", {"-o", "json"}).out);
  const auto counter = "rejected_total{reason=\"" + reason + "\"}";
  std::uint64_t sum = 0;
  for (const auto& replica : told["replicas"]) {
    if (replica.contains("counters")) sum += replica["counters"].value(counter, std::uint64_t{0});
  }
  return sum;
}

}  // namespace

TEST_CASE("a real cluster tolerates a backup that votes twice, and refuses its votes") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  cluster.corrupt(3, "conflicting-votes");
  REQUIRE(cluster.is_ready());
  CHECK(cluster.ask("submit", {"-"}, puts(200)).code == 0);
  CHECK(cluster.ask("get", {"key-199"}).out == "199\n");
  CHECK(eventually([&] { return refused(cluster, "conflicting_statement") > 0; }));
  cluster.replica(3).send(SIGTERM);
  CHECK(cluster.replica(3).wait() == 0);
}

TEST_CASE("a real cluster replaces a primary that proposes nothing") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  cluster.corrupt(0, "mute-primary");
  REQUIRE(cluster.is_ready());
  CHECK(cluster.ask("submit", {"put", "name", "value"}).out == "ok\n");
  CHECK(cluster.ask("get", {"name"}).out == "value\n");
  const auto told = nlohmann::json::parse(cluster.ask("status", {"-o", "json"}).out);
  CHECK(told["replicas"][1]["view"] > 0);
}

TEST_CASE("a client that signs conflicting requests is convicted in a real cluster, and status shows it") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const auto rate_limited = [&] {
    return nlohmann::json::parse(cluster.ask("status", {"-o", "json"}).out)["clients_rate_limited"].get<int>();
  };
  CHECK(rate_limited() == 0);
  const auto config = cluster.directory() + "/client-1/client.toml";
  const process_streams streams{"/dev/null", "/dev/null", "/dev/null", {}, HYPERMESH_LAB};
  process adversary{{"byzantine", "--strategy", "two-operations-one-timestamp", "--client-config", config}, streams};
  CHECK(eventually([&] { return rate_limited() == 1; }));
  CHECK(has(cluster.ask("status", {}).err, "1 client was convicted"));
  adversary.send(SIGTERM);
  (void)adversary.wait();
}

TEST_CASE("an unknown strategy is refused") {
  const process_streams streams{"/dev/null", "/dev/null", "/dev/null", {}, HYPERMESH_LAB};
  process command{{"byzantine", "--strategy", "no-such-thing", "--config", "node.toml"}, streams};
  CHECK(command.wait() == 2);
}

}  // namespace hypermesh::testing::cli_test
