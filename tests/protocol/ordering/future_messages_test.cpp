#include "actors/protocol/ordering/future_messages.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

struct early_world {
  request_factory factory{small_cluster(4)};
  future_messages early{4, 8};
  watermarks marks{8};

  bool hold_commit(std::uint32_t sender, std::uint64_t view, std::uint64_t n) {
    const auto vote = factory.signed_as(
        message_kind::commit, factory.content_of(replica_id{sender}, view_number{view}, sequence_number{n}, {}));
    return early.hold(replica_id{sender}, vote.content, commit{vote}, std::nullopt);
  }
  bool hold_proposal(std::uint64_t n, std::size_t bytes) {
    const auto body = factory.batch_of({factory.request_of(client_id{0}, timestamp{n}, std::string(bytes, 'x'))});
    const auto proposal = factory.pre_prepare_of(view_number{0}, sequence_number{n}, body);
    return early.hold(replica_id{0}, proposal.header.content, proposal, duration{7us});
  }
};

}  // namespace

TEST_CASE("an early message is handed out once, when its view and its sequence are reached") {
  early_world world;
  CHECK(world.hold_commit(2, 1, 3));
  CHECK(world.hold_commit(1, 1, 3));
  CHECK(world.hold_commit(1, 2, 3));
  CHECK(world.hold_commit(1, 1, 12));
  CHECK(world.early.drain(view_number{0}, world.marks).empty());
  const auto due = world.early.drain(view_number{1}, world.marks);
  REQUIRE(due.size() == 2);
  CHECK(due[0].sender == replica_id{1});
  CHECK(due[1].sender == replica_id{2});
  CHECK(world.early.drain(view_number{1}, world.marks).empty());
  world.marks.advance_to(sequence_number{4});
  CHECK(world.early.drain(view_number{1}, world.marks).size() == 1);
}

TEST_CASE("a past message is dropped") {
  early_world world;
  CHECK(world.hold_commit(1, 1, 3));
  CHECK(world.hold_commit(1, 3, 3));
  CHECK(world.hold_commit(1, 3, 5));
  world.marks.advance_to(sequence_number{4});
  CHECK(world.early.drain(view_number{2}, world.marks).empty());
  CHECK(world.early.size() == 1);
}

TEST_CASE("each sender fills only its own share, in votes and in bytes (attack 33)") {
  early_world world;
  for (std::uint64_t n = 1; n <= 16; ++n)
    CHECK(world.hold_commit(1, 1 + n, 1));
  CHECK_FALSE(world.hold_commit(1, 30, 1));
  CHECK(world.hold_commit(2, 30, 1));
  const auto large = limits::operation_bytes_max;
  std::uint64_t n = 9;
  while (world.hold_proposal(n, large))
    ++n;
  CHECK((n - 9) * large < future_messages::body_bytes_max);
  CHECK((n - 9 + 1) * large >= future_messages::body_bytes_max - large);
  // A repeated message takes no additional room.
  CHECK(world.hold_commit(2, 30, 1));
  CHECK(world.early.size() == 16 + 1 + (n - 9));
}

TEST_CASE("the lateness of an early proposal is that of its arrival") {
  early_world world;
  REQUIRE(world.hold_proposal(9, 10));
  world.marks.advance_to(sequence_number{4});
  const auto due = world.early.drain(view_number{0}, world.marks);
  REQUIRE(due.size() == 1);
  CHECK(due.front().lateness == 7us);
}
