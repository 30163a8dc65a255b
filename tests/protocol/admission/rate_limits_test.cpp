#include "actors/protocol/admission/rate_limits.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("frames of a replica are rate-limited, and more strictly while it is throttled (attack 33)") {
  const auto taken_in_a_second = [](bool throttled, std::uint64_t rate = frame_rate_limit::usual_rate) {
    frame_rate_limit quota{rate};
    if (throttled) quota.throttle({replica_id{2}});
    const auto sender = principal::of(replica_id{2});
    // Counts the frames that are admitted at once.
    while (quota.admit(sender, moment{})) {
    }
    std::uint64_t taken = 0;
    for (moment now{}; now < moment{1'001ms}; now += 5us) {
      if (quota.admit(sender, now)) ++taken;
    }
    CHECK(quota.admit(principal::of(replica_id{1}), moment{1'001ms}));
    CHECK(quota.admit(principal::of(client_id{2}), moment{1'001ms}));
    return taken;
  };
  CHECK(taken_in_a_second(false) == frame_rate_limit::usual_rate);
  CHECK(taken_in_a_second(true) == 10'000);
  CHECK(taken_in_a_second(false, 150'000) == 150'000);
  CHECK(taken_in_a_second(true, 150'000) == 15'000);
}

namespace {

/// The verification budget of seven replicas that send COMMITs, with L = 8.
struct check_world {
  request_factory factory{small_cluster(7)};
  verification_budget quota{factory.cluster()};
  message vote = factory.commit_of(replica_id{2},
                                   factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(1)));
  message forwarded = factory.request_of(client_id{0}, timestamp{1}, "o");

  /// The number of the `sent` messages of the replica that are verified.
  std::uint64_t verified(std::uint32_t replica, std::uint64_t sent, moment now, const message& value) {
    const auto sender = principal::of(replica_id{replica});
    std::uint64_t count = 0;
    for (std::uint64_t index = 0; index < sent && quota.admits(sender, value, now); ++index) {
      quota.spend(sender, value, 1);
      ++count;
    }
    return count;
  }
  std::uint64_t votes(std::uint32_t replica, std::uint64_t sent, moment now) {
    return verified(replica, sent, now, vote);
  }
};

constexpr std::uint64_t votes_at_once = 4 * 8 + verification_budget::base;

}  // namespace

TEST_CASE_FIXTURE(check_world,
                  "a replica that signs without end has a bounded number of messages verified (attack 33)") {
  CHECK(votes(2, 10'000, moment{}) == votes_at_once);
  CHECK(votes(2, 10'000, moment{verification_budget::period}) == verification_budget::base);
  CHECK(votes(2, 10'000, moment{verification_budget::period + 1us}) == 0);
  // A replica saves a burst while it is silent, and no more.
  CHECK(votes(2, 10'000, moment{1'000 * verification_budget::period}) == votes_at_once);
}

TEST_CASE_FIXTURE(check_world,
                  "the budget of a replica does not depend on the others, and requests have a budget of their own") {
  CHECK(votes(2, 10'000, moment{}) == votes_at_once);
  CHECK(votes(3, 10'000, moment{}) == votes_at_once);
  CHECK(verified(2, 10'000, moment{}, forwarded) == verification_budget::requests_burst);
  // Messages of a client, and messages with a separate quota, are not limited here.
  CHECK(verified(2, 9'000, moment{}, factory.view_change_of(replica_id{2}, view_number{3}, nullptr, {})) == 9'000);
  for (int count = 0; count < 9'000; ++count)
    REQUIRE(quota.admits(principal::of(client_id{2}), forwarded, moment{}));
}

TEST_CASE_FIXTURE(
    check_world,
    "a replica's budget under load is 1.5 times the count of the (f + 1)-th busiest, so f liars cannot raise it") {
  for (const auto liars_only : {true, false}) {
    CAPTURE(liars_only);
    const moment begin{liars_only ? 0s : 100 * verification_budget::period};
    CHECK(votes(0, 10'000, begin) > 0);
    CHECK(votes(1, 10'000, begin) > 0);
    if (!liars_only) CHECK(votes(5, 70, begin) == 70);
    const auto allowed = liars_only ? verification_budget::base : std::uint64_t{105};
    for (const std::uint32_t each : {0U, 1U})
      CHECK(votes(each, 10'000, begin + verification_budget::period) == allowed);
  }
}

TEST_CASE_FIXTURE(check_world, "VOUCHes have a budget of their own, so a flood of them costs no vote (attack 45)") {
  const message flood = vouch{std::vector<request_reference>(1)};
  CHECK(verified(2, 10'000, moment{}, flood) == verification_budget::vouches_burst);
  CHECK(verified(3, 10, moment{}, flood) == 10);
  CHECK(votes(2, 10'000, moment{}) == votes_at_once);
}

TEST_CASE_FIXTURE(check_world, "a group that goes from idle to full speed within one period loses no vote") {
  for (std::uint64_t sequence = 1; sequence <= 300; ++sequence) {
    // The three votes are PREPARE, COMMIT and, with K = 1, CHECKPOINT.
    for (std::uint32_t each = 0; each < 7; ++each)
      REQUIRE(votes(each, 3, moment{}) == 3);
    quota.on_decided(sequence_number{sequence});
  }
}

TEST_CASE_FIXTURE(check_world, "each decided sequence earns three checks, up to a burst and only once (attack 33)") {
  constexpr auto earned = verification_budget::earned_by_sequence;
  CHECK(votes(2, 10'000, moment{}) == votes_at_once);
  quota.on_decided(sequence_number{3});
  CHECK(votes(2, 10'000, moment{}) == 3 * earned);
  SUBCASE("a sequence that a new view decides again earns nothing") {
    quota.on_decided(sequence_number{2});
    quota.on_decided(sequence_number{3});
    CHECK(votes(2, 10'000, moment{}) == 0);
  }
  SUBCASE("an installed state far ahead earns a burst") {
    quota.on_decided(sequence_number{1'000'000});
    CHECK(votes(2, 10'000, moment{}) == votes_at_once);
  }
  SUBCASE("the next period does not earn it again") {
    // Replicas 0 and 1 cost 60 checks each, so the period is worth 90, of which 69 are earned.
    CHECK(votes(0, 60, moment{}) + votes(1, 60, moment{}) == 120);
    quota.on_decided(sequence_number{23});
    CHECK(votes(2, 10'000, moment{}) == 20 * earned);
    CHECK(votes(2, 10'000, moment{verification_budget::period}) == verification_budget::base);
  }
  SUBCASE("forwarded requests earn nothing") {
    CHECK(verified(2, 10'000, moment{}, forwarded) == verification_budget::requests_burst);
    quota.on_decided(sequence_number{4});
    CHECK(verified(2, 10'000, moment{}, forwarded) == 0);
  }
}

TEST_CASE(
    "system requests have a quota apart from that of VIEW-CHANGEs, and requests of clients have none (attack 33)") {
  const request_factory factory{small_cluster(4, 4, 4, 8)};
  costly_message_limit quota;
  const auto sender = principal::of(replica_id{2});
  const message wanted = make_system_request(case_name{7});
  const message usual = factory.request_of(client_id{0}, timestamp{1}, "o");
  const message change = factory.view_change_of(replica_id{2}, view_number{1}, nullptr, {});
  for (std::uint64_t count = 0; count < costly_message_limit::case_burst; ++count)
    CHECK(quota.admit(sender, wanted, moment{}));
  CHECK_FALSE(quota.admit(sender, wanted, moment{}));
  CHECK(quota.admit(sender, usual, moment{}));
  // A VIEW-CHANGE is accepted even when its sender has used its quota for cases.
  CHECK(quota.admit(sender, change, moment{}));
  CHECK(quota.admit(principal::of(replica_id{1}), wanted, moment{}));
  CHECK(quota.admit(sender, wanted, moment{costly_message_limit::case_period}));
}

TEST_CASE("a sender of evidence that proves nothing has none verified for a while (attack 33)") {
  costly_message_limit quota;
  const auto sender = principal::of(replica_id{2});
  const message wanted = make_system_request(case_name{7});
  CHECK(quota.admit(sender, wanted, moment{1ms}));
  quota.on_unproven(sender, moment{1ms});
  CHECK_FALSE(quota.admit(sender, wanted, moment{1ms}));
  CHECK_FALSE(quota.admit(sender, wanted, moment{1ms + costly_message_limit::unproven_pause}));
  CHECK(quota.admit(sender, wanted,
                    moment{1ms + costly_message_limit::unproven_pause + costly_message_limit::case_period}));
  CHECK(quota.admit(principal::of(replica_id{1}), wanted, moment{1ms}));
}

TEST_CASE("a client above its rate is paused for a moment, and other clients are not (attack 33)") {
  client_pauses pauses;
  pauses.on_excess(client_id{3}, moment{1ms});
  CHECK(pauses.is_paused(client_id{3}, moment{1ms}));
  CHECK(pauses.is_paused(client_id{3}, moment{1ms + client_pauses::pause - 1us}));
  CHECK_FALSE(pauses.is_paused(client_id{4}, moment{1ms}));
  CHECK_FALSE(pauses.is_paused(client_id{3}, moment{1ms + client_pauses::pause}));
}

TEST_CASE(
    "VIEW-CHANGEs of one sender are verified at a bounded rate, and those of others are not delayed (attack 33)") {
  const request_factory factory{small_cluster(4, 4, 4, 8)};
  costly_message_limit quota;
  const auto liar = principal::of(replica_id{3});
  std::uint64_t admitted = 0;
  // One VIEW-CHANGE is sent each millisecond for ten seconds.
  for (std::uint64_t view = 1; view <= 10'000; ++view) {
    const message change = factory.view_change_of(replica_id{3}, view_number{view % 8 + 1}, nullptr, {});
    if (quota.admit(liar, change, moment{view * 1ms})) ++admitted;
    if (view != 5'000) continue;
    CHECK(quota.admit(principal::of(replica_id{1}), change, moment{view * 1ms}));
    // A VIEW-CHANGE of a client is refused because of its kind, so the quota does not count it.
    for (int time = 0; time < 10; ++time)
      CHECK(quota.admit(principal::of(client_id{0}), change, moment{view * 1ms}));
    CHECK(quota.admit(
        liar,
        message{factory.commit_of(replica_id{2},
                                  factory.pre_prepare_of(view_number{0}, sequence_number{4}, factory.batch_number(1)))},
        moment{view * 1ms}));
  }
  CHECK(admitted <= costly_message_limit::burst + static_cast<std::uint64_t>(10s / costly_message_limit::period));
  CHECK(admitted >= static_cast<std::uint64_t>(10s / costly_message_limit::period));
}

TEST_CASE("each view that this replica enters allows every replica the messages of one view") {
  const request_factory factory{small_cluster(4, 4, 4, 8)};
  costly_message_limit quota;
  const auto sender = principal::of(replica_id{2});
  const message change = factory.view_change_of(replica_id{2}, view_number{1}, nullptr, {});
  const auto admitted = [&] {
    std::uint64_t count = 0;
    while (quota.admit(sender, change, moment{}))
      ++count;
    return count;
  };
  CHECK(admitted() == costly_message_limit::burst);
  quota.on_view(view_number{3});
  CHECK(admitted() == 3 * costly_message_limit::earned_by_view);
  // At most one burst is admitted at once, and entering a view for the second time earns nothing.
  quota.on_view(view_number{3});
  CHECK(admitted() == 0);
  quota.on_view(view_number{1'000});
  CHECK(admitted() == costly_message_limit::burst);
}
