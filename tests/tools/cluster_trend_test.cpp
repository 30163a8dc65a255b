#include "tools/hypermesh/live/cluster_trend.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/status_bench.hpp"

namespace hypermesh::testing {

namespace {

/// Two looks at a cluster, two seconds apart.
struct trend_bench {
  status_bench before;
  status_bench now;

  [[nodiscard]] cluster_view view() const {
    const auto earlier = before.status();
    return view_of(&earlier, now.status(), 2);
  }
  /// The counter grows from `from` by `growth` at each replica.
  void grow(const std::string& name, std::uint64_t from, std::uint64_t growth) {
    for (std::uint32_t number = 0; number < before.reports.size(); ++number) {
      set_counter(before.report(number), name, from);
      set_counter(now.report(number), name, from + growth);
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(trend_bench, "rates are the growth of counters between two looks") {
  grow("requests_executed_total", 5, 300);
  grow("batches_committed_total", 7, 10);
  grow("link_wire_bytes_in", 1, 2'000);
  grow("link_wire_bytes_out", 1, 4'000);
  grow("rejected_total{reason=\"empty_frame\"}", 0, 6);
  const auto seen = view();
  const auto& trend = seen.replicas[1].trend;
  CHECK(trend.requests_per_second == 150);
  CHECK(trend.batches_per_second == 5);
  CHECK(trend.bytes_in_per_second == 1'000);
  CHECK(trend.bytes_out_per_second == 2'000);
  CHECK(trend.rejected_per_second == 3);
  CHECK(seen.requests_per_second == 150);
}

TEST_CASE_FIXTURE(trend_bench, "processor time counts by the node's own clock, and latencies are means") {
  grow("self_report_at_us", 1'000, 500'000);
  grow("process_cpu_us_total", 10, 250'000);
  grow("phase_us_total{phase=\"prepared\"}", 100, 9'000);
  grow("phase_batches_total{phase=\"prepared\"}", 2, 3);
  grow("storage_write_us_total", 0, 8'000);
  grow("storage_writes_total", 0, 4);
  const auto seen = view();
  CHECK(seen.replicas[0].trend.cpu_percent == 50);
  CHECK(seen.replicas[0].trend.phase_ms[1] == 3);
  CHECK_FALSE(seen.replicas[0].trend.phase_ms[0]);
  CHECK(seen.replicas[0].trend.write_ms == 2);
  CHECK(seen.phase_ms[1] == 3);
}

TEST_CASE_FIXTURE(trend_bench, "a number is unknown after a restart, without an event, and at the first look") {
  grow("requests_executed_total", 500, 0);
  set_counter(now.report(2), "requests_executed_total", 3);
  CHECK_FALSE(view().replicas[2].trend.requests_per_second);
  CHECK(view().replicas[1].trend.requests_per_second == 0);
  grow("phase_us_total{phase=\"executed\"}", 10, 0);
  grow("phase_batches_total{phase=\"executed\"}", 10, 0);
  CHECK_FALSE(view().replicas[1].trend.phase_ms[3]);
  const auto first = view_of(nullptr, now.status(), 2);
  CHECK_FALSE(first.requests_per_second);
  CHECK_FALSE(first.replicas[0].trend.requests_per_second);
}

TEST_CASE_FIXTURE(trend_bench, "one faulty replica cannot raise the numbers of the group") {
  grow("requests_executed_total", 0, 100);
  now.inflate(3);
  const auto seen = view();
  CHECK(seen.requests_per_second == 50);
  CHECK(seen.executed == 1'000);
  CHECK(seen.replicas[3].lag == 0);
  CHECK(seen.replicas[0].lag == 0);
}

TEST_CASE_FIXTURE(trend_bench, "lag counts from the position that f + 1 replicas have reached") {
  now.report(0).last_executed = sequence_number{900};
  CHECK(view().replicas[0].lag == 100);
  now.reports[1].reset();
  now.reports[2].reset();
  now.reports[3].reset();
  CHECK(view().executed == 0);
  CHECK_FALSE(view().replicas[1].is_reachable);
}

TEST_CASE_FIXTURE(trend_bench, "replicas are sorted by each key, unknown values last, and equal ones by number") {
  for (std::uint32_t number = 0; number < 4; ++number)
    set_counter(now.report(number), "requests_pending", number % 2);
  now.reports[1].reset();
  auto replicas = view().replicas;
  const auto numbers = [&replicas] {
    std::vector<std::uint32_t> all;
    for (const auto& each : replicas)
      all.push_back(each.number);
    return all;
  };
  sort_by(sort_key::pending, replicas);
  CHECK(numbers() == std::vector<std::uint32_t>{3, 0, 2, 1});
  sort_by(sort_key::number, replicas);
  CHECK(numbers() == std::vector<std::uint32_t>{0, 1, 2, 3});
  auto key = sort_key::number;
  for (unsigned steps = 0; steps <= static_cast<unsigned>(sort_key_last); ++steps) {
    sort_by(key, replicas);
    CHECK(replicas.size() == 4);
    key = next_of(key);
  }
  CHECK(key == sort_key::number);
}

TEST_CASE_FIXTURE(trend_bench, "unknown numbers are null in JSON") {
  const auto json = json_of(view());
  CHECK(json["replicas"][0]["cpu_percent"].is_null());
  CHECK(json["replicas"][0]["last_executed"] == 1'000);
  CHECK(json["phase_ms"]["committed"].is_null());
}

}  // namespace hypermesh::testing
