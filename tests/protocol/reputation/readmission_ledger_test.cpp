#include "actors/protocol/reputation/readmission_ledger.hpp"

#include <doctest/doctest.h>

#include "actors/protocol/execution/replicated_state.hpp"
#include "messages/codec.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

// What the group agrees to do for a replica that lost its disk (TOCS '02 §4.3.2). The effects are bounded and equal at
// all replicas.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Four replicas with K = 4 and L = 8.
const cluster_parameters four_replicas = small_cluster(4);
constexpr std::uint64_t window = 8;
constexpr std::uint64_t interval = readmission_ledger::interval_windows_min * window;

constexpr sequence_number at(std::uint64_t value) { return sequence_number{value}; }
constexpr view_number view_of(std::uint64_t value) { return view_number{value}; }

group_request readmission_wanted_of(std::uint32_t about, std::uint64_t floor) {
  return {message_kind::readmission, replica_id{about}, complaint_reason::garbage, at(floor)};
}

group_request hand_over_wanted(std::uint32_t about, std::uint64_t to, hand_over_cause cause) {
  group_request wanted{message_kind::hand_over, replica_id{about}, complaint_reason::garbage, {}, view_of(to)};
  wanted.cause = cause;
  return wanted;
}

}  // namespace

TEST_CASE("a readmission orders sequences through the end of the period of its floor") {
  readmission_ledger tested{four_replicas};
  CHECK(tested.apply(readmission_wanted_of(3, 18), at(2)));
  CHECK(tested.moves().advance_through == at(20));
  REQUIRE(tested.take_events().size() == 1);
  CHECK(tested.take_events().empty());
  // Requests for numbers that are past or agreed already are not granted and cost nothing.
  CHECK_FALSE(tested.apply(readmission_wanted_of(3, 18), at(3)));
  CHECK_FALSE(tested.apply(readmission_wanted_of(2, 20), at(3)));
  CHECK_FALSE(tested.apply(readmission_wanted_of(2, 24), at(24)));
  CHECK(tested.moves().paid_off_at[2] == at(0));
  CHECK(tested.moves().paid_off_at[3] == at(2 + interval));
}

TEST_CASE("a hand-over orders its checkpoint period to the end, and cancels no readmission") {
  readmission_ledger tested{four_replicas};
  CHECK(tested.apply(hand_over_wanted(1, 1, hand_over_cause::operators), at(5)));
  CHECK(tested.moves().advance_through == at(8));
  CHECK(tested.apply(readmission_wanted_of(3, 18), at(6)));
  CHECK(tested.apply(hand_over_wanted(1, 2, hand_over_cause::operators), at(7)));
  CHECK(tested.moves().advance_through == at(20));
}

TEST_CASE("an absurd floor moves no replica") {
  readmission_ledger tested{four_replicas};
  const auto reach = readmission_ledger::reach_windows * window;
  CHECK_FALSE(tested.apply(readmission_wanted_of(3, 10 + reach + 1), at(10)));
  CHECK_FALSE(tested.apply(readmission_wanted_of(3, limits::sequence_max), at(10)));
  CHECK(tested.moves() == readmission_ledger{four_replicas}.moves());
  CHECK(tested.apply(readmission_wanted_of(3, 10 + reach), at(10)));
}

TEST_CASE("a replica that repeats its request has a bounded share of readmissions") {
  readmission_ledger tested{four_replicas};
  std::uint64_t granted = 0;
  for (std::uint64_t view = 1; view <= 100; ++view)
    granted += tested.apply(hand_over_wanted(2, view, hand_over_cause::readmission), at(1)) ? 1 : 0;
  CHECK(granted == readmission_ledger::burst);
  CHECK_FALSE(readmission_ledger::may_ask(tested.moves(), replica_id{2}, at(interval), four_replicas));
  // The shares of the other replicas are separate.
  CHECK(tested.apply(hand_over_wanted(3, 101, hand_over_cause::readmission), at(1)));
  // Each interval allows one more request.
  CHECK(readmission_ledger::may_ask(tested.moves(), replica_id{2}, at(interval + 1), four_replicas));
  CHECK(tested.apply(hand_over_wanted(2, 102, hand_over_cause::readmission), at(interval + 1)));
  CHECK_FALSE(tested.apply(hand_over_wanted(2, 103, hand_over_cause::readmission), at(interval + 1)));
}

TEST_CASE("an idle group comes to rest, even if f replicas ask for ever") {
  for (const std::uint32_t replicas : {4U, 7U, 19U, 31U}) {
    CAPTURE(replicas);
    const auto cluster = small_cluster(replicas);
    const auto liars = cluster.group().faulty_max();
    readmission_ledger tested{cluster};
    std::uint64_t sequence = 1;
    std::uint64_t granted = 0;
    // Whenever the group is idle, each of the f replicas asks for as much as is granted.
    for (std::uint32_t turn = 0; turn < 10'000; ++turn) {
      const auto reach = readmission_ledger::reach_windows * cluster.watermark_window;
      if (!tested.apply(readmission_wanted_of(turn % liars, sequence + reach), at(sequence))) continue;
      ++granted;
      sequence = tested.moves().advance_through.value;
    }
    CHECK(granted >= readmission_ledger::burst * liars);
    CHECK(granted <= 2 * readmission_ledger::burst * liars);
  }
}

TEST_CASE("views are left up to the highest agreed one, and a hand-over by operators costs no share") {
  readmission_ledger tested{four_replicas};
  CHECK(tested.apply(hand_over_wanted(2, 2, hand_over_cause::operators), at(1)));
  CHECK(tested.moves().least_view == view_of(2));
  CHECK_FALSE(tested.apply(hand_over_wanted(2, 2, hand_over_cause::operators), at(1)));
  CHECK_FALSE(tested.apply(hand_over_wanted(3, 1, hand_over_cause::readmission), at(1)));
  CHECK(tested.moves().paid_off_at == std::vector<sequence_number>(4));
}

TEST_CASE("a primary that steps down affects no view but its own") {
  readmission_ledger tested{four_replicas};
  CHECK(tested.apply(hand_over_wanted(0, 4'000'001, hand_over_cause::step_down), at(1)));
  CHECK(tested.moves().least_view == view_of(0));
  CHECK(tested.moves().paid_off_at == std::vector<sequence_number>(4));
  CHECK(tested.take_events().size() == 1);
}

TEST_CASE("the agreed moves are part of the state") {
  replicated_state state{std::make_unique<counting_machine>(), four_replicas};
  const auto before = state.root();
  const request_factory factory{four_replicas};
  evidence shown;
  for (const std::uint32_t voter : {1U, 3U}) {
    const auto content = readmission_of(replica_id{voter}, replica_id{3}, at(18), four_replicas.signing.epoch);
    shown.items.push_back({message_kind::readmission, factory.signed_as(message_kind::readmission, content)});
  }
  const auto about = claim_in(shown, four_replicas);
  REQUIRE(about);
  const auto asked = system_request_for(*about, std::make_shared<const evidence>(shown));
  (void)state.execute(at(1), *request_factory::batch_of({}, {asked}));
  CHECK(state.moves().advance_through == at(20));
  CHECK(state.root() != before);
  replicated_state other{std::make_unique<counting_machine>(), four_replicas};
  CHECK(other.restore(at(1), state.snapshot()).has_value());
  CHECK(other.moves() == state.moves());
  CHECK(other.root() == state.root());
  // Without a weak quorum the hand-over is not granted.
  shown.items.pop_back();
  CHECK_FALSE(claim_in(shown, four_replicas));
}
