#include "tools/hypermesh/live/cluster_status.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/status_bench.hpp"

namespace hypermesh::testing {

namespace {

const auto plain = text_style::plain();

/// A host name of the greatest length.
std::string longest_host() {
  std::string host;
  while (host.size() < 253)
    host += host.size() % 32 == 31 ? '.' : 'h';
  return host;
}

}  // namespace

TEST_CASE("the status begins with the sentence about the health") {
  const auto page = page_of(status_bench{}.status(), status_form::narrow, plain);
  CHECK(page.starts_with("tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)\n\n"));
}

TEST_CASE("the status fits 80 columns for every size of the group, whatever the replicas report") {
  for (const std::uint32_t replicas : {4U, 7U, 16U, 100U}) {
    CAPTURE(replicas);
    status_bench bench{replicas};
    CHECK(widest_line(page_of(bench.status(), status_form::narrow, plain)) <= status_columns_max);
    for (std::uint32_t number = 0; number < replicas; ++number) {
      bench.inflate(number);
      bench.cluster.replicas[number].address = {longest_host(), 65'535};
    }
    CHECK(widest_line(page_of(bench.status(), status_form::narrow, plain)) <= status_columns_max);
    CHECK(widest_line(page_of(bench.status(), status_form::narrow, text_style::with_colours())) <= status_columns_max);
    bench.reports.assign(replicas, std::nullopt);
    CHECK(widest_line(page_of(bench.status(), status_form::narrow, plain)) <= status_columns_max);
    set_counter(bench.reports.front().emplace(), "on_probation", 1);
    CHECK(widest_line(page_of(bench.status(), status_form::narrow, plain)) <= status_columns_max);
  }
}

TEST_CASE("a convicted and a throttled replica fit 80 columns, and the wide table has the details") {
  status_bench bench{16};
  for (std::uint32_t number = 0; number < 16; ++number) {
    auto& report = bench.report(number);
    set_counter(report, "reputation_score{replica=\"3\"}", 0);
    set_counter(report, "convictions{replica=\"3\"}", largest_number);
    set_counter(report, "quarantined_until_sequence{replica=\"3\"}", largest_number);
    set_counter(report, "reputation_score{replica=\"5\"}", 10);
  }
  const auto narrow = page_of(bench.status(), status_form::narrow, plain);
  CHECK(widest_line(narrow) <= status_columns_max);
  CHECK(has(narrow, "  quarantine\n"));
  CHECK(has(narrow, "  throttled\n"));
  const auto wide = page_of(bench.status(), status_form::wide, plain);
  CHECK(has(wide, "quarantine until 18,446,744,073,709,551,615"));
  CHECK(has(wide, "throttled, 10"));
}

TEST_CASE("addresses that differ at their ends differ in the table") {
  status_bench bench;
  for (auto& each : bench.cluster.replicas)
    each.address.host = longest_host();
  const auto table = table_of(bench.status(), status_form::narrow, plain);
  CHECK(has(table, ":7400"));
  CHECK(has(table, ":7403"));
}

TEST_CASE("the verdict of a status tells a missing quorum from differing states") {
  status_bench bench;
  CHECK(verdict_of(bench.status()) == exit_code::ok);
  bench.report(3).state_root = digest{{std::byte{1}}};
  CHECK(verdict_of(bench.status()) == exit_code::failed);
  bench.reports[2].reset();
  bench.reports[3].reset();
  CHECK(verdict_of(bench.status()) == exit_code::no_quorum);
}

TEST_CASE("the line of changes is equal while only positions grow, and differs after a change") {
  status_bench bench;
  const auto before = change_line_of(bench.status());
  CHECK(has(before, "view 0, primary 0"));
  for (std::uint32_t number = 0; number < 4; ++number)
    bench.report(number).last_executed = sequence_number{1'100};
  CHECK(change_line_of(bench.status()) == before);
  bench.reports[2].reset();
  const auto after = change_line_of(bench.status());
  CHECK(after != before);
  CHECK(has(after, "replica 2 unreachable"));
  bench.reports[1].reset();
  CHECK(has(change_line_of(bench.status()), "no quorum"));
}

TEST_CASE("a number is fitted into its column without a wrong digit") {
  CHECK(fitted(0, 6) == "0");
  CHECK(fitted(12'345, 6) == "12,345");
  CHECK(fitted(123'456, 6) == "123456");
  CHECK(fitted(1'234'567, 6) == "1.2M");
  CHECK(fitted(999'999'999, 6) == "1.0G");
  CHECK(fitted(largest_number, 6) == "18.4E");
}

}  // namespace hypermesh::testing
