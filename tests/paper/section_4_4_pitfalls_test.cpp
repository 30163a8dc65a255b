#include <doctest/doctest.h>

#include <algorithm>

#include "actors/protocol/views/new_view.hpp"
#include "tests/paper/view_change_world.hpp"

// §4.4: mistakes that other implementations have made (attacks 10, 13, 14, 17 and 20 of the design).

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("the highest view wins whichever digest is the smaller one (attack 10)") {
  const paper_world world{3};
  for (const bool swapped : {false, true}) {
    const auto low = world.factory.prepared_of(v0, n1, world.value_of(swapped ? 2 : 1));
    const auto high = world.factory.prepared_of(v1, n1, world.value_of(swapped ? 1 : 2));
    std::vector<view_change> changes = {world.factory.view_change_of(replica_id{0}, v2, nullptr, {low}),
                                        world.factory.view_change_of(replica_id{1}, v2, nullptr, {high}),
                                        world.factory.view_change_of(replica_id{2}, v2, nullptr, {low})};
    const auto less = [](const auto& left, const auto& right) { return left.replica < right.replica; };
    do {
      const auto plan = plan_of(changes);
      REQUIRE(plan.digests.size() == 1);
      CHECK(plan.digests.front() == high.pre_prepare.content.value);
    } while (std::ranges::next_permutation(changes, less).found);
  }
}

TEST_CASE("P holds what prepared last, not first (attack 10)") {
  paper_world world{3};
  world.prepare_here(1);
  (void)world.hear(1, world.opened(v1, {}));
  const auto given = world.factory.pre_prepare_of(v1, n1, world.factory.batch_number(2));
  (void)world.hear(1, given);
  (void)world.hear(0, world.factory.prepare_of(replica_id{0}, given));
  const auto changes = sent<view_change>(world.core.on_change_view(v2).sends);
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].prepared.size() == 1);
  CHECK(changes[0].prepared[0].pre_prepare.content.view == v1);
  CHECK(changes[0].prepared[0].pre_prepare.content.value == world.value_of(2));
}

TEST_CASE("a second NEW-VIEW, and one of a view left behind, change nothing (attack 13)") {
  paper_world world{3};
  (void)world.hear(1, world.opened(v1, {}));
  const auto second = world.hear(1, world.opened(v1, {{world.factory.prepared_of(v0, n1, world.value_of(2))}}));
  CHECK(second.sends.empty());
  CHECK(second.records.empty());
  CHECK(rejections_in(second.observations) == std::vector{rejection::duplicate});
  (void)world.core.on_change_view(v2);
  CHECK(rejections_in(world.hear(1, world.opened(v1, {})).observations) == std::vector{rejection::other_view});
}

TEST_CASE("min-s is the highest proven checkpoint for every quorum and order of V (attack 14)") {
  const paper_world world{3};
  const auto& factory = world.factory;
  const auto at = [&](std::uint64_t n) { return factory.certificate_of(sequence_number{n}, named_digest("state")); };
  const auto proven = [&](std::uint64_t n) { return factory.prepared_of(v0, sequence_number{n}, world.value_of(n)); };
  const std::vector<view_change> all = {factory.view_change_of(replica_id{0}, v1, nullptr, {proven(5)}),
                                        factory.view_change_of(replica_id{1}, v1, at(4), {proven(9)}),
                                        factory.view_change_of(replica_id{2}, v1, at(8), {}),
                                        factory.view_change_of(replica_id{3}, v1, nullptr, {})};
  for (std::size_t out = 0; out <= 4; ++out) {
    auto changes = all;
    if (out < 4) changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(out));
    const auto less = [](const auto& left, const auto& right) { return left.replica < right.replica; };
    do {
      const auto plan = plan_of(changes);
      CHECK(plan.min_s == sequence_number{out == 2 ? 4U : 8U});
      CHECK(plan.proof.sequence() == plan.min_s);
      CHECK(plan.max_s() == sequence_number{out == 1 ? 8U : 9U});
      CHECK_FALSE(verdict(world, 1, factory.new_view_of(v1, changes)));
    } while (std::ranges::next_permutation(changes, less).found);
  }
}

TEST_CASE("a NEW-VIEW teaches a stable checkpoint, which moves nothing before the state is there (attack 14)") {
  paper_world behind{3};
  const auto at = [&](std::uint64_t n) {
    return behind.factory.certificate_of(sequence_number{n}, named_digest("state"));
  };
  const auto learned =
      behind
          .hear(1, behind.factory.new_view_of(v1, {behind.factory.view_change_of(replica_id{0}, v1, nullptr, {}),
                                                   behind.factory.view_change_of(replica_id{1}, v1, at(4), {}),
                                                   behind.factory.view_change_of(replica_id{3}, v1, nullptr, {})}))
          .learned;
  REQUIRE(learned != nullptr);
  CHECK(behind.core.marks().low() == sequence_number{0});
  (void)behind.core.on_stable(learned);
  CHECK(behind.core.marks().low() == sequence_number{0});
  (void)behind.core.on_tick();
  CHECK(behind.core.on_tick().fetch == learned);
}

TEST_CASE("a body that O names comes from any holder, on STATUS (attack 17)") {
  paper_world holder{2};
  holder.prepare_here(1);
  const auto opened = holder.opened(v1, {{holder.factory.prepared_of(v0, n1, holder.value_of(1))}});
  (void)holder.hear(1, opened);
  std::vector<pre_prepare> given;
  for (int tick = 0; tick < 4; ++tick) {
    for (auto& each : sent<pre_prepare>(holder.hear(3, holder.factory.status_of(replica_id{3}, v1, {}, {})).sends))
      given.push_back(each);
    (void)holder.core.on_tick();
  }
  REQUIRE(given.size() == 1);
  paper_world asker{3};
  (void)asker.hear(1, opened);
  CHECK_FALSE(verdict(asker, 2, given[0]));
  CHECK(sent<prepare>(asker.hear(2, given[0]).sends).size() == 1);
}

TEST_CASE(
    "who lacks a body that O names asks at once, every holder answers the primary, and it the others (attack 17)") {
  paper_world backup{3};
  paper_world holder{2};
  holder.prepare_here(1);
  const auto opened = holder.opened(v1, {{holder.factory.prepared_of(v0, n1, holder.value_of(1))}});
  CHECK(sent<status>(backup.hear(1, opened).sends).size() == 1);
  CHECK(sent<status>(holder.hear(1, opened).sends).empty());
  // Otherwise the new primary would wait until it is the turn of a replica that has the body.
  paper_world primary{1};
  (void)primary.core.on_change_view(v1);
  const auto effects = primary.core.on_new_view_built(planned(primary.factory, opened));
  REQUIRE(sent<new_view>(effects.sends).size() == 1);
  const auto asked = sent<status>(effects.sends);
  REQUIRE(asked.size() == 1);
  const auto given = sent<pre_prepare>(holder.hear(1, asked.front()).sends);
  REQUIRE(given.size() == 1);
  // A replica that asked the primary before it had the body gets its answer now, and no other replica gets one.
  const auto question = primary.factory.status_of(replica_id{3}, v1, {}, {});
  CHECK(sent<pre_prepare>(primary.hear(3, question).sends).empty());
  const auto passed_on = primary.hear(2, given.front());
  REQUIRE(sent<pre_prepare>(passed_on.sends).size() == 1);
  CHECK(sent<prepare>(backup.hear(1, sent<pre_prepare>(passed_on.sends).front()).sends).size() == 1);
  CHECK(sent<pre_prepare>(primary.hear(0, given.front()).sends).empty());
}

TEST_CASE("STATUS brings the NEW-VIEW, or the VIEW-CHANGE of who waits (attack 20)") {
  paper_world entered{2};
  (void)entered.hear(1, entered.opened(v1, {}));
  const auto asks = entered.factory.status_of(replica_id{3}, v0, {}, {});
  CHECK(sent<new_view>(entered.hear(3, asks).sends).size() == 1);
  paper_world waiting{2};
  (void)waiting.core.on_change_view(v1);
  CHECK(sent<view_change>(waiting.hear(3, asks).sends).empty());
  for (int tick = 0; tick < 2; ++tick)
    (void)waiting.core.on_tick();
  CHECK(sent<view_change>(waiting.hear(3, asks).sends).size() == 1);
}
