// Runs sieges of real clusters and measures the cost of the guard. The tests check correct results and an end, not
// speed.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// The streams of `hypermesh-lab ARGUMENTS`, as files below `folder`.
process_streams streams_in(const scratch_folder& folder) {
  fs::create_directory(folder / "temporary");
  return {"/dev/null", folder / "out", folder / "err", folder / "temporary", HYPERMESH_LAB};
}

bool nothing_is_left(const scratch_folder& folder) {
  return fs::is_empty(folder / "temporary") && processes_with((folder / "temporary").string()).empty();
}

}  // namespace

TEST_CASE("a besieged cluster accepts no wrong result, and convicts each author of conflicting messages") {
  const scratch_folder folder;
  process siege{{"siege", "--strategies", "conflicting-votes,partly-valid-request", "--baseline", "1s", "--duration",
                 "2s", "-o", "json"},
                streams_in(folder)};
  CHECK(siege.wait() == 0);
  INFO(text_of(folder / "err"));
  const auto told = nlohmann::json::parse(text_of(folder / "out"));
  REQUIRE(told["strategies"].size() == 2);
  CHECK(told["ok"] == true);
  for (const auto& each : told["strategies"]) {
    CAPTURE(each["strategy"]);
    CHECK(each["acknowledged"] > 0);
    CHECK(each["wrong_replies"] == 0);
    CHECK(each["lost"] == 0);
    CHECK(each["doubled"] == 0);
    CHECK(each["roots_are_equal"] == true);
    CHECK(each["convicted_wrongly"].empty());
  }
  CHECK(told["strategies"][0]["convicted_after_s"].is_number());
  CHECK(told["strategies"][0]["state_roots"][3].is_null());
  CHECK(told["strategies"][1]["by_client"] == true);
  CHECK(told["strategies"][1]["noticed"]["rejected_total{reason=\"bad_signature\"}"] > 0);
  CHECK(nothing_is_left(folder));
}

TEST_CASE("an interrupted siege leaves nothing behind") {
  const scratch_folder folder;
  process siege{{"siege", "--strategies", "mute-donor", "--baseline", "30s"}, streams_in(folder)};
  CHECK(eventually([&] { return processes_with((folder / "temporary").string()).size() == 4; }));
  siege.send(SIGINT);
  CHECK(siege.wait() == 130);
  CHECK(nothing_is_left(folder));
}

TEST_CASE("a siege with an unknown strategy is refused") {
  const scratch_folder folder;
  process siege{{"siege", "--strategies", "mute-primary,no-such-thing"}, streams_in(folder)};
  CHECK(siege.wait() == 2);
}

TEST_CASE("the costs of the guard are measured on the frames of real replicas") {
  const scratch_folder folder;
  process bench{{"bench", "guard", "--duration", "500ms", "--nodes", "30", "-o", "json"}, streams_in(folder)};
  CHECK(bench.wait() == 0);
  INFO(text_of(folder / "err"));
  const auto told = nlohmann::json::parse(text_of(folder / "out"));
  std::vector<std::string> kinds;
  for (const auto& each : told["kinds"]) {
    kinds.push_back(each["message"]);
    CHECK(each["frames"] > 0);
    CHECK(each["checks_us"] >= 0);
  }
  for (const std::string wanted : {"REQUEST", "PRE-PREPARE", "PREPARE", "COMMIT"})
    CHECK(std::find(kinds.begin(), kinds.end(), wanted) != kinds.end());
  REQUIRE(told["shares"].size() == 2);
  for (const auto& each : told["shares"]) {
    CHECK(each["operations"] > 0);
    CHECK(each["percent"] > 0);
    CHECK(each["percent"] < 100);
  }
  CHECK(told["memory"]["replicas"] == 29);
  CHECK(told["memory"]["bytes"] > 1'000'000);
  CHECK(nothing_is_left(folder));
}

}  // namespace hypermesh::testing::cli_test
