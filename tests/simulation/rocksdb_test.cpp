#include <doctest/doctest.h>

#include "tests/simulation/simulated_run.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

run_report run_seed(std::uint64_t seed, fault_profile profile = fault_profile::mixed, std::uint32_t replicas = 4) {
  return run_simulation({seed, replicas, 60, profile, run_storage::rocksdb});
}

void expect_pass(const run_report& report, std::uint64_t seed) {
  const auto failure = report.failure ? report.failure->invariant + ": " + report.failure->what : std::string{};
  CHECK_MESSAGE(report.passed(), failure << "\n  seed " << seed);
}

/// A calm plan with only these faults, in one of the storage's modes.
run_plan plan_with(std::vector<planned_fault> faults, world_disk disk, std::uint64_t seed) {
  auto plan = make_plan({seed, 4, 80, fault_profile::calm});
  plan.settings.disk = static_cast<std::uint64_t>(disk);
  plan.heals_at = moment{3s};
  plan.faults = std::move(faults);
  return plan;
}

template <class Check>
void for_each_mode(const Check& check) {
  for (const auto disk : {world_disk::rocksdb_sync, world_disk::rocksdb_async}) {
    CAPTURE(static_cast<unsigned>(disk));
    check(disk);
  }
}

}  // namespace

TEST_CASE("equal seeds give equal events on RocksDB, whatever faults disks and nodes have") {
  for (const auto profile : {fault_profile::calm, fault_profile::crashing, fault_profile::disks,
                             fault_profile::forgetful, fault_profile::everything, fault_profile::twins}) {
    CAPTURE(to_string(profile));
    for (const std::uint64_t seed : {3, 4}) {
      CAPTURE(seed);
      const auto first = run_seed(seed, profile);
      const auto second_time = run_seed(seed, profile);
      CHECK(first.event_hash == second_time.event_hash);
      CHECK(first.disk_hash == second_time.disk_hash);
    }
  }
}

TEST_CASE("fixed seeds pass on RocksDB with four replicas") {
  for (std::uint64_t seed = 5'000; seed < 5'020; ++seed)
    expect_pass(run_seed(seed), seed);
}

TEST_CASE("fixed seeds pass on RocksDB with crashes and lost disks or records") {
  for (const auto profile : {fault_profile::crashing, fault_profile::disks, fault_profile::forgetful}) {
    CAPTURE(to_string(profile));
    for (std::uint64_t seed = 5'100; seed < 5'105; ++seed)
      expect_pass(run_seed(seed, profile), seed);
  }
}

TEST_CASE("a replica that lost its disk is a full member again on RocksDB, and stays one after a crash") {
  for_each_mode([](world_disk disk) {
    std::vector<planned_fault> faults = {{moment{100ms}, moment{110ms}, disk_loss{replica_id{3}}}};
    // The primaries of the first views are down for so long that they are replaced.
    for (std::uint32_t number = 0; number < 3; ++number) {
      const moment begin{(1 + number) * 1s};
      faults.push_back({begin, begin + 600ms, node_crash{replica_id{number}}});
    }
    faults.push_back({moment{4s}, moment{4'050ms}, node_crash{replica_id{3}}});
    auto plan = plan_with(std::move(faults), disk, 1);
    plan.heals_at = moment{5s};
    plan.settings.requests_per_batch_max = 1;
    plan.settings.bundle_operations_max = 1;
    splitmix64 chance{1};
    plan.operations = draw_workload(400, static_cast<std::uint32_t>(plan.settings.clients), plan.heals_at, chance);
    const auto report = run_simulation(plan);
    expect_pass(report, 1);
    CHECK(report.readmissions == 1);
    CHECK(report.learner_starts == 1);
  });
}

TEST_CASE("repeated power failures of all nodes lose no acknowledged record in mode sync") {
  std::uint64_t restarts = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::vector<planned_fault> faults;
    for (moment begin{200ms}; begin < moment{2'800ms}; begin += 400ms)
      faults.push_back({begin, begin + 50ms, power_cut{}});
    const auto report = run_simulation(plan_with(std::move(faults), world_disk::rocksdb_sync, seed));
    expect_pass(report, seed);
    restarts += report.restarts;
  }
  CHECK(restarts == 10 * 7 * 4);
}

TEST_CASE("a replica with a failing or full disk stops, and continues when the disk is sound again") {
  for_each_mode([](world_disk disk) {
    for (const auto trouble : {disk_trouble::write_errors, disk_trouble::sync_errors, disk_trouble::full}) {
      CAPTURE(static_cast<unsigned>(trouble));
      for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const auto report = run_simulation(
            plan_with({{moment{500ms}, moment{900ms}, failing_disk{replica_id{1}, trouble}}}, disk, seed));
        expect_pass(report, seed);
        CHECK(report.restarts == 1);
      }
    }
  });
}

TEST_CASE("a damaged disk is noticed, or still holds all votes of its replica") {
  for_each_mode([](world_disk disk) {
    std::uint64_t noticed = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const auto report =
          run_simulation(plan_with({{moment{500ms}, moment{600ms}, damaged_disk{replica_id{1}}}}, disk, seed));
      expect_pass(report, seed);
      noticed += 1 - report.restarts;
    }
    CHECK(noticed > 5);
    CHECK(noticed < 30);
  });
}
