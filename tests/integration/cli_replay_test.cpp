#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// A demo that runs until it is stopped. The name of its folder identifies its files and its processes.
class endless_demo {
 public:
  explicit endless_demo(const scratch_folder& folder)
      : temporary_(folder / "tmp"), process_(start(folder, temporary_)) {}

  [[nodiscard]] std::vector<pid_t> replicas() const { return processes_with(temporary_.string()); }
  [[nodiscard]] const fs::path& temporary() const { return temporary_; }
  [[nodiscard]] process& itself() { return *process_; }
  [[nodiscard]] bool is_running() {
    return eventually([this] { return replicas().size() == 4 || process_->has_ended(); }) && !process_->has_ended();
  }

 private:
  static std::unique_ptr<process> start(const scratch_folder& folder, const fs::path& temporary) {
    fs::create_directory(temporary);
    return std::make_unique<process>(words{"demo", "--operations", "1000000"},
                                     process_streams{"/dev/null", folder / "out", folder / "err", temporary});
  }

  fs::path temporary_;
  std::unique_ptr<process> process_;
};

}  // namespace

TEST_CASE("a replay ends with equal states, and a second replay places the same tasks") {
  const auto first = run({"replay", "--operations", "1500", "-o", "json"});
  CAPTURE(first.err);
  REQUIRE(first.code == 0);
  const auto told = nlohmann::json::parse(first.out);
  CHECK(told["verdict"]["right"] == true);
  CHECK(told["results"]["answered"] == 1'500);
  CHECK(told["results"]["refused"] == 0);
  CHECK(told["results"]["wrong_results"] == 0);
  CHECK(told["replicas"].size() == 4);
  for (const auto& replica : told["replicas"]) {
    CHECK(replica["state_root"] == told["verdict"]["state_root"]);
    CHECK(replica["last_executed"] == told["replicas"][0]["last_executed"]);
  }
  CHECK(told["client"]["bundle"] == told["client"]["in_flight"]);
  const auto second = run({"replay", "--operations", "1500", "--bundle", "16", "-o", "json"});
  CAPTURE(second.err);
  REQUIRE(second.code == 0);
  const auto again = nlohmann::json::parse(second.out);
  // The roots differ, because they cover the ordered time of each cluster.
  CHECK(again["results"]["end"] == told["results"]["end"]);
  CHECK(again["results"]["placements_digest"] == told["results"]["placements_digest"]);
}

// Each kill causes a view change. The pending operations of a session must still be executed in their order, because
// otherwise a single scheduler gives other results.
TEST_CASE("a replay keeps its order while primaries are killed") {
  const auto result = run({"replay", "--operations", "400000", "--duration", "4s", "--bundle", "16", "--in-flight",
                           "2048", "--kill-primary-every", "1s", "-o", "json"});
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  const auto told = nlohmann::json::parse(result.out);
  CHECK(told["primaries_killed"] >= 1);
  CHECK(told["results"]["wrong_results"] == 0);
  CHECK(told["verdict"]["right"] == true);
}

TEST_CASE("a replay into a running cluster succeeds, and requires the scheduler there") {
  running_cluster cluster{"scheduler"};
  REQUIRE(cluster.is_ready());
  const auto result = cluster.ask("replay", {"--operations", "600", "-o", "json"});
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(nlohmann::json::parse(result.out)["results"]["applied"] == 600);
  CHECK(cluster.ask("get", {"summary"}).code == 0);

  running_cluster other{"key-value"};
  REQUIRE(other.is_ready());
  CHECK(other.ask("replay", {"--operations", "600"}).code == 2);
}

TEST_CASE("the demonstration leaves no process and no file behind") {
  const scratch_folder folder;
  const auto result = run({"demo", "--operations", "800"}, "", folder.path());
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(result.out.find("✓ 4 of 4 replicas hold the same state") != std::string::npos);
  CHECK(fs::is_empty(folder.path()));
  CHECK(processes_with(folder.path().string()).empty());
}

TEST_CASE("an interrupted demonstration cleans up") {
  const scratch_folder folder;
  endless_demo demo{folder};
  REQUIRE(demo.is_running());
  demo.itself().send(SIGINT);
  CHECK(demo.itself().wait() == 130);
  CHECK(demo.replicas().empty());
  CHECK(fs::is_empty(demo.temporary()));
}

TEST_CASE("replicas of a killed demonstration do not outlive it") {
  const scratch_folder folder;
  endless_demo demo{folder};
  REQUIRE(demo.is_running());
  demo.itself().send(SIGKILL);
  CHECK(demo.itself().wait() == 1'000 + SIGKILL);
  CHECK(eventually([&] { return demo.replicas().empty(); }));
}

TEST_CASE("a replay of the real trace places every task as a single scheduler does") {
  const fs::path data = fs::path{HYPERMESH_SOURCE_DIR} / "../shared/data";
  const auto nodes = (data / "openb_node_list_all_node.csv").string();
  const auto pods = (data / "openb_pod_list_default.csv").string();
  if (!fs::exists(nodes) || !fs::exists(pods)) {
    MESSAGE("not run: the trace is not at ../shared/data of the repository");
    return;
  }
  const auto result = run({"replay", "--nodes", nodes, "--pods", pods, "--bundle", "64", "-o", "json"});
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  const auto told = nlohmann::json::parse(result.out);
  CHECK(told["results"]["nodes_registered"] == 1'523);
  CHECK(told["results"]["tasks_submitted"] == 8'152);
  CHECK(told["results"]["tasks_released"] == 8'152);
  CHECK(told["verdict"]["equals_single_scheduler"] == true);
}

}  // namespace hypermesh::testing::cli_test
