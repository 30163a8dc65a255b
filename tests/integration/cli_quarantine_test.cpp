// A replica in a real cluster is convicted, every replica reports this, and operators release the replica.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

struct quarantine_bench {
  running_cluster cluster;

  /// The agreed standing of replica 3 according to the other replicas.
  [[nodiscard]] nlohmann::json standing() const {
    const auto told = nlohmann::json::parse(cluster.ask("status", {"--timeout", "0.5", "-o", "json"}).out);
    return told["replicas"][3].value("standing", nlohmann::json::object());
  }
  [[nodiscard]] bool is_in_quarantine() const { return standing().value("quarantined_until", 0) > 0; }
  void convict() {
    REQUIRE(cluster.is_ready());
    cluster.corrupt(3, "conflicting-votes");
    REQUIRE(cluster.is_ready());
    REQUIRE(cluster.ask("submit", {"-"}, puts(50)).code == 0);
    REQUIRE(eventually([&] { return is_in_quarantine(); }));
    // The replica must stop, because it would be convicted repeatedly.
    cluster.replica(3).send(SIGTERM);
    REQUIRE(cluster.replica(3).wait() == 0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(quarantine_bench, "a convicted replica is shown as such, and f + 1 operators release it") {
  convict();
  CHECK(standing()["convictions"] > 0);
  CHECK(standing()["score"] == 0);
  CHECK(has(cluster.ask("status", {"-o", "wide"}).out, "quarantine until"));

  const auto alone = cluster.ask("release", {"--operator", "0", "--timeout", "1.5", "3"});
  CHECK(alone.code == 1);
  CHECK(has(alone.err, "run the command as the operators of 2 replicas"));
  CHECK(is_in_quarantine());
  // The replicas still count the release of the first operator.
  const auto node_file = cluster.directory() + "/replica-2/node.toml";
  const auto second = cluster.ask("release", {"--node", node_file, "--timeout", "20", "3"});
  CAPTURE(second.err);
  CHECK(second.code == 0);
  CHECK_FALSE(is_in_quarantine());
  CHECK(standing()["convictions"] > 0);
  // The command refuses to release a replica that is not in quarantine.
  const auto innocent = cluster.ask("release", {"1"});
  CHECK(innocent.code == 1);
  CHECK(has(innocent.err, "is not in quarantine"));
  CHECK(cluster.ask("release", {"17"}).code == 2);
}

TEST_CASE_FIXTURE(quarantine_bench, "the trails of the other replicas hold the evidence, which anyone can verify") {
  convict();
  std::size_t found = 0;
  for (std::uint32_t number = 0; number < 3; ++number) {
    cluster.replica(number).send(SIGTERM);
    REQUIRE(cluster.replica(number).wait() == 0);
    const auto config = cluster.directory() + "/replica-" + std::to_string(number) + "/node.toml";
    const auto verdict = nlohmann::json::parse(run({"audit", "verify", "--config", config, "-o", "json"}).out);
    CHECK(verdict["sound"] == true);
    CHECK(verdict["entries_by_kind"].value("conviction", 0) > 0);
    found += verdict["entries_by_kind"].value("evidence", std::size_t{0});
  }
  CHECK(found > 0);
}

}  // namespace hypermesh::testing::cli_test
