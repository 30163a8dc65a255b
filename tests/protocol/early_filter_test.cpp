#include "actors/protocol/early_filter.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// K = 4, L = 8; the replica is in view 0, has executed 3, and its last stable checkpoint is 0.
struct filter_world {
  request_factory factory{small_cluster(4, 4, 4, 8)};
  early_filter filter{factory.cluster()};

  filter_world() {
    filter.on_position({view_number{0}, true, sequence_number{3}, sequence_number{0}, sequence_number{8}});
  }

  [[nodiscard]] pre_prepare proposal(std::uint64_t sequence, std::string_view operation = "o",
                                     std::uint64_t view = 0) const {
    const auto body = factory.batch_of({factory.request_of(client_id{0}, timestamp{1}, operation)});
    return factory.pre_prepare_of(view_number{view}, sequence_number{sequence}, body);
  }
  [[nodiscard]] commit vote(std::uint64_t sequence, std::uint64_t view = 0) const {
    return factory.commit_of(replica_id{2}, proposal(sequence, "o", view));
  }
};

}  // namespace

TEST_CASE("what is executed is refused before its signature is checked") {
  filter_world world;
  CHECK(world.filter.objection_to(world.vote(3)) == rejection::already_decided);
  CHECK(world.filter.objection_to(world.proposal(3)) == rejection::already_decided);
  CHECK_FALSE(world.filter.objection_to(world.vote(4)));
}

TEST_CASE("a proposal of a view whose primary is somebody else costs no signature check") {
  filter_world world;
  CHECK(world.filter.objection_to(world.proposal(4, "o", 3)) == rejection::other_view);
}

TEST_CASE("a vote of a later view is let through: it may be early") {
  filter_world world;
  CHECK_FALSE(world.filter.objection_to(world.vote(4, 1)));
  world.filter.on_position({view_number{2}, false, sequence_number{3}, sequence_number{0}, sequence_number{8}});
  CHECK(world.filter.objection_to(world.vote(4, 1)) == rejection::other_view);
  CHECK_FALSE(world.filter.objection_to(world.vote(4, 2)));
}

TEST_CASE("behind the NEW-VIEW the proposals of its view are let through, and what is decided is votable again") {
  filter_world world;
  std::vector<view_change> changes;
  for (const std::uint32_t replica : {0U, 1U, 2U}) {
    changes.push_back(world.factory.view_change_of(replica_id{replica}, view_number{3}, nullptr, {}));
  }
  const message opened = world.factory.new_view_of(view_number{3}, changes);
  CHECK_FALSE(world.filter.objection_to(opened));
  world.filter.note_passed(opened);
  CHECK(world.filter.objection_to(opened) == rejection::other_view);
  CHECK(world.filter.objection_to(message{changes[0]}) == rejection::other_view);
  CHECK(world.filter.objection_to(world.vote(4)) == rejection::other_view);
  CHECK_FALSE(world.filter.objection_to(world.proposal(4, "o", 3)));
  CHECK_FALSE(world.filter.objection_to(world.vote(2, 3)));
  // What the replica said before it heard of the view changes nothing.
  world.filter.on_position({view_number{0}, true, sequence_number{4}, sequence_number{0}, sequence_number{8}});
  CHECK_FALSE(world.filter.objection_to(world.vote(2, 3)));
}

TEST_CASE("a suspicion of a view that is past is refused") {
  filter_world world;
  CHECK_FALSE(world.filter.objection_to(message{world.factory.suspicion_of(replica_id{2}, view_number{0})}));
  world.filter.on_position({view_number{2}, false, sequence_number{3}, sequence_number{0}, sequence_number{8}});
  CHECK(world.filter.objection_to(message{world.factory.suspicion_of(replica_id{2}, view_number{1})}) ==
        rejection::other_view);
}

TEST_CASE("a replica may be ahead of what the filter knows by a window and no more") {
  filter_world world;
  CHECK_FALSE(world.filter.objection_to(world.vote(16)));
  CHECK(world.filter.objection_to(world.vote(17)) == rejection::outside_watermarks);
}

TEST_CASE("a proposal that the replica has accepted is not verified again, and another one is") {
  filter_world world;
  const auto first = world.proposal(5);
  CHECK_FALSE(world.filter.objection_to(first));
  world.filter.note_passed(first);
  CHECK(world.filter.objection_to(first) == rejection::duplicate);
  // The second value of an equivocating primary is evidence and goes through.
  CHECK_FALSE(world.filter.objection_to(world.proposal(5, "other")));
}

TEST_CASE("a proposal above H, which the replica may have dropped, comes through again (attack 22)") {
  filter_world world;
  const auto above = world.proposal(9);
  CHECK_FALSE(world.filter.objection_to(above));
  world.filter.note_passed(above);
  CHECK_FALSE(world.filter.objection_to(above));
  world.filter.on_position({view_number{0}, true, sequence_number{4}, sequence_number{4}, sequence_number{12}});
  CHECK_FALSE(world.filter.objection_to(above));
}

TEST_CASE("checkpoints at or below the stable one are refused, and requests never") {
  filter_world world;
  world.filter.on_position({view_number{0}, true, sequence_number{5}, sequence_number{4}, sequence_number{12}});
  const auto at = [&](std::uint64_t sequence) {
    return world.factory.checkpoint_of(replica_id{1}, sequence_number{sequence}, named_digest("root"));
  };
  CHECK(world.filter.objection_to(at(4)) == rejection::already_decided);
  CHECK_FALSE(world.filter.objection_to(at(8)));
  CHECK_FALSE(world.filter.objection_to(world.factory.request_of(client_id{0}, timestamp{1}, "o")));
}

TEST_CASE("a VIEW-CHANGE that passed is known when it comes again, and another one is not (attack 33)") {
  filter_world world;
  const message first = world.factory.view_change_of(replica_id{2}, view_number{3}, nullptr, {});
  CHECK_FALSE(world.filter.objection_to(first));
  CHECK_FALSE(world.filter.objection_to(first));
  world.filter.note_passed(first);
  CHECK(world.filter.objection_to(first) == rejection::duplicate);
  CHECK_FALSE(world.filter.objection_to(message{world.factory.view_change_of(replica_id{2}, view_number{4}, nullptr, {})}));
  CHECK_FALSE(world.filter.objection_to(message{world.factory.view_change_of(replica_id{1}, view_number{3}, nullptr, {})}));
}

TEST_CASE("frames of a replica are looked at up to a rate, which is lower for who is throttled (attack 33)") {
  const auto taken_in_a_second = [](bool throttled) {
    frame_quota quota;
    if (throttled) quota.throttle({replica_id{2}});
    const auto sender = principal::of(replica_id{2});
    // What may come at once.
    while (quota.admit(sender, 0)) {
    }
    std::uint64_t taken = 0;
    for (microseconds_t now = 0; now < 1'001'000; now += 5) {
      if (quota.admit(sender, now)) ++taken;
    }
    CHECK(quota.admit(principal::of(replica_id{1}), 1'001'000));
    CHECK(quota.admit(principal::of(client_id{2}), 1'001'000));
    return taken;
  };
  CHECK(taken_in_a_second(false) == frame_quota::usual_rate);
  CHECK(taken_in_a_second(true) == frame_quota::throttled_rate);
}

TEST_CASE("cases of the guard have a quota, which is not that of VIEW-CHANGEs; requests of clients have none (attack 33)") {
  filter_world world;
  costly_quota quota;
  const auto sender = principal::of(replica_id{2});
  const message wanted = make_request({guard_client, timestamp{7}}, {to_byte_vector("case")}, {});
  const message usual = world.factory.request_of(client_id{0}, timestamp{1}, "o");
  const message change = world.factory.view_change_of(replica_id{2}, view_number{1}, nullptr, {});
  for (std::uint64_t count = 0; count < costly_quota::case_burst; ++count)
    CHECK(quota.admit(sender, wanted, 0));
  CHECK_FALSE(quota.admit(sender, wanted, 0));
  CHECK(quota.admit(sender, usual, 0));
  // Who leaves a primary that made many cases is heard.
  CHECK(quota.admit(sender, change, 0));
  CHECK(quota.admit(principal::of(replica_id{1}), wanted, 0));
  CHECK(quota.admit(sender, wanted, costly_quota::case_period_us));
}

TEST_CASE("who shows a case that proves nothing has none judged for a while (attack 33)") {
  costly_quota quota;
  const auto sender = principal::of(replica_id{2});
  const message wanted = make_request({guard_client, timestamp{7}}, {to_byte_vector("case")}, {});
  CHECK(quota.admit(sender, wanted, 1'000));
  quota.on_unproven(sender, 1'000);
  CHECK_FALSE(quota.admit(sender, wanted, 1'000));
  CHECK_FALSE(quota.admit(sender, wanted, 1'000 + costly_quota::unproven_pause_us));
  CHECK(quota.admit(sender, wanted, 1'000 + costly_quota::unproven_pause_us + costly_quota::case_period_us));
  CHECK(quota.admit(principal::of(replica_id{1}), wanted, 1'000));
}

TEST_CASE("a client that sent too much is not listened to for a moment, others are (attack 33)") {
  client_pauses pauses;
  pauses.on_excess(client_id{3}, 1'000);
  CHECK(pauses.is_paused(client_id{3}, 1'000));
  CHECK(pauses.is_paused(client_id{3}, 1'000 + client_pauses::pause_us - 1));
  CHECK_FALSE(pauses.is_paused(client_id{4}, 1'000));
  CHECK_FALSE(pauses.is_paused(client_id{3}, 1'000 + client_pauses::pause_us));
}

TEST_CASE("one sender's storm of VIEW-CHANGEs is verified at a bounded pace, and nobody else's suffers (attack 33)") {
  filter_world world;
  costly_quota quota;
  const auto liar = principal::of(replica_id{3});
  std::uint64_t admitted = 0;
  // One a millisecond for ten seconds.
  for (std::uint64_t view = 1; view <= 10'000; ++view) {
    const message change = world.factory.view_change_of(replica_id{3}, view_number{view % 8 + 1}, nullptr, {});
    if (quota.admit(liar, change, view * 1'000)) ++admitted;
    if (view != 5'000) continue;
    CHECK(quota.admit(principal::of(replica_id{1}), change, view * 1'000));
    // A client's is refused by its kind, and never counted.
    for (int time = 0; time < 10; ++time)
      CHECK(quota.admit(principal::of(client_id{0}), change, view * 1'000));
    CHECK(quota.admit(liar, message{world.vote(4)}, view * 1'000));
  }
  CHECK(admitted <= costly_quota::burst + 10'000'000 / costly_quota::period_us);
  CHECK(admitted >= 10'000'000 / costly_quota::period_us);
}
