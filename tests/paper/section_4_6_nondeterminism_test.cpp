#include <doctest/doctest.h>

#include "actors/protocol/execution/replicated_state.hpp"
#include "tests/paper/view_change_world.hpp"
#include "tests/support/counting_machine.hpp"

// Castro & Liskov, OSDI '99, §4.6 "Non-Determinism". The value that replicas cannot compute is a time. Each test quotes
// the sentence that it tests. f = 1. The bound on the difference of clocks is 10 s.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr wall_time noon{std::chrono::hours{12}};
constexpr wall_time too_late = noon + 10s + 1ms;

/// Backup 1 of four replicas. Its wall clock shows noon.
struct time_world : paper_world {
  time_world() : paper_world{1} { core.on_wall_clock(noon); }

  [[nodiscard]] pre_prepare proposal_at(wall_time time, std::uint64_t n = 1) const {
    return factory.pre_prepare_of(v0, sequence_number{n}, request_factory::at_time(*factory.batch_number(n), time));
  }
  /// The number of PREPAREs that the backup sends after this message.
  std::size_t prepares_after(std::uint32_t from, const message& value) {
    return sent<prepare>(hear(from, value).sends).size();
  }
};

}  // namespace

// "This prevents a faulty primary from causing replica state to diverge by sending different values to different
// replicas."
TEST_CASE("4.6: a second time for the same requests is a second proposal, which is never accepted (attack 8)") {
  time_world world;
  const auto first = world.proposal_at(noon);
  const auto second = world.proposal_at(noon + 1ms);
  CHECK(first.header.content.value != second.header.content.value);
  CHECK(world.prepares_after(0, first) == 1);
  const auto after = world.hear(0, second);
  CHECK(after.sends.empty());
  CHECK(rejections_in(after.observations) == std::vector{rejection::conflicting_statement});
  // The signed header binds the time, so nobody can change the time of a proposal.
  auto altered = first;
  altered.body = second.body;
  CHECK(verdict(world, 0, altered) == rejection::wrong_digest);
}

// "However, a faulty primary might send the same, incorrect, value to all replicas. Therefore, replicas must be able to
// decide deterministically whether the value is correct (and what to do if it is not) based only on the service state."
TEST_CASE("4.6: a replica decides by its state alone: a time before the last one changes nothing (I19)") {
  const request_factory make{small_cluster(4)};
  replicated_state state{std::make_unique<counting_machine>(), make.cluster()};
  const auto executed = [&](std::uint64_t n, wall_time time) {
    (void)state.execute(sequence_number{n}, *request_factory::at_time(*make.batch_number(n), time));
    return state.ordered_time();
  };
  CHECK(executed(1, noon) == noon);
  CHECK(executed(2, noon - 1ms) == noon);
  CHECK(executed(3, wall_time{}) == noon);
  CHECK(executed(4, noon + 1ms) == noon + 1ms);
  // The null request has no time.
  (void)state.execute(sequence_number{5}, batch{});
  CHECK(state.ordered_time() == noon + 1ms);
}

// "For example, if replicas need a value that is 'close enough' to that of their local clock, the extra phase can be
// avoided when their clocks are synchronized within some delta."
TEST_CASE("4.6: a backup sends no PREPARE for a time that is not close enough, until its clock has caught up") {
  time_world world;
  const auto given = world.proposal_at(too_late);
  const auto accepted = world.hear(0, given);
  CHECK(accepted.sends.empty());
  // It has accepted the proposal, so it must not accept another one after a restart.
  REQUIRE(accepted.records.size() == 1);
  CHECK(accepted.records[0].kind == record_kind::pre_prepare);
  CHECK(sent<prepare>(world.core.on_tick().sends).empty());
  world.core.on_wall_clock(noon + 1ms);
  CHECK(sent<prepare>(world.core.on_tick().sends).size() == 1);
  CHECK(sent<prepare>(world.core.on_tick().sends).empty());
}

TEST_CASE("4.6: a time within the bound, and every earlier time, gets its PREPARE at once") {
  for (const auto time : {noon + 10s, noon, noon - std::chrono::hours{11}, wall_time{}}) {
    time_world world;
    CHECK(world.prepares_after(0, world.proposal_at(time)) == 1);
  }
}

TEST_CASE("4.6: a backup whose clock is wrong follows f + 1 voters, of which one is correct") {
  time_world world;
  const auto given = world.proposal_at(too_late);
  CHECK(world.prepares_after(0, given) == 0);
  SUBCASE("the primary and one backup") {
    CHECK(world.prepares_after(2, world.factory.prepare_of(replica_id{2}, given)) == 1);
    // Its PREPARE completes the quorum at the others, and its COMMIT follows when the slot is prepared.
    const auto prepared = world.hear(3, world.factory.prepare_of(replica_id{3}, given));
    CHECK(sent<prepare>(prepared.sends).empty());
  }
  SUBCASE("a PREPARE for another batch does not count") {
    const auto other = world.proposal_at(noon);
    CHECK(world.prepares_after(2, world.factory.prepare_of(replica_id{2}, other)) == 0);
  }
  SUBCASE("a COMMIT does not count") {
    CHECK(world.prepares_after(2, world.factory.commit_of(replica_id{2}, given)) == 0);
  }
  SUBCASE("the PREPARE may come before the proposal") {
    time_world early;
    CHECK(early.prepares_after(2, early.factory.prepare_of(replica_id{2}, given)) == 0);
    CHECK(early.prepares_after(0, given) == 1);
  }
}

TEST_CASE("4.6: f faulty backups and a faulty primary together need a correct voter") {
  // n = 7 and f = 2: the primary and one more faulty replica are 2 voters, and 3 are needed.
  request_factory make{small_cluster(7)};
  replica_core core{make.cluster(), replica_id{1}, make.keys_of(replica_id{1})};
  core.on_wall_clock(noon);
  const auto given = make.pre_prepare_of(v0, n1, request_factory::at_time(*make.batch_number(1), too_late));
  const auto prepares_after = [&](std::uint32_t from, const message& value) {
    return sent<prepare>(hear(core, make, principal::of(replica_id{from}), value).sends).size();
  };
  CHECK(prepares_after(0, given) == 0);
  CHECK(prepares_after(5, make.prepare_of(replica_id{5}, given)) == 0);
  CHECK(prepares_after(5, make.prepare_of(replica_id{5}, given)) == 0);
  CHECK(prepares_after(6, make.prepare_of(replica_id{6}, given)) == 1);
}

TEST_CASE("4.6: a backup without a wall clock votes with f + 1 voters, and orders the batch") {
  request_factory make{small_cluster(7)};
  replica_core core{make.cluster(), replica_id{1}, make.keys_of(replica_id{1})};
  const auto given = make.pre_prepare_of(v0, n1, request_factory::at_time(*make.batch_number(1), too_late));
  std::vector<std::size_t> prepares;
  std::size_t committed = 0;
  const auto take = [&](std::uint32_t from, const message& value) {
    const auto effects = hear(core, make, principal::of(replica_id{from}), value);
    prepares.push_back(sent<prepare>(effects.sends).size());
    committed += effects.committed.size();
  };
  take(0, given);
  for (const std::uint32_t from : {2U, 3U, 4U, 5U})
    take(from, make.prepare_of(replica_id{from}, given));
  // The primary, replica 2 and replica 3 are f + 1 voters.
  CHECK(prepares == std::vector<std::size_t>{0, 0, 1, 0, 0});
  for (const std::uint32_t from : {0U, 2U, 3U, 4U})
    take(from, make.commit_of(replica_id{from}, given));
  CHECK(committed == 1);
}

TEST_CASE("4.6: what a NEW-VIEW proposes again is not judged by clocks") {
  time_world world;
  const auto late = request_factory::at_time(*world.factory.batch_number(1), too_late);
  const auto certificate = world.factory.prepared_of(v0, n1, digest_of_batch(*late));
  // This backup holds the batch from view 0, in which it did not vote for it.
  CHECK(world.prepares_after(0, world.proposal_at(too_late)) == 0);
  (void)world.core.on_change_view(v2);
  const auto opened = world.opened(v2, {{certificate}});
  CHECK(sent<prepare>(world.hear(2, opened).sends).size() == 1);
}
