#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// The report of a run under load. The run must not have lost any operation.
nlohmann::json told_by(const words& arguments) {
  const auto demo = run(arguments);
  CAPTURE(demo.err);
  REQUIRE(demo.code == 0);
  auto told = nlohmann::json::parse(demo.out);
  CHECK(told["ok"] == true);
  CHECK(told["lost"] == 0);
  CHECK(told["doubled"] == 0);
  CHECK(told["failed"] == 0);
  CHECK(told["acknowledged"].get<std::uint64_t>() > 0);
  for (const auto& root : told["state_roots"])
    CHECK(root == told["state_roots"][0]);
  return told;
}

}  // namespace

TEST_CASE(
    "primaries that are killed under load are replaced, and no acknowledged operation is lost or executed twice") {
  const auto told =
      told_by({"demo", "--kill-primary-every", "2s", "--duration", "9s", "--in-flight", "16", "-o", "json"});
  CHECK(told["kills"].size() >= 3);
  CHECK(told["kills"].back()["view"].get<std::uint64_t>() > 0);
}

TEST_CASE("the gaps of primaries that are killed, moved and restarted are measured one by one") {
  for (const std::string cause : {"failovers", "hand-overs", "planned-restarts"}) {
    CAPTURE(cause);
    const auto told = told_by({"demo", "--" + cause, "2", "-o", "json"});
    REQUIRE(told["gaps"].size() == 2);
    CHECK(told["in_flight"] == 1);
    for (const auto& gap : told["gaps"]) {
      CHECK(gap["gap_ms"].get<double>() > 0);
      CHECK(gap["return_ms"].is_null() == (cause == "hand-overs"));
    }
    // The second event had another primary, so the first one took effect.
    CHECK(told["gaps"][1]["view"].get<std::uint64_t>() > told["gaps"][0]["view"].get<std::uint64_t>());
    CHECK(told["gaps"][1]["primary"] != told["gaps"][0]["primary"]);
    CHECK(told["gap_ms"]["max"].get<double>() >= told["gap_ms"]["median"].get<double>());
  }
}

TEST_CASE("all replicas, killed at once under load, recover every acknowledged operation from their disks") {
  const auto told = told_by({"demo", "--kill-all-every", "2s", "--duration", "9s", "--in-flight", "16", "-o", "json"});
  CHECK(told["kills"].size() >= 3);
}

TEST_CASE("a backup that missed thousands of operations catches up under load") {
  const auto told = told_by({"demo", "--absent-for", "3000", "-o", "json"});
  CHECK(told["missed"].get<std::uint64_t>() >= 3'000);
  CHECK(told["in_step_s"].is_number());
  CHECK(told["lost_disk"] == false);
  CHECK(told["on_probation"].is_null());
  CHECK(told["sequences"]["in_step"].get<std::uint64_t>() > told["sequences"]["at_kill"].get<std::uint64_t>());
}

TEST_CASE("a backup that lost its disk fetches the state from the others and catches up") {
  const auto told = told_by({"demo", "--absent-for", "3000", "--lose-disk", "-o", "json"});
  CHECK(told["missed"].get<std::uint64_t>() >= 3'000);
  CHECK(told["in_step_s"].is_number());
  CHECK(told["lost_disk"] == true);
  CHECK(told["states_installed"].get<std::uint64_t>() >= 1);
  CHECK(told["on_probation"].is_boolean());
}

TEST_CASE("a long run reports the resources of every replica after each tenth") {
  const auto told = told_by({"demo", "--endure", "5000", "--state-mib", "4", "-o", "json"});
  REQUIRE(told["tenths"].size() == 10);
  CHECK(told["tenths"].back()["answered"].get<std::uint64_t>() >= 5'000);
  for (const auto& tenth : told["tenths"]) {
    REQUIRE(tenth["replicas"].size() == 4);
    for (const auto& replica : tenth["replicas"]) {
      CHECK(replica["resident_bytes"].get<std::uint64_t>() > 0);
      CHECK(replica["disk_bytes"].get<std::uint64_t>() > 0);
    }
  }
  CHECK(told["growth"]["memory"]["flat"].is_boolean());
  CHECK(told["checkpoint_pause_us"]["count"].get<std::uint64_t>() > 0);
  CHECK(told["growth"]["disk"]["since_first_tenth"].get<double>() > 0);
}

}  // namespace hypermesh::testing::cli_test
