#include <doctest/doctest.h>

#include <algorithm>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "runtime/health/cluster_health.hpp"

namespace hypermesh::testing {

namespace {

/// The reports of a healthy group, which a test changes.
struct group_bench {
  cluster_parameters cluster;
  std::vector<health_input> known;

  explicit group_bench(std::uint32_t replicas) {
    cluster.replicas = replicas;
    for (std::uint32_t number = 0; number < replicas; ++number) {
      health_input one;
      one.group = cluster.group();
      one.self = replica_id{number};
      one.peers.resize(replicas);
      for (auto& each : one.peers)
        each.heard_ago = std::chrono::milliseconds{0};
      known.push_back(one);
    }
  }

  /// No replica hears or sees `replica`.
  void cut_off(std::uint32_t replica) {
    for (auto& each : known)
      each.peers[replica].heard_ago.reset();
  }
  [[nodiscard]] cluster_observations observations() const {
    cluster_observations seen{cluster, {}, view_number{0}, {}};
    for (const auto& each : known) {
      std::set<replica_id> shown;
      node_report report;
      report.replica = each.self;
      report.counters = counters_of(assess(each), each.own.keeps_disk, shown);
      seen.reports.emplace_back(std::move(report));
    }
    return seen;
  }
  [[nodiscard]] health_report report() const { return assess_cluster(observations()); }
};

void set_counter(node_report& report, const std::string& name, std::uint64_t value) {
  std::erase_if(report.counters, [&](const named_counter& each) { return each.name == name; });
  report.counters.push_back({name, value});
}

void accuse(node_report& report, std::uint32_t about, replica_condition condition) {
  set_counter(report, fmt::format("health_peer_condition{{replica=\"{}\"}}", about),
              static_cast<std::uint64_t>(condition));
}

std::vector<replica_id> ids(const std::vector<std::uint32_t>& numbers) {
  std::vector<replica_id> all;
  for (const auto each : numbers)
    all.emplace_back(each);
  return all;
}

}  // namespace

TEST_CASE("the reports of a healthy group give the same sentence as one node") {
  const group_bench group{4};
  CHECK(sentence_of(group.report()) == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
  CHECK(sentence_of(group.report()) == sentence_of(assess(group.known[0])));
}

TEST_CASE("a replica that does not answer, or that speaks against itself, is a fault") {
  group_bench group{4};
  auto seen = group.observations();
  auto wanted = replica_condition::silent;
  SUBCASE("no answer") { seen.reports[2].reset(); }
  SUBCASE("another replica answers") { seen.reports[2]->replica = replica_id{1}; }
  SUBCASE("diverged") {
    group.known[2].own.diverged = true;
    seen = group.observations();
    wanted = replica_condition::diverged;
  }
  SUBCASE("quarantined by agreement") {
    seen.quarantined.push_back({replica_id{2}, replica_condition::quarantined, 900});
    wanted = replica_condition::quarantined;
  }
  SUBCASE("in another view") {
    seen.reports[2]->view = view_number{3};
    wanted = replica_condition::other_view;
  }
  SUBCASE("without a view") {
    set_counter(*seen.reports[2], "view_is_active", 0);
    wanted = replica_condition::changing_view;
  }
  SUBCASE("behind") {
    for (const std::size_t number : {0, 1, 3})
      seen.reports[number]->last_executed = sequence_number{257};
    wanted = replica_condition::behind;
  }
  const auto report = assess_cluster(seen);
  CHECK(report.faults_tolerated == 0);
  CHECK(report.safe_to_restart.empty());
  REQUIRE(report.reasons.size() == 1);
  CHECK(report.reasons[0].replica == replica_id{2});
  CHECK(report.reasons[0].condition == wanted);
}

TEST_CASE("a replica that says it is well is a fault if no other replica hears it") {
  group_bench group{7};
  group.cut_off(3);
  auto seen = group.observations();
  // Replica 3 lies about itself and about the others.
  seen.reports[3]->counters = seen.reports[0]->counters;
  accuse(*seen.reports[3], 3, replica_condition::voting);
  const auto report = assess_cluster(seen);
  CHECK(report.reasons == std::vector{health_reason{replica_id{3}, replica_condition::silent, 0}});
  CHECK(report.faults_tolerated == 1);
  CHECK(report.safe_to_restart == ids({1, 2, 4, 5, 6}));
}

TEST_CASE("one liar that accuses everybody counts as one fault, and no restart relies on a word") {
  group_bench group{7};
  auto seen = group.observations();
  for (std::uint32_t about = 0; about < 6; ++about)
    accuse(*seen.reports[6], about, replica_condition::silent);
  const auto report = assess_cluster(seen);
  CHECK(report.service_possible);
  CHECK(report.faults_tolerated == 1);
  CHECK(report.safe_to_restart.empty());
}

TEST_CASE("a broken link between two replicas is one fault, and no restart relies on either of them") {
  group_bench group{10};
  group.known[1].peers[2].linked = false;
  group.known[2].peers[1].linked = false;
  const auto report = group.report();
  CHECK(report.faults_tolerated == 2);
  CHECK(report.reasons.size() == 2);
  // The other eight form a quorum of seven even if one of them is restarted.
  CHECK(report.safe_to_restart == ids({3, 4, 5, 6, 7, 8, 9}));
  group_bench small{4};
  small.known[1].peers[2].linked = false;
  CHECK(small.report().faults_tolerated == 0);
  CHECK(small.report().safe_to_restart.empty());
}

TEST_CASE("a replica without a report about its own health is in doubt") {
  group_bench group{4};
  auto seen = group.observations();
  seen.reports[3]->counters.clear();
  const auto report = assess_cluster(seen);
  CHECK(report.reasons == std::vector{health_reason{replica_id{3}, replica_condition::unreported, 0}});
  CHECK(report.faults_tolerated == 1);
  CHECK(report.safe_to_restart.empty());
}

TEST_CASE("a replica whose disk does not survive a restart is not safe to restart, and no replica is without a view") {
  group_bench group{4};
  group.known[2].own.keeps_disk = false;
  CHECK(group.report().safe_to_restart == ids({1, 3}));
  auto seen = group.observations();
  seen.view.reset();
  CHECK(assess_cluster(seen).safe_to_restart.empty());
}

TEST_CASE("a counter about a replica stays after its recovery, with the value of a healthy replica") {
  group_bench group{4};
  std::set<replica_id> shown;
  group.known[0].peers[3].linked = false;
  const auto before = counters_of(assess(group.known[0]), true, shown);
  CHECK(before.back().name == "health_peer_condition{replica=\"3\"}");
  CHECK(before.back().value == 2);
  group.known[0].peers[3].linked = true;
  const auto after = counters_of(assess(group.known[0]), true, shown);
  CHECK(after.back().name == before.back().name);
  CHECK(after.back().value == 0);
}

TEST_CASE("unknown numbers in the counters of a liar are doubts") {
  group_bench group{4};
  auto seen = group.observations();
  set_counter(*seen.reports[1], "health_condition", 1'000);
  accuse(*seen.reports[2], 3, static_cast<replica_condition>(200));
  const auto report = assess_cluster(seen);
  CHECK(report.safe_to_restart.empty());
  CHECK_FALSE(report.service_possible);
}

TEST_CASE("whatever up to f liars say, without a replica that is called safe a quorum of replicas votes") {
  std::size_t safe_despite_liars = 0;
  CHECK(rc::check([&safe_despite_liars] {
    const auto replicas = *rc::gen::inRange<std::uint32_t>(4, 17);
    group_bench group{replicas};
    const auto f = (replicas - 1) / 3;
    const auto liars = *rc::gen::inRange<std::uint32_t>(0, f + 1);
    // The last replicas lie. A replica that does not vote is cut off. A correct one says nothing against itself.
    std::vector<bool> votes(replicas);
    for (std::uint32_t number = 0; number < replicas; ++number) {
      const int silent = number < replicas - liars ? 1 : 10;
      votes[number] = *rc::gen::weightedElement<bool>({{20, true}, {silent, false}});
      if (!votes[number]) group.cut_off(number);
    }
    auto seen = group.observations();
    for (auto number = replicas - liars; number < replicas; ++number) {
      auto& report = *seen.reports[number];
      report.counters.clear();
      report.last_executed = sequence_number{*rc::gen::weightedElement<std::uint64_t>({{3, 0}, {1, 1'000'000}})};
      if (*rc::gen::weightedElement<bool>({{5, true}, {1, false}})) set_counter(report, "health_condition", 0);
      const int accusing = *rc::gen::element(0, 0, 1, 10);
      for (std::uint32_t about = 0; about < replicas; ++about) {
        const auto said = *rc::gen::weightedElement<std::uint8_t>({{12, 0}, {accusing, 1}, {accusing, 200}});
        accuse(report, about, static_cast<replica_condition>(said));
      }
    }
    const auto report = assess_cluster(seen);
    const auto voting = static_cast<std::uint32_t>(std::ranges::count(votes, true));
    for (const auto each : report.safe_to_restart) {
      const auto others = voting - (votes[each.value] ? 1 : 0);
      RC_ASSERT(2 * others >= replicas + f + 1);
    }
    if (!report.safe_to_restart.empty() && liars > 0 && voting < replicas) ++safe_despite_liars;
  }));
  // The property says little if lies always prevent an answer.
  CHECK(safe_despite_liars >= 3);
}

}  // namespace hypermesh::testing
