#include "tools/hypermesh/runs/gap_report.hpp"

#include <doctest/doctest.h>

namespace hypermesh::testing {

using namespace cli;

namespace {

gap_result result_with(std::vector<double> gaps) {
  gap_result result;
  result.settings.count = static_cast<std::uint32_t>(gaps.size());
  result.end.roots_are_equal = true;
  for (const auto each : gaps)
    result.gaps.push_back({1, view_number{0}, replica_id{0}, each, 0.004, std::nullopt});
  return result;
}

}  // namespace

TEST_CASE("the percentiles of gaps are gaps that were measured") {
  const auto result = result_with({0.5, 0.1, 0.4, 0.2, 0.3});
  CHECK(result.percentile(0.5, &service_gap::gap_seconds) == 0.3);
  CHECK(result.percentile(0.9, &service_gap::gap_seconds) == 0.5);
  CHECK(result.percentile(1, &service_gap::gap_seconds) == 0.5);
  CHECK(result.percentile(0, &service_gap::gap_seconds) == 0.1);
  CHECK(result.percentile(0.5, &service_gap::quiet_seconds) == 0.004);
  CHECK_FALSE(gap_result{}.percentile(0.5, &service_gap::gap_seconds));
}

TEST_CASE("a run with fewer gaps than wanted is not right, and its JSON has no numbers that nobody measured") {
  auto result = result_with({0.2});
  CHECK(result.is_right());
  const auto json = json_of(result);
  CHECK(json["gap_ms"]["median"] == 200);
  CHECK(json["gaps"][0]["return_ms"].is_null());
  result.settings.count = 2;
  CHECK_FALSE(result.is_right());
  CHECK(json_of(gap_result{})["gap_ms"]["max"].is_null());
}

}  // namespace hypermesh::testing
