#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::cli_test {

namespace {

nlohmann::json told_by(const words& arguments, std::size_t kills_min) {
  const auto demo = run(arguments);
  CAPTURE(demo.err);
  REQUIRE(demo.code == 0);
  auto told = nlohmann::json::parse(demo.out);
  CHECK(told["ok"] == true);
  CHECK(told["lost"] == 0);
  CHECK(told["doubled"] == 0);
  CHECK(told["failed"] == 0);
  CHECK(told["acknowledged"].get<std::uint64_t>() > 0);
  CHECK(told["kills"].size() >= kills_min);
  for (const auto& root : told["state_roots"])
    CHECK(root == told["state_roots"][0]);
  return told;
}

}  // namespace

TEST_CASE("primaries that are killed under load are replaced, and nothing acknowledged is lost or doubled") {
  const auto told =
      told_by({"demo", "--kill-primary-every", "2s", "--duration", "9s", "--in-flight", "16", "-o", "json"}, 3);
  CHECK(told["kills"].back()["view"].get<std::uint64_t>() > 0);
}

TEST_CASE("all replicas killed at once under load come back from their disks with everything acknowledged") {
  told_by({"demo", "--kill-all-every", "2s", "--duration", "9s", "--in-flight", "16", "-o", "json"}, 3);
}

}  // namespace hypermesh::cli_test
