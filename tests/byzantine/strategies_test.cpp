// Runs every strategy once in a whole cluster: no invariant breaks, and the correct members notice the strategy.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "messages/kinds.hpp"
#include "tests/simulation/adversary_plan.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::string noticed_text(const notice_tally& tally) {
  std::string text;
  for (const auto& [name, count] : tally.counts())
    text += " " + name + "=" + std::to_string(count);
  return text;
}

void expect_borne(const adversary_options& options) {
  const auto report = run_adversaries(options);
  const auto& failure = report.run.failure;
  const auto why = failure ? failure->invariant + ": " + failure->what : std::string{};
  CHECK_MESSAGE(report.run.passed(), why << "\n  " << replay_command(options));
  CHECK_MESSAGE(report.convicted, "not convicted in time\n  " << replay_command(options));
  CHECK_MESSAGE(report.noticed,
                "nobody noticed; seen:" << noticed_text(report.run.noticed) << "\n  " << replay_command(options));
}

void expect_role_borne(strategy_role role) {
  for (const auto& each : all_strategies()) {
    if (each.role == role) expect_borne({std::string{each.name}, 1, 4, 100});
  }
}

}  // namespace

TEST_CASE("a group tolerates a primary with any strategy, and notices it") {
  expect_role_borne(strategy_role::primary);
}

TEST_CASE("a group tolerates a backup with any strategy, and notices it") { expect_role_borne(strategy_role::backup); }

TEST_CASE("a group tolerates a replica that lies in a view change in any way, and notices it") {
  expect_role_borne(strategy_role::view_change);
}

TEST_CASE("a group tolerates a replica that lies about states in any way, and notices it") {
  expect_role_borne(strategy_role::state_transfer);
}

TEST_CASE("a group tolerates a replica that impersonates another member, and notices it") {
  expect_role_borne(strategy_role::identity);
}

TEST_CASE("a group tolerates a client with any strategy, and notices it") { expect_role_borne(strategy_role::client); }

TEST_CASE("a group tolerates a replica with malformed frames, and notices it") {
  expect_role_borne(strategy_role::encoding);
}

TEST_CASE("no client makes a correct replica suspect an honest primary (attack 32)") {
  for (const auto& each : all_strategies()) {
    if (each.role != strategy_role::client) continue;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto noticed = run_simulation(make_adversary_plan({std::string{each.name}, seed, 4, 100})).noticed;
      CHECK_MESSAGE(noticed.count_of(notice_tally::honest_suspected) == 0, each.name << ", seed " << seed);
    }
  }
}

TEST_CASE("a donor that answers too late is reported") {
  for (const auto* name : {"mute-donor", "slow-drip"}) {
    std::uint64_t late = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
      late += run_simulation(make_adversary_plan({name, seed, 4, 100})).noticed.count_of("donor_late");
    CHECK_MESSAGE(late > 0, name);
  }
}

TEST_CASE("each strategy has a unique name, the attacks of its role, and a named sign by which it is noticed") {
  std::set<std::string_view> names;
  std::set<std::string_view> notices = {"primary_suspected", "donor_late", "donor_lied", "donor_refused",
                                        "state_installed"};
  for (std::size_t number = 0; number < rejection_count; ++number)
    notices.insert(to_string(static_cast<rejection>(number)));
  for (const auto& each : all_strategies()) {
    CAPTURE(each.name);
    CHECK(names.insert(each.name).second);
    CHECK(each.name != honest_play);
    const auto is_kebab = [](char letter) { return (letter >= 'a' && letter <= 'z') || letter == '-'; };
    CHECK(std::ranges::all_of(each.name, is_kebab));
    CHECK_FALSE(each.about.empty());
    CHECK_FALSE(each.attacks.empty());
    CHECK(std::ranges::all_of(each.attacks, [](unsigned number) { return number >= 1 && number <= 45; }));
    CHECK(each.invariants.starts_with("I"));
    for (const auto name : each.noticed_by)
      CHECK_MESSAGE(notices.contains(name), name);
  }
  CHECK(names.size() >= 45);
}

TEST_CASE("a strategy of a host runs by its name, alone and combined with others") {
  /// Stops every PREPARE of its member.
  struct never_prepares final : adversary {
    fate on_send(passing_frame& out, adversary_hands&) override {
      return out.as<prepare>() == nullptr ? fate::passes : fate::stopped;
    }
  };
  strategy own;
  own.name = "host-never-prepares";
  own.about = "sends no PREPARE";
  own.unobservable = "a lost PREPARE looks the same";
  own.make = &make_strategy<never_prepares>;
  const auto listed = all_strategies().size();
  add_strategy(std::move(own));
  CHECK(all_strategies().size() == listed);
  REQUIRE(find_strategy("host-never-prepares") != nullptr);
  CHECK(make_adversary("host-never-prepares/honest") != nullptr);
  adversary_options options;
  options.strategies = "host-never-prepares";
  const auto report = run_adversaries(options);
  CHECK(report.run.passed());
}
