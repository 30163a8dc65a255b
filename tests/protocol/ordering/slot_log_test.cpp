#include <doctest/doctest.h>

#include "actors/protocol/ordering/slot_log.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

struct slot_world {
  request_factory factory;
  pre_prepare proposal;
  slot place;

  explicit slot_world(std::uint32_t replicas)
      : factory(small_cluster(replicas)),
        proposal(factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(1))) {}

  [[nodiscard]] group_size group() const { return factory.cluster().group(); }
  void prepare_by(std::uint32_t number) { place.prepares.add(factory.prepare_of(replica_id{number}, proposal).vote); }
  void commit_by(std::uint32_t number) { place.commits.add(factory.commit_of(replica_id{number}, proposal).vote); }
  /// A vote for another value at the same place.
  [[nodiscard]] signed_statement stray(message_kind kind, std::uint32_t number) const {
    return factory.signed_as(kind, factory.content_of(replica_id{number}, view_number{0}, sequence_number{1},
                                                      named_digest("another value")));
  }
};

constexpr std::uint32_t sizes[] = {4, 5, 6, 7, 10};

}  // namespace

TEST_CASE("a slot is prepared by a proposal and one less than a quorum of backups, in any order") {
  for (const auto replicas : sizes) {
    slot_world world{replicas};
    const auto needed = world.group().quorum() - 1;
    for (std::uint32_t number = 1; number <= needed; ++number) {
      CHECK_FALSE(world.place.is_prepared(world.group()));
      world.prepare_by(number);
    }
    CHECK_FALSE(world.place.is_prepared(world.group()));
    world.place.proposal = world.proposal;
    CHECK(world.place.is_prepared(world.group()));
  }
}

TEST_CASE("one backup that prepares repeatedly counts once") {
  slot_world world{4};
  world.place.proposal = world.proposal;
  for (int round = 0; round < 5; ++round)
    world.prepare_by(2);
  CHECK(world.place.prepares.count_for(world.proposal.header.content.value) == 1);
  CHECK_FALSE(world.place.is_prepared(world.group()));
}

TEST_CASE("PREPAREs for another value do not prepare the slot") {
  slot_world world{4};
  world.place.proposal = world.proposal;
  world.prepare_by(1);
  CHECK(world.place.prepares.add(world.stray(message_kind::prepare, 2)) == vote_set::outcome::added);
  CHECK(world.place.prepares.add(world.stray(message_kind::prepare, 3)) == vote_set::outcome::added);
  CHECK_FALSE(world.place.is_prepared(world.group()));
}

TEST_CASE("a replica that voted for one value never counts for another") {
  slot_world world{4};
  world.place.proposal = world.proposal;
  world.prepare_by(1);
  CHECK(world.place.prepares.add(world.stray(message_kind::prepare, 2)) == vote_set::outcome::added);
  const auto second = world.factory.prepare_of(replica_id{2}, world.proposal).vote;
  CHECK(world.place.prepares.add(second) == vote_set::outcome::conflicting);
  CHECK_FALSE(world.place.is_prepared(world.group()));
}

TEST_CASE("a slot commits with a quorum of COMMITs once it is prepared, and not before") {
  for (const auto replicas : sizes) {
    slot_world world{replicas};
    const auto quorum = world.group().quorum();
    for (std::uint32_t number = 0; number < quorum; ++number)
      world.commit_by(number);
    CHECK_FALSE(world.place.is_committed_local(world.group()));
    world.place.proposal = world.proposal;
    CHECK_FALSE(world.place.is_committed_local(world.group()));
    for (std::uint32_t number = 1; number < quorum; ++number)
      world.prepare_by(number);
    CHECK(world.place.is_committed_local(world.group()));
  }
}

TEST_CASE("one COMMIT less than a quorum commits nothing") {
  for (const auto replicas : sizes) {
    slot_world world{replicas};
    world.place.proposal = world.proposal;
    for (std::uint32_t number = 1; number < replicas; ++number)
      world.prepare_by(number);
    for (std::uint32_t number = 0; number + 1 < world.group().quorum(); ++number)
      world.commit_by(number);
    CHECK_FALSE(world.place.is_committed_local(world.group()));
    const auto last = world.group().quorum() - 1;
    CHECK(world.place.commits.add(world.stray(message_kind::commit, last)) == vote_set::outcome::added);
    CHECK_FALSE(world.place.is_committed_local(world.group()));
  }
}

TEST_CASE("votes_for returns the matching votes only, each replica once") {
  slot_world world{7};
  for (const std::uint32_t number : {5U, 1U, 3U, 1U})
    world.commit_by(number);
  world.place.commits.add(world.stray(message_kind::commit, 2));
  const auto votes = world.place.commits.votes_for(world.proposal.header.content.value);
  REQUIRE(votes.size() == 3);
  CHECK(votes[0].content.replica == replica_id{1});
  CHECK(votes[1].content.replica == replica_id{3});
  CHECK(votes[2].content.replica == replica_id{5});
  CHECK(world.place.commits.of(replica_id{2}) != nullptr);
  CHECK(world.place.commits.of(replica_id{6}) == nullptr);
}

TEST_CASE("truncating the log drops the slots that the checkpoint covers and moves the window") {
  slot_log log{small_cluster(4)};
  for (std::uint64_t n = 1; n <= 8; ++n)
    log.at(sequence_number{n}).commit_sent = true;
  CHECK(log.size() == 8);
  log.cut_through(sequence_number{4});
  CHECK(log.size() == 4);
  CHECK(log.find(sequence_number{4}) == nullptr);
  CHECK(log.find(sequence_number{5}) != nullptr);
  CHECK(log.last() == sequence_number{8});
  CHECK(log.marks().low() == sequence_number{4});
  log.cut_through(sequence_number{8});
  CHECK(log.size() == 0);
  CHECK(log.last() == sequence_number{8});
}
