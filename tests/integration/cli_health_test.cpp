// In a real cluster, the health that `hypermesh status` reports, and restarts of the replicas that it calls safe.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// A cluster with one client that writes again and again.
struct health_bench {
  running_cluster cluster{"key-value", {"--checkpoint-period", "8"}};

  [[nodiscard]] nlohmann::json health() const {
    return nlohmann::json::parse(cluster.ask("status", {"--timeout", "2", "-o", "json"}).out)["health"];
  }
  [[nodiscard]] bool is_healthy() const {
    const auto now = health();
    return now["degraded"] == false && now["faults_tolerated"] == 1;
  }
  [[nodiscard]] bool answers() const {
    return cluster.ask("submit", {"--timeout", "20", "put", "colour", "blue"}).out == "ok\n";
  }
  void kill(std::uint32_t number) {
    cluster.replica(number).send(SIGKILL);
    (void)cluster.replica(number).wait();
  }
};

}  // namespace

TEST_CASE_FIXTURE(health_bench,
                  "status says that a healthy cluster tolerates one fault, and none with one replica down") {
  REQUIRE(cluster.is_ready());
  REQUIRE(answers());
  REQUIRE(eventually([&] { return is_healthy(); }));
  const auto well = health();
  CHECK(well["sentence"] == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
  CHECK(well["safe_to_restart"] == nlohmann::json({1, 2, 3}));
  CHECK(has(cluster.ask("status", {}).out, "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)"));
  kill(3);
  REQUIRE(eventually([&] { return health()["faults_tolerated"] == 0; }));
  const auto ill = health();
  CHECK(ill["sentence"] == "tolerates 0 more faults; replica 3 is silent; safe to restart: none");
  CHECK(ill["safe_to_restart"].empty());
  CHECK(answers());
  cluster.start(3);
  CHECK(eventually([&] { return is_healthy(); }));
}

TEST_CASE_FIXTURE(health_bench, "the cluster serves a client while each replica that status calls safe restarts") {
  REQUIRE(cluster.is_ready());
  const scratch_folder folder;
  write_text(folder / "in", puts(20'000));
  process load{{"submit", "--cluster", cluster.directory(), "--bundle", "4", "-"},
               {folder / "in", folder / "out", folder / "err", {}}};
  for (std::size_t round = 0; round < 3; ++round) {
    nlohmann::json safe;
    REQUIRE(eventually([&] { return !(safe = health()["safe_to_restart"]).empty(); }));
    const auto chosen = safe[round % safe.size()].get<std::uint32_t>();
    CAPTURE(chosen);
    kill(chosen);
    CHECK(answers());
    CHECK(eventually([&] { return health()["safe_to_restart"].empty(); }));
    cluster.start(chosen);
  }
  CHECK(load.wait() == 0);
  CHECK(eventually([&] { return is_healthy(); }));
}

TEST_CASE_FIXTURE(health_bench, "no replica is safe to restart while a replica that lost its disk is on probation") {
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"-"}, puts(20)).code == 0);
  kill(2);
  kill(3);
  fs::remove_all(fs::path{cluster.directory() + "/replica-3/data"});
  cluster.start(3, {"--learner"});
  // Only two replicas vote, so the probation does not end.
  REQUIRE(eventually([&] {
    const auto now = health();
    return now["reasons"].size() == 2 && now["reasons"][1]["condition"] == "on_probation";
  }));
  CHECK(health()["service_possible"] == false);
  CHECK(health()["safe_to_restart"].empty());
  cluster.start(2);
  CHECK(eventually([&] { return is_healthy(); }));
}

}  // namespace hypermesh::testing::cli_test
