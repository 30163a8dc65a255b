// Disks that are lost, lie or tear; nodes that are suspended; replicas with two machines; links that are cut one way.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/simulation/simulated_run.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A calm cluster in which only `faults` happen.
run_plan calm_plan(std::vector<planned_fault> faults, std::uint64_t seed = 1, std::uint32_t replicas = 4) {
  auto plan = make_plan({seed, replicas, 80, fault_profile::calm});
  plan.heals_at = std::max(plan.heals_at, moment{2s});
  plan.faults = std::move(faults);
  return plan;
}

struct traced_run {
  run_report report;
  std::vector<std::string> lines;

  explicit traced_run(const run_plan& plan) {
    report = run_simulation(plan, [&](const std::string& line) { lines.push_back(line); });
  }
  [[nodiscard]] std::size_t count(std::string_view text) const {
    const auto has = [&](const std::string& line) { return line.find(text) != std::string::npos; };
    return static_cast<std::size_t>(std::ranges::count_if(lines, has));
  }
};

void expect_pass(const run_report& report) {
  const auto failure = report.failure ? report.failure->invariant + ": " + report.failure->what : std::string{};
  CHECK_MESSAGE(report.passed(), failure << "\n  " << replay_command(report.options));
}

storage_record prepare_record(std::uint64_t sequence) {
  return {
      record_kind::prepare, {}, sequence_number{sequence}, std::make_shared<const byte_vector>(to_byte_vector("vote"))};
}

}  // namespace

TEST_CASE("a replica that lost its disk returns on probation and with the state of the others") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const traced_run run{calm_plan({{moment{1s}, moment{1'100ms}, disk_loss{replica_id{2}}}}, seed)};
    CAPTURE(seed);
    expect_pass(run.report);
    CHECK(run.report.learner_starts == 1);
    CHECK(run.count("2 starts with v=0 executed=0, on probation") == 1);
    CHECK(run.count("2 installs the state of") >= 1);
  }
}

TEST_CASE("a replica on probation is on probation again after a crash") {
  const traced_run run{calm_plan({{moment{500ms}, moment{600ms}, disk_loss{replica_id{2}}},
                                  {moment{900ms}, moment{950ms}, node_crash{replica_id{2}}},
                                  {moment{1'200ms}, moment{1'250ms}, power_cut{}}})};
  expect_pass(run.report);
  CHECK(run.report.learner_starts == 3);
  CHECK(run.report.restarts == 6);
}

TEST_CASE("a replica that lost its disk is a full member again after two views, and stays one") {
  std::vector<planned_fault> faults = {{moment{100ms}, moment{110ms}, disk_loss{replica_id{3}}}};
  // The primaries of the first views are down for so long that they are replaced.
  for (std::uint32_t number = 0; number < 3; ++number) {
    const moment begin{(1 + number) * 1s};
    faults.push_back({begin, begin + 600ms, node_crash{replica_id{number}}});
  }
  faults.push_back({moment{4s}, moment{4'050ms}, node_crash{replica_id{3}}});
  auto plan = calm_plan(std::move(faults));
  plan.heals_at = moment{5s};
  plan.settings.requests_per_batch_max = 1;
  plan.settings.bundle_operations_max = 1;
  splitmix64 chance{1};
  plan.operations = draw_workload(400, static_cast<std::uint32_t>(plan.settings.clients), plan.heals_at, chance);
  const traced_run run{plan};
  expect_pass(run.report);
  CHECK(run.report.readmissions == 1);
  CHECK(run.report.learner_starts == 1);
}

TEST_CASE("a disk with unsynced writes loses exactly its last changes in a power failure") {
  simulated_storage disk;
  CHECK(disk.write(std::vector{prepare_record(1)}).has_value());
  disk.lie_about(2);
  for (std::uint64_t sequence = 2; sequence <= 4; ++sequence)
    CHECK(disk.write(std::vector{prepare_record(sequence)}).has_value());
  CHECK(disk.records_held() == 4);
  CHECK(disk.lose_lies() == 2);
  CHECK(disk.records_held() == 2);
  CHECK(disk.records().back().sequence == sequence_number{2});
  CHECK(disk.lose_lies() == 0);
  disk.lie_about(0);
  CHECK(disk.write(std::vector{prepare_record(5)}).has_value());
  CHECK(disk.lose_lies() == 0);
  CHECK(disk.records_held() == 3);
}

TEST_CASE("a torn write leaves its first part on the disk and fails") {
  simulated_storage disk;
  disk.on_write([](std::size_t) { return 2; });
  const std::vector records = {prepare_record(1), prepare_record(2), prepare_record(3)};
  CHECK_FALSE(disk.write(records).has_value());
  CHECK(disk.records_held() == 2);
  CHECK(disk.records().back().sequence == sequence_number{2});
}

TEST_CASE("a group tolerates a replica with a disk that lost records") {
  std::uint64_t lied = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto replica = replica_id{static_cast<std::uint32_t>(seed % 4)};
    const auto report = run_simulation(calm_plan({{moment{200ms}, moment{1s}, lying_disk{replica, 6}}}, seed));
    expect_pass(report);
    lied += report.disks_that_lied;
  }
  CHECK(lied == 10);
}

TEST_CASE("a torn write of a crashed node violates no invariant") {
  std::uint64_t restarts = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::vector<planned_fault> faults;
    for (std::uint32_t number = 0; number < 4; ++number) {
      const moment begin{(1 + number) * 300ms};
      faults.push_back({begin, begin + 400ms, write_crash{replica_id{number}, write_fate::torn}});
    }
    const auto report = run_simulation(calm_plan(std::move(faults), seed));
    expect_pass(report);
    restarts += report.restarts;
  }
  CHECK(restarts > 20);
}

TEST_CASE("a suspended node sends nothing and continues later, and the others do not wait for it") {
  auto plan = calm_plan({{moment{300ms}, moment{3s}, node_pause{replica_id{0}}}});
  plan.heals_at = moment{3s};
  const traced_run run{plan};
  expect_pass(run.report);
  // Replica 0 is the first primary, so another replica must take its place.
  CHECK(run.count("enters v=1") >= 3);
  const auto ends =
      std::ranges::find_if(run.lines, [](const auto& line) { return line.find("  ends: ") < line.size(); });
  const auto begins =
      std::ranges::find_if(run.lines, [](const auto& line) { return line.find("  begins: ") < line.size(); });
  CHECK(begins < ends);
  CHECK(std::none_of(begins, ends, [](const auto& line) { return line.find(" ms  0 commits") < line.size(); }));
  CHECK(std::any_of(ends, run.lines.end(), [](const auto& line) { return line.find(" ms  0 commits") < line.size(); }));
}

TEST_CASE("an actor that is paused twice continues once both pauses end") {
  const actor_pause one{replica_id{1}, node_part::replica};
  const auto within = run_simulation(
      calm_plan({{moment{100ms}, moment{900ms}, node_pause{replica_id{1}}}, {moment{300ms}, moment{400ms}, one}}));
  const auto alone = run_simulation(calm_plan({{moment{100ms}, moment{900ms}, node_pause{replica_id{1}}}}));
  expect_pass(within);
  CHECK(within.event_hash == alone.event_hash);
}

TEST_CASE("a broken link is broken in one direction") {
  const endpoint zero{principal::of(replica_id{0})};
  const endpoint one{principal::of(replica_id{1})};
  const endpoint copy{principal::of(replica_id{1}), true};
  const broken_links cut{{zero}, {one}};
  CHECK(cut.separates(zero, one));
  CHECK_FALSE(cut.separates(one, zero));
  CHECK_FALSE(cut.separates(zero, copy));
  const auto report = run_simulation(calm_plan({{moment{}, moment{2s}, link_break{{zero}, {one}}}}));
  expect_pass(report);
  CHECK(report.network.cut > 0);
}

TEST_CASE("both machines of a copied replica are received, and the group tolerates them") {
  for (const auto leaves : {leaving_machine::none, leaving_machine::first, leaving_machine::second}) {
    for (const auto disk : {copied_disk::empty, copied_disk::same}) {
      // Replica 0, the first primary, proposes two batches for one sequence number.
      const traced_run run{calm_plan(
          {{disk == copied_disk::same ? moment{500ms} : moment{}, moment{2s}, key_copy{replica_id{0}, disk, leaves}}})};
      expect_pass(run.report);
      CHECK(run.count("0 is faulty: its key was copied") == 1);
      CHECK(run.count(" ms  0b -> 1 ") > 0);
      CHECK(run.count(" ms  1 -> 0b ") > 0);
      CHECK(run.count(" ms  0 -> 1 ") > 0);
    }
  }
}

TEST_CASE("two machines with one key propose different batches, and correct replicas notice") {
  std::size_t conflicts = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const traced_run run{make_plan({seed, 4, 80, fault_profile::twins})};
    expect_pass(run.report);
    conflicts += run.count("conflicting_statement");
  }
  CHECK(conflicts > 0);
}

TEST_CASE("a plan makes no more replicas faulty than the group tolerates") {
  const planned_fault lost{moment{100us}, moment{200us}, disk_loss{replica_id{1}}};
  const planned_fault lies{moment{100us}, moment{200us}, lying_disk{replica_id{2}, 3}};
  const planned_fault copied{moment{100us}, moment{200us}, key_copy{replica_id{2}}};
  CHECK(check(calm_plan({lost, lost})).has_value());
  CHECK_FALSE(check(calm_plan({lost, lies})).has_value());
  CHECK(check(calm_plan({lies, copied})).has_value());
  CHECK(check(calm_plan({lost, lies, copied}, 1, 7)).has_value());
  for (const auto profile :
       {fault_profile::disks, fault_profile::forgetful, fault_profile::everything, fault_profile::twins}) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed)
      CHECK(check(make_plan({seed, 7, 10, profile})).has_value());
  }
}

TEST_CASE("replicas are partitioned and healed one by one when a network is swizzled") {
  bool all_at_once = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto plan = make_plan({seed, 4, 10, fault_profile::swizzled});
    std::set<moment> begins;
    std::set<moment> ends;
    std::size_t cuts = 0;
    for (const auto& each : plan.faults) {
      if (!std::holds_alternative<link_partition>(each.what)) continue;
      ++cuts;
      begins.insert(each.begin);
      ends.insert(each.end);
    }
    CHECK(cuts >= 1);
    CHECK(begins.size() == cuts);
    CHECK(ends.size() == cuts);
    all_at_once = all_at_once || (cuts == 4 && *begins.rbegin() < *ends.begin());
  }
  CHECK(all_at_once);
}

TEST_CASE("queries are answered with a value of the order") {
  std::uint64_t queries = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto report = run_simulation(run_options{seed, 4, 80, fault_profile::everything});
    expect_pass(report);
    queries += report.queries;
  }
  CHECK(queries > 20);
}

TEST_CASE("the seeds of the suite cover lost disks, readmitted replicas, disks that lose records, and twins") {
  run_report sum;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto report = run_simulation(run_options{seed, 4, 200, fault_profile::disks});
    expect_pass(report);
    sum.readmissions += report.readmissions;
  }
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    for (const auto profile : {fault_profile::disks, fault_profile::forgetful, fault_profile::twins}) {
      const auto report = run_simulation(run_options{seed, 4, 80, profile});
      expect_pass(report);
      sum.learner_starts += report.learner_starts;
      sum.disks_that_lied += report.disks_that_lied;
      sum.state_transfers += report.state_transfers;
      CHECK(report.progress < 5s);
    }
  }
  CHECK(sum.readmissions > 0);
  CHECK(sum.learner_starts > 15);
  CHECK(sum.disks_that_lied > 10);
  CHECK(sum.state_transfers > 15);
}
