#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/replica_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("a certificate ahead of execution moves no watermark until the state is there (attack 15)") {
  replica_world world{4, 1};
  const auto effects = world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  CHECK(world.core.marks().low() == sequence_number{0});
  CHECK(observed_in<watermarks_moved>(effects.observations).empty());
  for (std::uint64_t n = 1; n <= 3; ++n)
    CHECK(world.order(world.proposal(n), 1) == 1);
  CHECK(world.core.marks().low() == sequence_number{0});
  CHECK(world.order(world.proposal(4), 1) == 1);
  CHECK(world.core.marks().low() == sequence_number{4});
}

TEST_CASE("an older certificate never moves the watermarks back") {
  replica_world world{4, 1};
  for (std::uint64_t n = 1; n <= 8; ++n)
    CHECK(world.order(world.proposal(n), 1) == 1);
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{8}, named_digest("state 8")));
  CHECK(world.core.marks().low() == sequence_number{8});
  const auto older = world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  CHECK(older.observations.empty());
  CHECK(world.core.marks().low() == sequence_number{8});
}

TEST_CASE("an installed state moves execution and watermarks and lets ready slots above it run") {
  replica_world world{4, 1};
  CHECK(world.order(world.proposal(5), 1) == 0);
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  const auto effects =
      world.core.on_installed(sequence_number{4}, world.factory.certificate_of(sequence_number{4}, {}));
  REQUIRE(effects.committed.size() == 1);
  CHECK(effects.committed[0].sequence == sequence_number{5});
  CHECK(world.core.last_executed() == sequence_number{5});
  CHECK(world.core.marks().low() == sequence_number{4});
}

TEST_CASE("an installed state is reported as progress") {
  replica_world world{4, 1};
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  const auto effects =
      world.core.on_installed(sequence_number{4}, world.factory.certificate_of(sequence_number{4}, {}));
  CHECK_FALSE(observed_in<replica_progress>(effects.observations).empty());
  CHECK(world.core.last_executed() == sequence_number{4});
}

TEST_CASE("an installed state that execution has passed changes nothing") {
  replica_world world{4, 1};
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  for (std::uint64_t n = 1; n <= 5; ++n)
    CHECK(world.order(world.proposal(n), 1) == 1);
  const auto late = world.core.on_installed(sequence_number{4}, world.factory.certificate_of(sequence_number{4}, {}));
  CHECK(late.committed.empty());
  CHECK(late.observations.empty());
  CHECK(world.core.last_executed() == sequence_number{5});
}

TEST_CASE("a state older than the newest certificate still moves the watermarks to itself") {
  replica_world world{4, 1};
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{8}, named_digest("state 8")));
  (void)world.core.on_installed(sequence_number{4}, world.factory.certificate_of(sequence_number{4}, {}));
  CHECK(world.core.marks().low() == sequence_number{4});
  CHECK(world.core.last_executed() == sequence_number{4});
  (void)world.core.on_installed(sequence_number{8}, world.factory.certificate_of(sequence_number{8}, {}));
  CHECK(world.core.marks().low() == sequence_number{8});
}

TEST_CASE("a primary that installed a state proposes above it") {
  replica_world world{4, 0};
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{8}, named_digest("state 8")));
  (void)world.core.on_installed(sequence_number{8}, world.factory.certificate_of(sequence_number{8}, {}));
  const auto proposals = sent<pre_prepare>(world.core.on_batch(view_number{0}, world.factory.batch_number(1)).sends);
  REQUIRE(proposals.size() == 1);
  CHECK(proposals[0].header.content.sequence == sequence_number{9});
}

TEST_CASE("a replica with a diverged state sends nothing more") {
  for (const std::uint32_t self : {0U, 1U}) {
    replica_world world{4, self};
    world.core.on_diverged(sequence_number{4});
    const auto proposal = world.proposal(1);
    CHECK(world.hear(0, proposal).sends.empty());
    CHECK(world.hear_prepare(2, proposal).sends.empty());
    CHECK(world.hear(3, world.factory.status_of(replica_id{3}, view_number{0}, {}, {})).sends.empty());
    for (int tick = 0; tick < 8; ++tick)
      CHECK(world.core.on_tick().sends.empty());
    CHECK(world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("x"))).sends.empty());
    if (self == 0) CHECK(world.core.on_batch(view_number{0}, world.factory.batch_number(1)).sends.empty());
  }
}

namespace {

/// Backup 1 has executed 1 … 6 with K = 4. Then it learns that its state after 4 is not the certified state.
struct diverged_replica : replica_world {
  std::shared_ptr<const checkpoint_certificate> certified = certificate(4);

  diverged_replica() : replica_world(4, 1) {
    for (std::uint64_t n = 1; n <= 6; ++n)
      REQUIRE(order(proposal(n), 1) == 1);
    (void)core.on_stable(certified);
    core.on_diverged(sequence_number{4});
  }

  [[nodiscard]] std::shared_ptr<const checkpoint_certificate> certificate(std::uint64_t n) const {
    return factory.certificate_of(sequence_number{n}, named_digest("right"), {0, 2, 3});
  }
  replica_effects repair(std::uint64_t n) { return core.on_installed(sequence_number{n}, certificate(n)); }
};

}  // namespace

TEST_CASE(
    "a diverged replica continues from the certified state, and hands over again the batches after it (attack 27)") {
  diverged_replica world;
  const auto effects = world.repair(4);
  REQUIRE(effects.committed.size() == 2);
  CHECK(effects.committed[0].sequence == sequence_number{5});
  CHECK(effects.committed[1].sequence == sequence_number{6});
  CHECK(world.core.last_executed() == sequence_number{6});
  CHECK(world.core.marks().low() == sequence_number{4});
  // The repaired replica votes again.
  CHECK(sent<prepare>(world.hear(0, world.proposal(7)).sends).size() == 1);
}

TEST_CASE("a state older than the divergence repairs nothing, and a later one does") {
  diverged_replica world;
  world.core.on_diverged(sequence_number{8});
  CHECK(world.repair(4).committed.empty());
  CHECK(world.hear(0, world.proposal(7)).sends.empty());
  CHECK(world.repair(8).committed.empty());
  CHECK(world.core.last_executed() == sequence_number{8});
  CHECK(sent<prepare>(world.hear(0, world.proposal(9)).sends).size() == 1);
}

TEST_CASE("a report from the disk about an older installed state does not end a newer divergence") {
  diverged_replica world;
  // The executor installed the state after 4 and executed 5 … 8 wrongly. It reported this before the state was on the
  // disk.
  world.core.on_diverged(sequence_number{8});
  CHECK(world.repair(4).sends.empty());
  CHECK(world.core.repairs() == 0);
  CHECK_FALSE(world.repair(8).sends.empty());
  CHECK(world.core.repairs() == 1);
}

TEST_CASE("a diverged replica leaves its view after the repair, not before") {
  diverged_replica world;
  CHECK(world.core.on_change_view(view_number{2}).sends.empty());
  (void)world.repair(4);
  // The replicas that left the view send their requests again.
  const auto effects = world.core.on_change_view(view_number{2});
  const auto left = sent<view_change>(effects.sends);
  REQUIRE(left.size() == 1);
  CHECK(left[0].new_view == view_number{2});
  REQUIRE(effects.view_left != nullptr);
}

TEST_CASE("a diverged primary proposes its pending batches after the repair") {
  replica_world world{4, 0};
  world.core.on_diverged(sequence_number{4});
  CHECK(world.core.on_batch(view_number{0}, world.factory.batch_number(1)).sends.empty());
  const auto certified = world.factory.certificate_of(sequence_number{4}, named_digest("right"), {1, 2, 3});
  const auto proposals = sent<pre_prepare>(world.core.on_installed(sequence_number{4}, certified).sends);
  REQUIRE(proposals.size() == 1);
  CHECK(proposals[0].header.content.sequence == sequence_number{5});
}

TEST_CASE("null requests that a wrong state asked for are not proposed after the repair") {
  const request_factory factory{small_cluster(4, 4, 16, 64)};
  replica_core primary{factory.cluster(), replica_id{0}, factory.keys_of(replica_id{0})};
  const auto first = sent<pre_prepare>(primary.on_moves({sequence_number{1'000}, {}, {}}, {}, {}).sends);
  REQUIRE(first.size() == primary_monitor::advance_min);
  // Each executed null request makes room for the next.
  const auto execute = [&](const pre_prepare& of) {
    std::vector<pre_prepare> proposed;
    const auto hear = [&](std::uint32_t from, const message& value) {
      const auto more = sent<pre_prepare>(primary.on_message(principal::of(replica_id{from}), value).sends);
      proposed.insert(proposed.end(), more.begin(), more.end());
    };
    for (const std::uint32_t from : {1U, 2U})
      hear(from, factory.prepare_of(replica_id{from}, of));
    for (const std::uint32_t from : {1U, 2U})
      hear(from, factory.commit_of(replica_id{from}, of));
    return proposed.size();
  };
  CHECK(execute(first[0]) == 1);
  (void)primary.on_moves({sequence_number{0}, {}, {}}, {}, {});
  CHECK(execute(first[1]) == 0);
  CHECK(primary.last_executed() == sequence_number{2});
}

TEST_CASE("each tick reports the position, also while the state is missing or wrong") {
  replica_world world{4, 1};
  const auto progress = [&world] {
    const auto seen = observed_in<replica_progress>(world.core.on_tick().observations);
    REQUIRE(seen.size() == 1);
    return seen[0];
  };
  CHECK_FALSE(progress().lacks_state);
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  CHECK(progress().lacks_state);
  CHECK_FALSE(progress().diverged);
  world.core.on_diverged(sequence_number{4});
  CHECK(progress().diverged);
}

TEST_CASE("a STATUS says whether its sender is on probation, and is reported with its claims") {
  replica_world learner{4, 2};
  recovered_replica past;
  past.on_probation = true;
  learner.core.restore(past);
  const auto said = sent<status>(learner.core.on_start().sends);
  REQUIRE(said.size() == 1);
  CHECK(said[0].on_probation);
  replica_world world{4, 1};
  const auto heard = observed_in<status_was_heard>(world.hear(2, said[0]).observations);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].replica == replica_id{2});
  CHECK(heard[0].on_probation);
  std::vector<status> own;
  for (int tick = 0; tick < 4; ++tick)
    std::ranges::move(sent<status>(world.core.on_tick().sends), std::back_inserter(own));
  REQUIRE(own.size() == 1);
  CHECK_FALSE(own[0].on_probation);
}
