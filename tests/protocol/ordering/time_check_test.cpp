#include "actors/protocol/ordering/time_check.hpp"

#include <doctest/doctest.h>

#include "tests/support/effect_reader.hpp"
#include "tests/support/replica_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr wall_time noon{std::chrono::hours{12}};

/// Four replicas, with the default bound of 10 s.
const auto group_of_four = small_cluster(4);

/// Backup 1 of four replicas. Its wall clock shows noon.
struct arrival_world : replica_world {
  arrival_world() : replica_world{4, 1} { core.on_wall_clock(noon); }

  [[nodiscard]] pre_prepare proposal_at(wall_time time, std::uint64_t n = 1) const {
    const auto body = request_factory::at_time(*factory.batch_number(n), time);
    return factory.pre_prepare_of(view_number{0}, sequence_number{n}, body);
  }
  replica_effects hear_status(std::uint32_t from, std::uint64_t decided) {
    return hear(from,
                factory.status_of(replica_id{from}, view_number{0}, sequence_number{0}, sequence_number{decided}));
  }
  /// The lateness that the committed batch reports, after the proposal and all votes have come in this order.
  std::optional<duration> ordered(const pre_prepare& of) {
    auto committed = hear(0, of).committed;
    const auto take = [&committed](const replica_effects& effects) {
      committed.insert(committed.end(), effects.committed.begin(), effects.committed.end());
    };
    for (const std::uint32_t from : {2U, 3U})
      take(hear_prepare(from, of));
    for (const std::uint32_t from : {0U, 2U, 3U})
      take(hear_commit(from, of));
    REQUIRE(committed.size() == 1);
    return committed.front().lateness;
  }
};

}  // namespace

TEST_CASE("a backup vouches for a time up to the bound ahead of its clock (attack 42)") {
  time_check checks{group_of_four};
  checks.on_wall_clock(noon);
  CHECK(checks.vouches_for(noon));
  CHECK(checks.vouches_for(noon + 10s));
  CHECK_FALSE(checks.vouches_for(noon + 10s + 1ms));
  // The clock goes on, so the backup waits at most for the rest.
  checks.on_wall_clock(noon + 1ms);
  CHECK(checks.vouches_for(noon + 10s + 1ms));
}

TEST_CASE("no time is too early, because the order does not follow an early time") {
  time_check checks{group_of_four};
  checks.on_wall_clock(noon);
  CHECK(checks.vouches_for(wall_time{1ms}));
  CHECK(checks.vouches_for(wall_time{}));
}

TEST_CASE("a clock that steps back makes the backup stricter") {
  time_check checks{group_of_four};
  checks.on_wall_clock(noon);
  checks.on_wall_clock(noon - std::chrono::hours{1});
  CHECK_FALSE(checks.vouches_for(noon));
  CHECK(checks.vouches_for(noon - std::chrono::hours{1}));
}

TEST_CASE("without a reading a backup vouches only for a batch without a time") {
  const time_check checks{group_of_four};
  CHECK(checks.vouches_for(wall_time{}));
  CHECK_FALSE(checks.vouches_for(wall_time{1ms}));
}

TEST_CASE("the lateness of a batch is that of its PRE-PREPARE, however long the batch waits afterwards (attack 42)") {
  arrival_world world;
  const auto late = world.proposal_at(noon - 3s);
  SUBCASE("the votes come an hour later") {
    (void)world.hear(0, late);
    world.core.on_wall_clock(noon + std::chrono::hours{1});
    (void)world.hear_prepare(2, late);
    (void)world.hear_prepare(3, late);
    (void)world.hear_commit(2, late);
    const auto done = world.hear_commit(3, late);
    REQUIRE(done.committed.size() == 1);
    CHECK(done.committed.front().lateness == 3s);
  }
  SUBCASE("a time that is ahead") { CHECK(world.ordered(world.proposal_at(noon + 2s)) == -2s); }
  SUBCASE("a batch without a time is as late as the clock is") {
    CHECK(world.ordered(world.proposal_at(wall_time{})) == duration{noon.time_since_epoch()});
  }
  SUBCASE("a null request has no time") {
    const auto null = world.factory.pre_prepare_of(view_number{0}, sequence_number{1}, std::make_shared<const batch>());
    CHECK_FALSE(world.ordered(null));
  }
  SUBCASE("it came above H and waited for a checkpoint") {
    // The window is 8 and the period 4, so number 9 is early until number 4 is stable.
    const auto early = world.proposal_at(noon - 3s, 9);
    (void)world.hear(0, early);
    for (std::uint64_t n = 1; n <= 4; ++n)
      (void)world.ordered(world.proposal_at(noon, n));
    world.core.on_wall_clock(noon + std::chrono::hours{1});
    (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state")));
    for (std::uint64_t n = 5; n <= 8; ++n)
      (void)world.ordered(world.proposal_at(noon, n));
    CHECK(rejections_in(world.hear(0, early).observations) == std::vector{rejection::duplicate});
    (void)world.hear_prepare(2, early);
    (void)world.hear_prepare(3, early);
    (void)world.hear_commit(2, early);
    const auto done = world.hear_commit(3, early);
    REQUIRE(done.committed.size() == 1);
    CHECK(done.committed.front().lateness == 3s);
  }
}

TEST_CASE("a backup that lags does not measure what a quorum of the others has decided (attack 42)") {
  arrival_world world;
  const auto late = world.proposal_at(noon - 3s);
  SUBCASE("the others decide it after it has arrived") {
    (void)world.hear(0, late);
    for (const std::uint32_t from : {0U, 2U, 3U})
      (void)world.hear_status(from, 1);
    (void)world.hear_prepare(2, late);
    (void)world.hear_prepare(3, late);
    (void)world.hear_commit(2, late);
    const auto done = world.hear_commit(3, late);
    REQUIRE(done.committed.size() == 1);
    CHECK_FALSE(done.committed.front().lateness);
  }
  SUBCASE("the others have decided it long ago") {
    for (const std::uint32_t from : {0U, 2U, 3U})
      (void)world.hear_status(from, 7);
    CHECK_FALSE(world.ordered(late));
  }
  SUBCASE("two others may be a faulty and a correct replica, and each of two correct ones has to measure") {
    (void)world.hear_status(0, 7);
    (void)world.hear_status(2, 7);
    (void)world.hear_status(3, 0);
    CHECK(world.ordered(late) == 3s);
  }
  SUBCASE("COMMITs do not count, because every replica has a quorum of them when it executes") {
    for (const std::uint32_t from : {0U, 2U, 3U})
      (void)world.hear_commit(from, late);
    CHECK(world.ordered(late) == 3s);
  }
}

TEST_CASE("what replicas have decided in an earlier view excuses no proposal of the next one") {
  time_check checks{group_of_four};
  for (const std::uint32_t from : {0U, 2U, 3U})
    checks.on_status(replica_id{from}, sequence_number{1});
  CHECK(checks.lags_at(sequence_number{1}));
  CHECK_FALSE(checks.lags_at(sequence_number{2}));
  checks.on_view();
  CHECK_FALSE(checks.lags_at(sequence_number{1}));
}

TEST_CASE("a batch that a NEW-VIEW names is not measured, because an earlier primary proposed it") {
  request_factory factory{small_cluster(4)};
  replica_core core{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};
  core.on_wall_clock(noon);
  const auto body = request_factory::at_time(*factory.batch_number(1), noon - std::chrono::hours{1});
  const auto to = view_number{2};
  const auto certificate = factory.prepared_of(view_number{0}, sequence_number{1}, digest_of_batch(*body));
  std::vector<view_change> changes;
  for (const std::uint32_t from : {0U, 2U, 3U})
    changes.push_back(factory.view_change_of(replica_id{from}, to, nullptr, {certificate}));
  const auto at = [&](std::uint32_t from, const message& value) {
    return hear(core, factory, principal::of(replica_id{from}), value);
  };
  (void)at(2, factory.new_view_of(to, changes));
  const auto again = factory.pre_prepare_of(to, sequence_number{1}, body);
  (void)at(2, again);
  (void)at(0, factory.prepare_of(replica_id{0}, again));
  (void)at(3, factory.prepare_of(replica_id{3}, again));
  (void)at(0, factory.commit_of(replica_id{0}, again));
  const auto done = at(3, factory.commit_of(replica_id{3}, again));
  REQUIRE(done.committed.size() == 1);
  CHECK_FALSE(done.committed.front().lateness);
}
