#include "actors/protocol/admission/pre_verification_filter.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The filter of a replica with K = 4 and L = 8. The replica is in view 0, has executed 3, and its last stable
/// checkpoint is 0.
struct filter_world {
  request_factory factory{small_cluster(4, 4, 4, 8)};
  pre_verification_filter filter{factory.cluster()};

  filter_world() { stands_in(0, true); }

  [[nodiscard]] pre_prepare proposal(std::uint64_t sequence, std::string_view operation = "o",
                                     std::uint64_t view = 0) const {
    const auto body = factory.batch_of({factory.request_of(client_id{0}, timestamp{1}, operation)});
    return factory.pre_prepare_of(view_number{view}, sequence_number{sequence}, body);
  }
  [[nodiscard]] commit vote(std::uint64_t sequence, std::uint64_t view = 0) const {
    return factory.commit_of(replica_id{2}, proposal(sequence, "o", view));
  }
  [[nodiscard]] new_view opening_of(std::uint64_t view) const {
    std::vector<view_change> changes;
    for (const std::uint32_t replica : {0U, 1U, 2U})
      changes.push_back(factory.view_change_of(replica_id{replica}, view_number{view}, nullptr, {}));
    return factory.new_view_of(view_number{view}, changes);
  }
  /// The objection to a message on the link of a replica.
  [[nodiscard]] std::optional<rejection> objection(const message& value, std::uint32_t sender = 2) const {
    return filter.objection_to(principal::of(replica_id{sender}), value);
  }
  /// Gives the filter the position of the replica: it is in `view`, with h = 0 and 3 decided.
  void stands_in(std::uint64_t view, bool active, std::uint64_t repairs = 0) {
    filter.on_position(
        {view_number{view}, active, sequence_number{3}, sequence_number{0}, sequence_number{8}, repairs});
  }
};

}  // namespace

TEST_CASE("a message for an executed sequence is refused before its signature is checked") {
  filter_world world;
  CHECK(world.objection(world.vote(3)) == rejection::already_decided);
  CHECK(world.objection(world.proposal(3)) == rejection::already_decided);
  CHECK_FALSE(world.objection(world.vote(4)));
}

TEST_CASE("a proposal by another replica than the view's primary costs no signature check") {
  filter_world world;
  CHECK(world.objection(world.proposal(4, "o", 3)) == rejection::other_view);
}

TEST_CASE("a vote of a later view passes, because it may be early") {
  filter_world world;
  CHECK_FALSE(world.objection(world.vote(4, 1)));
  world.stands_in(2, false);
  CHECK(world.objection(world.vote(4, 1)) == rejection::other_view);
  CHECK_FALSE(world.objection(world.vote(4, 2)));
}

TEST_CASE("proposals of a view pass after its NEW-VIEW, and decided sequences can be voted on again") {
  filter_world world;
  const auto opened_view = world.opening_of(3);
  const auto& changes = opened_view.view_changes;
  const message opened = opened_view;
  CHECK_FALSE(world.objection(opened));
  world.filter.note_passed(opened);
  CHECK(world.objection(opened) == rejection::other_view);
  CHECK(world.objection(message{changes[0]}) == rejection::other_view);
  CHECK(world.objection(world.vote(4)) == rejection::other_view);
  CHECK_FALSE(world.objection(world.proposal(4, "o", 3)));
  CHECK_FALSE(world.objection(world.vote(2, 3)));
  // A position from before the replica learned of the view does not undo this.
  world.filter.on_position({view_number{0}, true, sequence_number{4}, sequence_number{0}, sequence_number{8}});
  CHECK_FALSE(world.objection(world.vote(2, 3)));
}

TEST_CASE("a position published before a passed NEW-VIEW is adopted is kept, and does not undo the NEW-VIEW") {
  filter_world world;
  world.filter.note_passed(world.opening_of(3));
  // Meanwhile the replica has left view 0 for view 2, and h has moved to 4.
  world.filter.on_position({view_number{2}, false, sequence_number{4}, sequence_number{4}, sequence_number{12}});
  CHECK(world.objection(world.vote(4, 3)) == rejection::already_decided);
  CHECK_FALSE(world.objection(world.proposal(5, "o", 3)));
  // H is 12 now, so the replica keeps a vote for sequence 12.
  world.filter.note_passed(world.vote(12, 3));
  CHECK(world.objection(world.vote(12, 3)) == rejection::duplicate);
}

TEST_CASE(
    "a replica that adopts the passed NEW-VIEW has the messages after it, and a replica in a later view has not") {
  for (const bool adopts : {true, false}) {
    CAPTURE(adopts);
    filter_world world;
    world.filter.note_passed(world.opening_of(3));
    world.filter.note_passed(world.vote(5, 3));
    world.stands_in(adopts ? 3 : 4, adopts);
    CHECK(world.objection(world.vote(5, 3)) == (adopts ? rejection::duplicate : rejection::other_view));
    // From here on, only the position counts.
    world.stands_in(4, false);
    CHECK(world.objection(world.proposal(5, "o", 4)) == rejection::other_view);
    CHECK_FALSE(world.objection(world.opening_of(4)));
  }
}

TEST_CASE("a suspicion of a past view is refused") {
  filter_world world;
  CHECK_FALSE(world.objection(message{world.factory.suspicion_of(replica_id{2}, view_number{0})}));
  world.stands_in(2, false);
  CHECK(world.objection(message{world.factory.suspicion_of(replica_id{2}, view_number{1})}) == rejection::other_view);
}

TEST_CASE("a replica may be ahead of the filter's position by at most one window") {
  filter_world world;
  CHECK_FALSE(world.objection(world.vote(16)));
  CHECK(world.objection(world.vote(17)) == rejection::outside_watermarks);
}

TEST_CASE("a proposal that the replica has accepted is not verified again, and a different one is") {
  filter_world world;
  const auto first = world.proposal(5);
  CHECK_FALSE(world.objection(first));
  world.filter.note_passed(first);
  CHECK(world.objection(first) == rejection::duplicate);
  // The second value of an equivocating primary is evidence, so it passes the filter.
  CHECK_FALSE(world.objection(world.proposal(5, "other")));
}

TEST_CASE("a proposal above H passes again, because the replica may have dropped it (attack 22)") {
  filter_world world;
  const auto above = world.proposal(9);
  CHECK_FALSE(world.objection(above));
  world.filter.note_passed(above);
  CHECK_FALSE(world.objection(above));
  world.filter.on_position({view_number{0}, true, sequence_number{4}, sequence_number{4}, sequence_number{12}});
  CHECK_FALSE(world.objection(above));
}

TEST_CASE("a vote that the replica has is not verified again, and a different one is (attack 33)") {
  filter_world world;
  const auto first = world.vote(5);
  CHECK_FALSE(world.objection(first));
  world.filter.note_passed(first);
  CHECK(world.objection(first) == rejection::duplicate);
  // These votes differ in their kind, their digest or their replica, so they pass.
  CHECK_FALSE(world.objection(world.factory.prepare_of(replica_id{2}, world.proposal(5))));
  CHECK_FALSE(world.objection(world.factory.commit_of(replica_id{2}, world.proposal(5, "other"))));
  CHECK_FALSE(world.objection(world.factory.commit_of(replica_id{1}, world.proposal(5)), 1));
  // The filter passes a message in the name of another member, because the validator refuses it for this reason.
  CHECK_FALSE(world.objection(first, 3));
}

TEST_CASE("a vote of a later view or above H passes again, because the replica may have dropped it (attack 22)") {
  filter_world world;
  for (const auto& early : {world.vote(4, 1), world.vote(9)}) {
    world.filter.note_passed(early);
    CHECK_FALSE(world.objection(early));
  }
  world.stands_in(1, false);
  world.filter.note_passed(world.vote(4, 1));
  CHECK_FALSE(world.objection(world.vote(4, 1)));
  world.stands_in(1, true);
  CHECK_FALSE(world.objection(world.vote(4, 1)));
}

TEST_CASE("messages that passed to a replica with a wrong state pass again (attack 27)") {
  filter_world world;
  const auto vote = world.vote(5);
  const auto proposal = world.proposal(5);
  world.filter.note_passed(vote);
  world.filter.note_passed(proposal);
  world.stands_in(0, true, 0);
  CHECK(world.objection(vote) == rejection::duplicate);
  CHECK(world.objection(proposal) == rejection::duplicate);
  world.stands_in(0, true, 1);
  CHECK_FALSE(world.objection(vote));
  CHECK_FALSE(world.objection(proposal));
}

TEST_CASE("a NEW-VIEW that a replica with a wrong state has dropped passes again (attack 27)") {
  filter_world world;
  const message opened = world.opening_of(3);
  world.filter.note_passed(opened);
  CHECK(world.objection(opened) == rejection::other_view);
  // Either the replica does not know view 3, or it has left for view 3 since then.
  for (const bool has_left : {false, true}) {
    world.stands_in(has_left ? 3 : 0, !has_left, has_left ? 2 : 1);
    CHECK_FALSE(world.objection(opened));
    world.filter.note_passed(opened);
    CHECK(world.objection(opened) == rejection::other_view);
  }
}

TEST_CASE("every vote and proposal is new in another view") {
  for (const bool by_new_view : {true, false}) {
    CAPTURE(by_new_view);
    filter_world world;
    world.filter.note_passed(world.vote(5));
    // This vote is for a later view, but has the digest of a proposal in the present view.
    world.filter.note_passed(world.vote(4, 3));
    CHECK_FALSE(world.objection(world.vote(4)));
    if (by_new_view) {
      world.filter.note_passed(world.opening_of(3));
    } else {
      world.stands_in(3, true);
    }
    CHECK_FALSE(world.objection(world.vote(5, 3)));
    CHECK_FALSE(world.objection(world.vote(4, 3)));
  }
}

TEST_CASE("a CHECKPOINT at or below the stable one is refused, and a request never") {
  filter_world world;
  world.filter.on_position({view_number{0}, true, sequence_number{5}, sequence_number{4}, sequence_number{12}});
  const auto at = [&](std::uint64_t sequence) {
    return world.factory.checkpoint_of(replica_id{1}, sequence_number{sequence}, named_digest("root"));
  };
  CHECK(world.objection(at(4)) == rejection::already_decided);
  CHECK_FALSE(world.objection(at(8)));
  CHECK_FALSE(world.objection(world.factory.request_of(client_id{0}, timestamp{1}, "o")));
}

TEST_CASE("a VIEW-CHANGE that passed is recognised when it comes again, and a different one is not (attack 33)") {
  filter_world world;
  const message first = world.factory.view_change_of(replica_id{2}, view_number{3}, nullptr, {});
  CHECK_FALSE(world.objection(first));
  CHECK_FALSE(world.objection(first));
  world.filter.note_passed(first);
  CHECK(world.objection(first) == rejection::duplicate);
  CHECK_FALSE(world.objection(message{world.factory.view_change_of(replica_id{2}, view_number{4}, nullptr, {})}));
  CHECK_FALSE(world.objection(message{world.factory.view_change_of(replica_id{1}, view_number{3}, nullptr, {})}));
}
