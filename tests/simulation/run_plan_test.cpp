#include <doctest/doctest.h>

#include <algorithm>

#include "tests/simulation/simulated_run.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

run_plan plan_of_seed(std::uint64_t seed, std::uint32_t operations = 60) {
  return make_plan({seed, 4, operations, fault_profile::everything});
}

std::string error_of(std::string_view lines) {
  const auto read = plan_of("hypermesh-plan 1\nheals-at 100.000ms\n" + std::string{lines});
  return read ? "none" : read.error();
}

/// A calm cluster in which only `faults` happen.
run_plan calm_plan(std::vector<planned_fault> faults) {
  auto plan = make_plan({1, 4, 30, fault_profile::calm});
  plan.faults = std::move(faults);
  return plan;
}

}  // namespace

TEST_CASE("the text of a plan gives the plan back") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    for (const auto profile : {fault_profile::mixed, fault_profile::twins}) {
      const auto plan = make_plan({seed, 4, 40, profile});
      const auto again = plan_of(text_of(plan));
      CHECK(again.has_value());
      if (again) CHECK(*again == plan);
    }
  }
}

TEST_CASE("equal plans give equal events, also when one is read from text") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    const auto plan = plan_of_seed(seed);
    const auto hash = run_simulation(plan).event_hash;
    CHECK(run_simulation(plan).event_hash == hash);
    CHECK(run_simulation(*plan_of(text_of(plan))).event_hash == hash);
    CHECK(run_simulation(run_options{seed, 4, 60, fault_profile::everything}).event_hash == hash);
  }
}

TEST_CASE("another scheduling seed gives other events for the same plan") {
  auto plan = plan_of_seed(1);
  const auto hash = run_simulation(plan).event_hash;
  ++plan.scheduling_seed;
  CHECK(run_simulation(plan).event_hash != hash);
}

TEST_CASE("settings, faults and workload are drawn independently") {
  const auto few = plan_of_seed(3, 20);
  const auto many = plan_of_seed(3, 60);
  CHECK(few.settings == many.settings);
  CHECK(few.faults == many.faults);
  CHECK(few.scheduling_seed == many.scheduling_seed);
  const auto calm = make_plan({3, 4, 60, fault_profile::calm});
  CHECK(calm.settings == many.settings);
}

TEST_CASE("a plan with operations and faults removed still runs and settles") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    auto plan = plan_of_seed(seed);
    splitmix64 chance{seed};
    std::erase_if(plan.operations, [&](const auto&) { return chance.below(2) == 0; });
    std::erase_if(plan.faults, [&](const auto&) { return chance.below(2) == 0; });
    const auto report = run_simulation(plan);
    CHECK(report.passed());
    CHECK(report.requests > 0);
  }
}

TEST_CASE("an empty plan runs") {
  const auto report = run_simulation(run_plan{});
  CHECK(report.passed());
  CHECK(report.requests == 0);
}

TEST_CASE("empty lines and comments of a plan are ignored") {
  const auto read = plan_of("# why\n\nhypermesh-plan 1\n  clients   2\n# more\noperation 1.000ms c1   put a b\n");
  CHECK(read.has_value());
  if (!read) return;
  CHECK(read->settings.clients == 2);
  CHECK(read->operations.size() == 1);
  CHECK(read->settings.replicas == plan_settings{}.replicas);
}

TEST_CASE("an invalid line of a plan is named") {
  CHECK(error_of("") == "none");
  CHECK(error_of("fault 1.000ms 2.000ms loss permille=5") == "none");
  CHECK(error_of("fault 1.000ms 2.000ms link-break from=0,1b,c0 to=2") == "none");
  CHECK(error_of("query 1.000ms c0 get a") == "none");
  CHECK(error_of("read 1.000ms c0 get a") == "none");
  CHECK(error_of("colour blue").starts_with("line 3: "));
  CHECK(error_of("clients many").starts_with("line 3: "));
  CHECK(error_of("\nprofile sunny").starts_with("line 4: "));
  CHECK(error_of("fault 1.000ms 2.000ms flood depth=5").starts_with("line 3: "));
  CHECK(error_of("fault 1.000ms 2.000ms loss").find("has no permille") != std::string::npos);
  CHECK(error_of("fault 1.000ms 2.000ms loss permille=x").find("wrong permille") != std::string::npos);
  CHECK(error_of("fault 1.000ms 2.000ms loss permille=5 side=0").find("side") != std::string::npos);
  CHECK(error_of("fault 1.0ms 2.000ms loss permille=5").starts_with("line 3: "));
  CHECK(error_of("fault 1.000ms 2.000ms partition side=c0b cuts=both").find("wrong side") != std::string::npos);
  CHECK(error_of("fault 1.000ms 2.000ms twin replica=0 disk=half leaves=none").starts_with("line 3: "));
  CHECK(error_of("operation 1.000ms 0 get a").starts_with("line 3: "));
  CHECK(error_of("operation 1.000ms c0 fetch a").starts_with("line 3: "));
  CHECK_FALSE(plan_of("").has_value());
  CHECK_FALSE(plan_of("hypermesh-plan 2\n").has_value());
}

TEST_CASE("a plan that cannot run is refused") {
  CHECK(error_of("clients 0") != "none");
  CHECK(error_of("replicas 3") != "none");
  CHECK(error_of("checkpoint-period 8") != "none");
  CHECK(error_of("operation 1.000ms c1 get a") != "none");
  CHECK(error_of("read 1.000ms c0 get a") == "none");
  CHECK(error_of("read 1.000ms c0 put a 1") != "none");
  CHECK(error_of("fault 1.000ms 200.000ms reordering") != "none");
  CHECK(error_of("fault 2.000ms 1.000ms reordering") != "none");
  CHECK(error_of("fault 1.000ms 2.000ms pause replica=4 part=journal") != "none");
  CHECK(error_of("fault 1.000ms 2.000ms loss permille=1001") != "none");
  CHECK(error_of("fault 1.000ms 2.000ms forgetful replica=0 changes=0") != "none");
  CHECK(error_of(
            "fault 1.000ms 2.000ms disk-loss replica=0\nfault 1.000ms 2.000ms twin replica=1 disk=empty leaves=none") !=
        "none");
}

TEST_CASE("a fault acts between its two moments, and not before or after") {
  const auto lossy = run_simulation(calm_plan({{moment{}, moment{1s}, frame_loss{300}}}));
  CHECK(lossy.passed());
  CHECK(lossy.network.lost > 0);
  std::uint64_t cut = 0;
  std::vector<std::string> lines;
  const std::set<endpoint> side = {principal::of(replica_id{3})};
  const auto apart = run_simulation(calm_plan({{moment{200ms}, moment{1s}, link_partition{side}}}),
                                    [&](const std::string& line) { lines.push_back(line); });
  CHECK(apart.passed());
  CHECK(apart.network.cut > 0);
  CHECK(apart.network.lost + apart.network.duplicated == 0);
  for (const auto* const change : {"begins: 200.000ms 1000.000ms partition side=3 cuts=both",
                                   "ends: 200.000ms 1000.000ms partition side=3 cuts=both"}) {
    cut += static_cast<std::uint64_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(change) != std::string::npos; }));
  }
  CHECK(cut == 2);
}

TEST_CASE("the end of one of two equal overlapping faults does not end the other") {
  const actor_pause pause{replica_id{0}, node_part::replica};
  // Two overlapping pauses are equal to one pause from the first beginning to the last end.
  const auto apart =
      run_simulation(calm_plan({{moment{100ms}, moment{600ms}, pause}, {moment{400ms}, moment{900ms}, pause}}));
  const auto whole = run_simulation(calm_plan({{moment{100ms}, moment{900ms}, pause}}));
  CHECK(apart.event_hash == whole.event_hash);
  const auto shorter = run_simulation(calm_plan({{moment{100ms}, moment{600ms}, pause}}));
  CHECK(shorter.event_hash != whole.event_hash);
}

TEST_CASE("a run checks that its clients' histories are linearizable") {
  const auto report = run_simulation(run_options{1, 4, 60, fault_profile::mixed});
  CHECK(report.passed());
  CHECK(report.search_states > 0);
  CHECK(report.keys_undecided == 0);
}
