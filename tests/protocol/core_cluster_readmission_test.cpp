#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "messages/codec.hpp"
#include "tests/support/core_cluster.hpp"

// Tests of whole clusters of cores in which the only fault is a lost disk. The group itself moves to sequence numbers
// and views in which the replica may vote again, and hands over from primary to primary.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

core_cluster_options options_of(std::uint32_t replicas, std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(replicas, 4, 4, 8);
  options.faults.delay_max = 3;
  return options;
}

void load(core_cluster& cluster, std::uint64_t moments, std::uint64_t every = 6) {
  for (std::uint64_t moment = 0; moment < moments && !cluster.violation(); ++moment) {
    if (moment % every == 0) cluster.submit(client_id{static_cast<std::uint32_t>(moment / every % 4)}, "under load");
    cluster.run(1);
  }
}

std::size_t suspicions(core_cluster& cluster, std::uint32_t replicas) {
  std::size_t all = 0;
  for (std::uint32_t number = 0; number < replicas; ++number)
    all += cluster.node(number).suspicions();
  return all;
}

/// The operators of `voters` ask all replicas to leave for `to`.
void ask_to_hand_over(core_cluster& cluster, std::uint32_t replicas, const std::vector<std::uint32_t>& voters,
                      replica_id about, view_number to, hand_over_cause cause) {
  const auto epoch = cluster.factory().cluster().signing.epoch;
  for (const auto voter : voters) {
    const auto wanted = hand_over_of(replica_id{voter}, about, to, cause, epoch);
    const auto by = cluster.factory().signed_as(message_kind::hand_over, wanted).by;
    for (std::uint32_t number = 0; number < replicas; ++number)
      cluster.node(number).on_hand_over(wanted, by);
  }
}

}  // namespace

TEST_CASE("a replica that lost its disk is readmitted without any fault, idle and loaded") {
  for (const std::uint32_t replicas : {4U, 7U}) {
    for (const bool is_loaded : {false, true}) {
      for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        core_cluster cluster{options_of(replicas, seed)};
        load(cluster, 60 + 20 * seed);
        const replica_id lost{static_cast<std::uint32_t>(seed % replicas)};
        const auto primary = cluster.node((lost.value + 1) % replicas).replica().primary();
        // If the primary loses its disk, it is mute and is replaced. This case is left out, because it is a fault.
        if (primary == lost) continue;
        cluster.lose_disk(lost);
        if (is_loaded) {
          load(cluster, 900);
        } else {
          cluster.run(900);
        }
        INFO(cluster.describe());
        REQUIRE_FALSE(cluster.violation());
        CHECK(cluster.node(lost.value).is_readmitted());
        CHECK(suspicions(cluster, replicas) == 0);
        // The time-outs did not grow, because they grow only after faults.
        for (std::uint32_t number = 0; number < replicas; ++number)
          CHECK(cluster.node(number).views().doublings() == 0);
        // The replica is a full member, and from now on the group has no quorum without it.
        const auto next = cluster.node(0).replica().primary();
        for (std::uint32_t away = 0; away < cluster.factory().cluster().group().faulty_max(); ++away)
          cluster.isolate(replica_id{(next.value + (next.value + away == lost.value ? 1 : 0) + away) % replicas});
        cluster.submit(client_id{0}, "with as many others away as the group can miss");
        cluster.run(3'000);
        CHECK(cluster.outcomes().size() > 0);
      }
    }
  }
}

TEST_CASE("an idle group orders the sequences of a readmission and then rests") {
  core_cluster cluster{options_of(4, 5)};
  load(cluster, 60);
  cluster.lose_disk(replica_id{3});
  cluster.run(900);
  REQUIRE(cluster.node(3).is_readmitted());
  const auto reached = cluster.node(0).state().last_executed();
  CHECK(reached <= cluster.node(0).state().moves().advance_through.plus(4));
  cluster.run(2'000);
  CHECK(cluster.node(0).state().last_executed() == reached);
}

TEST_CASE("a primary that proposes no null requests is replaced, and the replica is readmitted") {
  core_cluster cluster{options_of(4, 9)};
  load(cluster, 60);
  cluster.filter(replica_id{0}, [](principal, const frame_ptr& frame) -> std::vector<frame_ptr> {
    const auto decoded = decode(frame);
    const auto* proposal = !decoded ? nullptr : std::get_if<pre_prepare>(&*decoded);
    if (proposal != nullptr && proposal->body->requests.empty()) return {};
    return {frame};
  });
  cluster.lose_disk(replica_id{3});
  cluster.run(3'000);
  INFO(cluster.describe());
  REQUIRE_FALSE(cluster.violation());
  CHECK(suspicions(cluster, 4) > 0);
  CHECK(cluster.node(3).is_readmitted());
}

TEST_CASE("operators of f + 1 replicas name the next primary, and no request fails") {
  core_cluster cluster{options_of(4, 3)};
  load(cluster, 100);
  ask_to_hand_over(cluster, 4, {1}, replica_id{2}, view_number{2}, hand_over_cause::operators);
  load(cluster, 100);
  CHECK(cluster.node(0).replica().view() == view_number{0});
  ask_to_hand_over(cluster, 4, {1, 3}, replica_id{2}, view_number{2}, hand_over_cause::operators);
  load(cluster, 200);
  INFO(cluster.describe());
  for (std::uint32_t number = 0; number < 4; ++number) {
    CHECK(cluster.node(number).replica().view() == view_number{2});
    CHECK(cluster.node(number).views().doublings() == 0);
  }
  CHECK(suspicions(cluster, 4) == 0);
  REQUIRE(cluster.settle(10'000));
  CHECK(std::ranges::all_of(cluster.outcomes(),
                            [](const auto& each) { return std::holds_alternative<operation_result>(each); }));
}

TEST_CASE("a primary steps down alone, once in each of its views, and another replica cannot") {
  core_cluster cluster{options_of(4, 4)};
  load(cluster, 100);
  ask_to_hand_over(cluster, 4, {0}, replica_id{0}, view_number{1}, hand_over_cause::step_down);
  load(cluster, 100);
  INFO(cluster.describe());
  CHECK(cluster.node(2).replica().view() == view_number{1});
  // A repeated step-down, or one for a past or distant view or from another replica, has no effect.
  ask_to_hand_over(cluster, 4, {0}, replica_id{0}, view_number{1}, hand_over_cause::step_down);
  ask_to_hand_over(cluster, 4, {0}, replica_id{0}, view_number{4'001}, hand_over_cause::step_down);
  ask_to_hand_over(cluster, 4, {0}, replica_id{0}, view_number{2}, hand_over_cause::step_down);
  load(cluster, 100);
  CHECK(cluster.node(2).replica().view() == view_number{1});
  CHECK(suspicions(cluster, 4) == 0);
  REQUIRE(cluster.settle(10'000));
}

TEST_CASE("a hand-over under load leaves no batch of the old view to agree on again") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    auto options = options_of(4, seed);
    // A period that is longer than the pipeline, so the primary hears of the hand-over before it uses the period up.
    options.cluster = small_cluster(4, 4, 32, 64);
    core_cluster cluster{options};
    std::size_t opened = 0;
    std::size_t reproposed = 0;
    cluster.filter(replica_id{1}, [&](principal, const frame_ptr& frame) -> std::vector<frame_ptr> {
      const auto decoded = decode(frame);
      if (const auto* view = !decoded ? nullptr : std::get_if<new_view>(&*decoded)) {
        ++opened;
        reproposed += view->reproposals.size();
      }
      return {frame};
    });
    load(cluster, 100, 1);
    ask_to_hand_over(cluster, 4, {0}, replica_id{0}, view_number{1}, hand_over_cause::step_down);
    load(cluster, 400, 1);
    INFO(cluster.describe());
    CHECK(cluster.node(2).replica().view() == view_number{1});
    CHECK(opened >= 3);
    CHECK(reproposed == 0);
    CHECK(suspicions(cluster, 4) == 0);
    REQUIRE(cluster.settle(10'000));
  }
}

TEST_CASE("a hand-over to a dead replica ends at the replica after it") {
  core_cluster cluster{options_of(4, 6)};
  load(cluster, 100);
  cluster.isolate(replica_id{1});
  ask_to_hand_over(cluster, 4, {0}, replica_id{0}, view_number{1}, hand_over_cause::step_down);
  load(cluster, 600);
  INFO(cluster.describe());
  REQUIRE_FALSE(cluster.violation());
  CHECK(cluster.node(2).replica().view() >= view_number{2});
  CHECK(cluster.node(2).replica().is_active());
  cluster.heal();
  REQUIRE(cluster.settle(20'000));
}
