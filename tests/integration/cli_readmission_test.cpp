// In a real cluster, a replica loses its disk and becomes a full member again without any fault of another replica. In
// other tests, an operator moves the primary.
#include <algorithm>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

nlohmann::json status_of(const running_cluster& cluster) {
  return nlohmann::json::parse(cluster.ask("status", {"--timeout", "1", "-o", "json"}).out);
}

/// Replica 3 is killed and its data is moved away, after `operations` in a cluster with short checkpoint periods.
struct readmission_bench {
  running_cluster cluster{"key-value", {"--checkpoint-period", "8"}};

  void lose_disk() {
    REQUIRE(cluster.is_ready());
    REQUIRE(cluster.ask("submit", {"-"}, puts(60)).code == 0);
    cluster.replica(3).send(SIGKILL);
    (void)cluster.replica(3).wait();
    const fs::path home{cluster.directory() + "/replica-3"};
    fs::rename(home / "data", home / "lost");
    cluster.start(3, {"--learner"});
    REQUIRE(cluster.is_ready());
  }
  [[nodiscard]] bool is_member_again() const {
    const auto told = status_of(cluster);
    return told["voting"] == 4 && told["replicas"][3]["probation"].is_null();
  }
  [[nodiscard]] std::uint64_t suspicions() const {
    std::uint64_t sum = 0;
    for (const auto& replica : status_of(cluster)["replicas"]) {
      for (const auto& [name, value] : replica["counters"].items()) {
        if (name.starts_with("suspicions_total")) sum += value.get<std::uint64_t>();
      }
    }
    return sum;
  }
  /// The group tolerates one missing replica. Replica 3 is a member again, so now the primary may be missing.
  void kill_primary() {
    const auto told = status_of(cluster);
    for (std::uint32_t number = 0; number < 4; ++number) {
      if (told["replicas"][number].value("primary", false)) cluster.replica(number).send(SIGKILL);
    }
    CHECK(cluster.ask("submit", {"--timeout", "30", "put", "after", "all"}).out == "ok\n");
  }
};

}  // namespace

TEST_CASE_FIXTURE(readmission_bench, "a replica that lost its disk is a full member again in an idle cluster") {
  lose_disk();
  CHECK(eventually([&] { return is_member_again(); }));
  CHECK(suspicions() == 0);
  CHECK(has(text_of(cluster.err_of(3)), "this replica lost its disk, or its data directory is new"));
  CHECK(eventually([&] { return has(text_of(cluster.err_of(3)), "a full member again"); }));
  // The directory of replica 3 records that the replica is a learner.
  cluster.replica(3).send(SIGTERM);
  REQUIRE(cluster.replica(3).wait() == 0);
  cluster.start(3);
  REQUIRE(cluster.is_ready());
  CHECK(eventually([&] { return is_member_again(); }));
  kill_primary();
}

TEST_CASE_FIXTURE(readmission_bench, "a replica that lost its disk is a full member again under load") {
  lose_disk();
  const scratch_folder folder;
  write_text(folder / "in", puts(20'000));
  process load{{"submit", "--cluster", cluster.directory(), "--bundle", "4", "-"},
               {folder / "in", folder / "out", folder / "err", {}}};
  CHECK(eventually([&] { return is_member_again(); }));
  CHECK(load.wait() == 0);
  kill_primary();
}

TEST_CASE_FIXTURE(readmission_bench,
                  "status reports that no progress is possible with one replica on probation and another one down") {
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"-"}, puts(20)).code == 0);
  cluster.replica(2).send(SIGKILL);
  cluster.replica(3).send(SIGKILL);
  (void)cluster.replica(3).wait();
  fs::remove_all(fs::path{cluster.directory() + "/replica-3/data"});
  cluster.start(3, {"--learner"});
  REQUIRE(eventually([&] { return status_of(cluster)["reachable"] == 3; }));
  const auto told = cluster.ask("status", {"--timeout", "1"});
  CAPTURE(told.err);
  CHECK(told.code == 3);
  CHECK(has(told.out, "probation"));
  CHECK(has(told.err, "only 2 replicas vote, so the service is stopped"));
  CHECK(status_of(cluster)["has_quorum"] == false);
}

TEST_CASE("the primary hands over when its operator asks, and to the replica that f + 1 operators name") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "a", "1"}).code == 0);
  const auto next = cluster.ask("hand-over", {});
  CAPTURE(next.err);
  CHECK(next.code == 0);
  CHECK(has(next.err, "replica 1 is the primary, in view 1"));
  const auto alone = cluster.ask("hand-over", {"--operator", "0", "--timeout", "1.5", "3"});
  CHECK(alone.code == 1);
  CHECK(has(alone.err, "name the node.toml files of 2 replicas with --node"));
  const auto other = cluster.ask("hand-over", {"--operator", "0", "--timeout", "1.5"});
  CHECK(other.code == 1);
  CHECK(has(other.err, "its operator was not given"));
  const auto named = cluster.ask("hand-over", {"3"});
  CAPTURE(named.err);
  CHECK(named.code == 0);
  CHECK(status_of(cluster)["replicas"][3]["primary"] == true);
  CHECK(cluster.ask("hand-over", {"17"}).code == 2);
  CHECK(cluster.ask("submit", {"put", "a", "2"}).out == "ok\n");
}

// The hand-over leaves six views at once. Each VIEW-CHANGE for them is needed, and no limit may refuse one of them.
TEST_CASE("a hand-over to the last of seven replicas leaves six views, and no message of it is refused") {
  running_cluster cluster{"key-value", {}, 7};
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "a", "1"}).code == 0);
  const auto named = cluster.ask("hand-over", {"6"});
  CAPTURE(named.err);
  CHECK(named.code == 0);
  // The command ends when the new primary has entered the view. The others follow.
  CHECK(eventually([&] {
    const auto told = status_of(cluster);
    return std::ranges::all_of(told["replicas"], [](const auto& replica) { return replica["view"] == 6; });
  }));
  const auto told = status_of(cluster);
  CHECK(told["replicas"][6]["primary"] == true);
  for (const auto& replica : told["replicas"])
    CHECK(replica["counters"].value(R"(frames_rejected_total{reason="overloaded"})", 0) == 0);
}

}  // namespace hypermesh::testing::cli_test
