#include <doctest/doctest.h>

#include <set>

#include "tests/simulation/simulated_run.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

run_report run_seed(std::uint64_t seed, std::uint32_t replicas = 4, fault_profile profile = fault_profile::mixed) {
  return run_simulation({seed, replicas, 60, profile});
}

void expect_pass(const run_report& report) {
  const auto failure = report.failure ? report.failure->invariant + ": " + report.failure->what : std::string{};
  CHECK_MESSAGE(report.passed(), failure << "\n  " << replay_command(report.options));
}

}  // namespace

TEST_CASE("equal seeds give equal events") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    const auto first = run_seed(seed);
    const auto second = run_seed(seed);
    CHECK(first.event_hash == second.event_hash);
    CHECK(first.steps == second.steps);
    CHECK(first.virtual_time == second.virtual_time);
  }
}

TEST_CASE("equal seeds give equal events, whatever faults disks, nodes and links have") {
  for (const auto profile : {fault_profile::flapping, fault_profile::swizzled, fault_profile::one_way,
                             fault_profile::disks, fault_profile::forgetful, fault_profile::twins}) {
    CAPTURE(to_string(profile));
    CHECK(run_seed(11, 7, profile).event_hash == run_seed(11, 7, profile).event_hash);
    CHECK(run_simulation(*plan_of(text_of(make_plan({11, 4, 60, profile})))).event_hash ==
          run_seed(11, 4, profile).event_hash);
  }
}

TEST_CASE("a trace does not change the run") {
  std::size_t lines = 0;
  const auto traced = run_simulation({7, 4, 60, fault_profile::everything}, [&](const std::string&) { ++lines; });
  CHECK(traced.event_hash == run_seed(7, 4, fault_profile::everything).event_hash);
  CHECK(lines > traced.network.delivered);
}

TEST_CASE("different seeds give different events") {
  std::set<digest> hashes;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    hashes.insert(run_seed(seed).event_hash);
  CHECK(hashes.size() == 20);
}

TEST_CASE("fifty fixed seeds pass with four replicas") {
  for (std::uint64_t seed = 1'000; seed < 1'050; ++seed)
    expect_pass(run_seed(seed));
}

TEST_CASE("fixed seeds pass with a replica on two machines") {
  for (const auto replicas : {4U, 7U}) {
    for (std::uint64_t seed = 2'000; seed < 2'015; ++seed)
      expect_pass(run_seed(seed, replicas, fault_profile::twins));
  }
}

TEST_CASE("groups of other sizes pass, also sizes other than 3f + 1") {
  for (const auto replicas : {5U, 6U, 7U, 10U}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
      expect_pass(run_seed(seed, replicas));
  }
}

TEST_CASE("every profile injects the faults that it names") {
  const auto lossy = run_seed(1, 4, fault_profile::lossy);
  CHECK(lossy.network.lost > 0);
  CHECK(lossy.network.duplicated + lossy.network.cut == 0);
  const auto duplicating = run_seed(1, 4, fault_profile::duplicating);
  CHECK(duplicating.network.duplicated > 0);
  CHECK(duplicating.network.lost + duplicating.network.cut == 0);
  std::uint64_t cut = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto partitioned = run_seed(seed, 4, fault_profile::partitioned);
    cut += partitioned.network.cut;
    CHECK(partitioned.network.lost + partitioned.network.duplicated == 0);
  }
  CHECK(cut > 0);
  for (const auto profile : {fault_profile::flapping, fault_profile::swizzled, fault_profile::one_way}) {
    const auto report = run_seed(1, 4, profile);
    CHECK(report.network.cut > 0);
    CHECK(report.network.lost + report.network.duplicated == 0);
  }
  CHECK(run_seed(1, 4, fault_profile::disks).learner_starts > 0);
  CHECK(run_seed(2, 4, fault_profile::forgetful).disks_that_lied > 0);
  const auto calm = run_seed(1, 4, fault_profile::calm);
  CHECK(calm.network.lost + calm.network.duplicated + calm.network.cut == 0);
}

TEST_CASE("the seeds of the suite cover checkpoints, state transfers and retransmissions") {
  std::uint64_t checkpoints = 0;
  std::uint64_t transfers = 0;
  std::uint64_t retransmissions = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto report = run_seed(seed);
    checkpoints += report.checkpoints;
    transfers += report.state_transfers;
    retransmissions += report.retransmissions;
  }
  CHECK(checkpoints > 100);
  CHECK(transfers >= 5);
  CHECK(retransmissions > 20);
}
