#include <doctest/doctest.h>

#include "tools/hypermesh/runs/replay_report.hpp"

namespace hypermesh::testing {

using namespace cli;

namespace {

/// The result of a replay into an own cluster of one replica that did everything right.
replay_result right_result() {
  replay_result result;
  result.tally.emplace(result.work.trace);
  result.replicas = {{node_report{}, {}}};
  result.reference_totals = scheduler::summary_view{};
  result.totals = result.reference_totals;
  return result;
}

}  // namespace

TEST_CASE("a replay whose totals could not be read fails with a verdict of its own") {
  auto result = right_result();
  REQUIRE(result.is_right());
  CHECK(json_of(result)["verdict"]["equals_single_scheduler"] == true);

  result.totals.reset();
  CHECK_FALSE(result.is_right());
  CHECK(verdict_of(result).find("no f + 1 of them answered the read of the totals") != std::string::npos);
  // It is not known whether the totals are equal.
  CHECK(json_of(result)["verdict"]["equals_single_scheduler"].is_null());

  result.totals = scheduler::summary_view{};
  result.totals->placed = 1;
  CHECK_FALSE(result.is_right());
  CHECK(verdict_of(result).find("differ from those of a single scheduler") != std::string::npos);
  CHECK(json_of(result)["verdict"]["equals_single_scheduler"] == false);
}

}  // namespace hypermesh::testing
