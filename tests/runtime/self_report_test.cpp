#include "runtime/metrics/self_report.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "messages/limits.hpp"

namespace hypermesh::testing {

namespace {

std::optional<std::uint64_t> value_in(const std::vector<named_counter>& counters, std::string_view name) {
  const auto found = std::ranges::find(counters, name, &named_counter::name);
  return found == counters.end() ? std::nullopt : std::optional{found->value};
}

}  // namespace

TEST_CASE("a node reports processor time, memory, phases and writes as totals beside their number") {
  metrics::metric_values values{4};
  values.observe(metrics::metric::phase_seconds, 0.25, static_cast<std::size_t>(metrics::phase::committed));
  values.observe(metrics::metric::phase_seconds, 0.5, static_cast<std::size_t>(metrics::phase::committed));
  values.observe(metrics::metric::storage_write_seconds, 0.002);
  metrics::host_facts process;
  process.processor_time = std::chrono::microseconds{1'500};
  process.resident_bytes = 4'096;
  const auto counters = metrics::self_report_counters(values, process, moment{7us});
  CHECK(value_in(counters, "self_report_at_us") == 7);
  CHECK(value_in(counters, "process_cpu_us_total") == 1'500);
  CHECK(value_in(counters, "process_resident_bytes") == 4'096);
  CHECK(value_in(counters, "phase_us_total{phase=\"committed\"}") == 750'000);
  CHECK(value_in(counters, "phase_batches_total{phase=\"committed\"}") == 2);
  CHECK(value_in(counters, "phase_batches_total{phase=\"executed\"}") == 0);
  CHECK(value_in(counters, "storage_write_us_total") == 2'000);
  CHECK(value_in(counters, "storage_writes_total") == 1);
  CHECK(counters.size() <= 15);
  for (const auto& each : counters)
    CHECK(each.name.size() <= limits::report_name_bytes_max);
}

TEST_CASE("a fact that the system does not tell is not reported") {
  const auto counters = metrics::self_report_counters(metrics::metric_values{4}, {}, moment{});
  CHECK_FALSE(value_in(counters, "process_cpu_us_total"));
  CHECK_FALSE(value_in(counters, "process_resident_bytes"));
}

TEST_CASE("the facts of this process are known without its disks") {
  const auto facts = metrics::read_process_facts();
  REQUIRE(facts.resident_bytes);
  CHECK(*facts.resident_bytes > 0);
  CHECK(facts.processor_time);
  CHECK_FALSE(facts.disks[0]);
}

}  // namespace hypermesh::testing
