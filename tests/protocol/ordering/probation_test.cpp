#include <doctest/doctest.h>

#include <algorithm>

#include "actors/protocol/ordering/probation.hpp"
#include "actors/protocol/ordering/replica_core.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

// A replica that lost its disk (requirement R10): which messages it may send, and from where on.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number view_of(std::uint64_t value) { return view_number{value}; }
constexpr sequence_number at(std::uint64_t value) { return sequence_number{value}; }

/// Four replicas with K = 4 and L = 8.
const cluster_parameters four_replicas = small_cluster(4);

}  // namespace

TEST_CASE("the floor is two windows above the own h when the h of a quorum of others is not above it") {
  probation tested{four_replicas};
  tested.on_status(replica_id{0}, view_of(3), at(4), at(8));
  tested.on_status(replica_id{1}, view_of(5), at(8), at(8));
  CHECK_FALSE(tested.floor());
  CHECK_FALSE(tested.may_prepare(at(1'000)));
  tested.on_status(replica_id{2}, view_of(4), at(8), at(8));
  REQUIRE(tested.floor());
  CHECK(*tested.floor() == at(8 + 2 * four_replicas.watermark_window));
  CHECK(tested.first_view() == view_of(7));
  CHECK_FALSE(tested.may_prepare(at(tested.floor()->value - 1)));
  CHECK(tested.may_prepare(*tested.floor()));
  CHECK_FALSE(tested.may_commit(view_of(6), *tested.floor()));
  CHECK(tested.may_commit(view_of(7), *tested.floor()));
  CHECK_FALSE(tested.may_commit(view_of(7), at(8)));
}

TEST_CASE("one replica that reports often is not a quorum") {
  probation tested{four_replicas};
  for (int time = 0; time < 10; ++time)
    tested.on_status(replica_id{0}, view_of(0), at(0), at(0));
  CHECK_FALSE(tested.floor());
}

TEST_CASE("a watermark beyond the proven checkpoint counts once its proof is here") {
  probation tested{four_replicas};
  tested.on_status(replica_id{0}, view_of(0), at(8), at(8));
  tested.on_status(replica_id{1}, view_of(0), at(12), at(8));
  tested.on_status(replica_id{2}, view_of(0), at(8), at(8));
  CHECK_FALSE(tested.floor());
  tested.on_status(replica_id{2}, view_of(0), at(12), at(12));
  REQUIRE(tested.floor());
  CHECK(*tested.floor() == at(12 + 2 * four_replicas.watermark_window));
}

TEST_CASE("a false watermark never counts") {
  probation tested{four_replicas};
  tested.on_status(replica_id{0}, view_of(0), at(1'000'000), at(8));
  tested.on_status(replica_id{1}, view_of(0), at(12), at(8));
  tested.on_status(replica_id{2}, view_of(0), at(8), at(8));
  CHECK_FALSE(tested.floor());
  tested.on_status(replica_id{2}, view_of(0), at(12), at(12));
  CHECK_FALSE(tested.floor());
}

TEST_CASE(
    "the latest view in the earliest quorum of reports counts, so a liar delays nothing once that quorum has "
    "reported") {
  probation tested{small_cluster(7)};
  tested.on_status(replica_id{0}, view_of(1'000'000), at(0), at(0));
  for (std::uint32_t other = 1; other <= 4; ++other)
    tested.on_status(replica_id{other}, view_of(other), at(0), at(0));
  REQUIRE(tested.floor());
  CHECK(tested.first_view() == view_of(1'000'002));
  // The report of the fifth correct replica completes a quorum without the faulty replica.
  tested.on_status(replica_id{5}, view_of(2), at(0), at(0));
  CHECK(tested.first_view() == view_of(6));
}

TEST_CASE("a view that one honest replica of a quorum has entered counts, however few have entered it") {
  probation tested{small_cluster(7)};
  for (std::uint32_t other = 0; other <= 3; ++other)
    tested.on_status(replica_id{other}, view_of(1), at(0), at(0));
  tested.on_status(replica_id{4}, view_of(3), at(0), at(0));
  CHECK(tested.first_view() == view_of(5));
}

namespace {

/// Replica 1 without its earlier votes. The test sends the messages of the others. It takes a state at each checkpoint.
struct learner_world {
  request_factory factory{four_replicas};
  replica_core core{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};
  view_number view;
  std::vector<storage_record> records;
  std::vector<probation_changed> changes;
  std::optional<sequence_number> voting_above;

  learner_world() {
    recovered_replica past;
    past.on_probation = true;
    core.restore(past);
  }

  replica_effects take(replica_effects effects) {
    for (const auto& each : effects.committed) {
      if (factory.cluster().is_checkpoint(each.sequence)) take(core.on_taken(each.sequence));
    }
    records.insert(records.end(), effects.records.begin(), effects.records.end());
    for (const auto& each : observed_in<probation_changed>(effects.observations))
      changes.push_back(each);
    if (effects.voting_above) voting_above = effects.voting_above;
    return effects;
  }
  replica_effects hear(std::uint32_t from, const message& value) {
    return take(testing::hear(core, factory, principal::of(replica_id{from}), value));
  }
  void hear_status(std::uint32_t from, std::uint64_t low) {
    hear(from, factory.status_of(replica_id{from}, view, at(low), at(low)));
  }
  /// The other replicas order a batch. Returns the messages that this replica sent meanwhile.
  std::vector<outgoing_message> order(std::uint64_t n) {
    const auto proposal = factory.pre_prepare_of(view, at(n), factory.batch_number(n));
    const auto primary = factory.cluster().group().primary_of(view);
    std::vector<outgoing_message> sent;
    const auto give = [&](std::uint32_t from, const message& value) {
      auto effects = hear(from, value);
      sent.insert(sent.end(), effects.sends.begin(), effects.sends.end());
    };
    give(primary.value, proposal);
    for (const std::uint32_t other : {0U, 2U, 3U}) {
      if (replica_id{other} != primary) give(other, factory.prepare_of(replica_id{other}, proposal));
    }
    for (const std::uint32_t other : {0U, 2U, 3U})
      give(other, factory.commit_of(replica_id{other}, proposal));
    if (factory.cluster().is_checkpoint(at(n))) {
      take(core.on_stable(factory.certificate_of(at(n), named_digest("state"), {0, 2, 3})));
    }
    return sent;
  }
};

std::vector<record_kind> kinds_of(const std::vector<storage_record>& records) {
  std::vector<record_kind> kinds;
  for (const auto& each : records)
    kinds.push_back(each.kind);
  return kinds;
}

}  // namespace

TEST_CASE("a replica that lost its disk follows in silence until every message that it may have sent is past") {
  learner_world world;
  for (const std::uint32_t other : {0U, 2U, 3U})
    world.hear_status(other, 0);
  const auto floor = 2ULL * four_replicas.watermark_window;
  REQUIRE(world.voting_above == at(floor));
  std::uint64_t n = 1;
  for (; n <= floor; ++n) {
    const auto said = world.order(n);
    CHECK(sent<prepare>(said).empty());
    CHECK(sent<commit>(said).empty());
  }
  CHECK(world.core.last_executed() == at(floor));
  REQUIRE(world.core.marks().low() == at(floor));
  // The replica prepares again but does not commit, because its old VIEW-CHANGE may lack a certificate for the new
  // COMMIT.
  for (; n <= floor + 4; ++n) {
    const auto said = world.order(n);
    CHECK(sent<prepare>(said).size() == 1);
    CHECK(sent<commit>(said).empty());
  }
  REQUIRE(world.changes.size() == 1);
  CHECK(world.changes.front().first_view == view_of(2));
  // So the replica also does not leave for a view for which it may already have sent a VIEW-CHANGE.
  CHECK(sent<view_change>(world.take(world.core.on_change_view(view_of(1))).sends).empty());
  CHECK(world.core.view() == view_of(0));
  CHECK(sent<view_change>(world.take(world.core.on_change_view(view_of(2))).sends).size() == 1);
}

TEST_CASE("a replica reports its probation from the start") {
  learner_world world;
  const auto started = world.take(world.core.on_start());
  REQUIRE(world.changes.size() == 1);
  // It does not know what it has prepared, so it answers no linearizable read (attack 35).
  CHECK_FALSE(started.prepared_through);
  CHECK_FALSE(world.changes.front().over);
}

TEST_CASE("a replica on probation without reports of a quorum stays silent, however far the group is") {
  learner_world world;
  world.hear_status(0, 0);
  world.hear_status(2, 0);
  for (std::uint64_t n = 1; n <= 40; ++n) {
    CHECK(sent<prepare>(world.order(n)).empty());
    CHECK(world.take(world.core.on_change_view(view_of(100 + n))).sends.empty());
  }
  CHECK_FALSE(world.voting_above);
}

TEST_CASE("a replica leaves probation once it may commit, and its disk notes that before its first COMMIT") {
  learner_world world;
  for (const std::uint32_t other : {0U, 2U, 3U})
    world.hear_status(other, 0);
  const auto floor = 2ULL * four_replicas.watermark_window;
  for (std::uint64_t n = 1; n <= floor; ++n)
    (void)world.order(n);
  // The others have moved to view 2 without the help of this replica.
  const auto stable = world.factory.certificate_of(at(floor), named_digest("state"), {0, 2, 3});
  std::vector<view_change> changes;
  for (const std::uint32_t other : {0U, 2U, 3U})
    changes.push_back(world.factory.view_change_of(replica_id{other}, view_of(2), stable, {}));
  const auto opened = world.factory.new_view_of(view_of(2), std::move(changes));
  world.records.clear();
  const auto entered = world.hear(2, opened);
  CHECK(entered.readmitted);
  // The floor covers every forgotten COMMIT.
  CHECK(entered.prepared_through == at(floor));
  REQUIRE(world.core.view() == view_of(2));
  world.view = view_of(2);
  const auto said = world.order(floor + 1);
  CHECK(sent<prepare>(said).size() == 1);
  CHECK(sent<commit>(said).size() == 1);
  REQUIRE(world.changes.size() == 2);
  CHECK(world.changes.back().over);
  const auto kinds = kinds_of(world.records);
  // The record of the readmission depends on the view and h, so these are on the disk before it.
  CHECK(std::ranges::find(kinds, record_kind::new_view) < std::ranges::find(kinds, record_kind::readmission));
  const auto note = std::ranges::find(kinds, record_kind::readmission);
  const auto vote = std::ranges::find(kinds, record_kind::commit);
  REQUIRE(note != kinds.end());
  REQUIRE(vote != kinds.end());
  CHECK(note < vote);
  // The end of the probation is recorded only once.
  world.records.clear();
  CHECK(sent<commit>(world.order(floor + 2)).size() == 1);
  CHECK(std::ranges::count(kinds_of(world.records), record_kind::readmission) == 0);
}

TEST_CASE("a primary that lost its disk learns its earlier proposals and executes them") {
  const request_factory factory{four_replicas};
  replica_core core{factory.cluster(), replica_id{0}, factory.keys_of(replica_id{0})};
  recovered_replica past;
  past.on_probation = true;
  core.restore(past);
  const auto own = factory.pre_prepare_of(view_of(0), at(1), factory.batch_number(1));
  std::size_t committed = 0;
  const auto hear = [&](std::uint32_t from, const message& value) {
    const auto effects = core.on_message(principal::of(replica_id{from}), value);
    committed += effects.committed.size();
    CHECK(effects.sends.empty());
  };
  hear(2, own);
  for (const std::uint32_t other : {1U, 2U, 3U})
    hear(other, factory.prepare_of(replica_id{other}, own));
  for (const std::uint32_t other : {1U, 2U, 3U})
    hear(other, factory.commit_of(replica_id{other}, own));
  CHECK(committed == 1);
}
