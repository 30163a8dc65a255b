#include "actors/protocol/reputation/reputation_ledger.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A group of seven, two of which may be in quarantine; K = 4.
struct ledger_world {
  cluster_parameters cluster = small_cluster(7);
  reputation_ledger ledger{cluster};
  std::uint64_t period = cluster.checkpoint_period;

  [[nodiscard]] static system_claim vote_of(std::uint32_t replica, std::uint64_t sequence) {
    return misbehaviour{principal::of(replica_id{replica}), misbehaviour_kind::conflicting_votes, view_number{0},
                        sequence_number{sequence}};
  }
  [[nodiscard]] static system_claim change_of(std::uint32_t replica, std::uint64_t view) {
    return misbehaviour{
        principal::of(replica_id{replica}), misbehaviour_kind::conflicting_view_changes, view_number{view}, {}};
  }
  [[nodiscard]] system_claim complaint_about(std::uint32_t replica, std::uint64_t at,
                                             complaint_reason why = complaint_reason::garbage) {
    return group_request{message_kind::complaint, replica_id{replica}, why, sequence_number{at}};
  }
  [[nodiscard]] static system_claim deed_of_client(std::uint32_t client, std::uint64_t when) {
    return misbehaviour{
        principal::of(client_id{client}), misbehaviour_kind::conflicting_requests, {}, sequence_number{when}};
  }
  bool apply(const system_claim& about, std::uint64_t sequence) {
    return ledger.apply(about, sequence_number{sequence});
  }
  /// Executes all sequences from `first` through `last` without any case.
  void pass(std::uint64_t first, std::uint64_t last) {
    for (auto sequence = first; sequence <= last; ++sequence)
      ledger.end_of(sequence_number{sequence});
  }
  [[nodiscard]] const replica_standing& of(std::uint32_t replica) const { return ledger.replicas()[replica]; }
};

}  // namespace

TEST_CASE_FIXTURE(ledger_world, "a conviction removes the score and leads to quarantine, once for each act") {
  CHECK(apply(vote_of(2, 3), 5));
  CHECK(of(2).score == 0);
  CHECK(of(2).convictions == 1);
  CHECK(of(2).is_quarantined());
  CHECK_FALSE(apply(vote_of(2, 3), 6));
  // Misbehaviour before the punished act is covered by the same punishment.
  CHECK_FALSE(apply(vote_of(2, 5), 6));
  CHECK(of(2).convictions == 1);
  const auto events = ledger.take_events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].happened == standing_changed::what::convicted);
  CHECK(events[1].happened == standing_changed::what::quarantined);
  CHECK(events[1].until == of(2).quarantined_until);
}

TEST_CASE_FIXTURE(ledger_world,
                  "a quarantine ends by itself and leaves a low score, and the next one is twice as long") {
  CHECK(apply(vote_of(2, 3), 4));
  const auto first = of(2).quarantined_until.value - 4;
  CHECK(first == reputation_ledger::quarantine_periods * period);
  pass(5, 3 + first);
  CHECK(of(2).is_quarantined());
  pass(4 + first, 4 + first);
  CHECK_FALSE(of(2).is_quarantined());
  CHECK(of(2).score == reputation_ledger::released_score + reputation_ledger::recovery);
  const auto again = 5 + first;
  CHECK(apply(vote_of(2, again), again));
  CHECK(of(2).quarantined_until.value - again == 2 * first);
}

TEST_CASE_FIXTURE(ledger_world,
                  "at most f replicas are in quarantine, and the next one waits for a place (attack 39)") {
  CHECK(apply(vote_of(1, 3), 4));
  CHECK(apply(vote_of(2, 3), 4));
  CHECK(apply(vote_of(3, 3), 5));
  CHECK(ledger.quarantined() == 2);
  CHECK(of(3).awaits_quarantine);
  CHECK(of(3).score == 0);
  pass(5, of(1).quarantined_until.value);
  CHECK(of(3).is_quarantined());
  CHECK_FALSE(of(3).awaits_quarantine);
  CHECK(ledger.quarantined() <= 2);
}

TEST_CASE_FIXTURE(ledger_world,
                  "forged forged documents are punished once each, and one of a far view hides no other") {
  CHECK(apply(change_of(2, 1'000'000), 4));
  CHECK_FALSE(apply(change_of(2, 1'000'000), 5));
  CHECK(apply(change_of(2, 1), 5));
  CHECK(of(2).convictions == 2);
  // A vote beyond the window is ignored, because it would settle all votes up to it.
  CHECK_FALSE(apply(vote_of(3, 1'000'000), 5));
  CHECK(apply(vote_of(3, 6), 5));
}

TEST_CASE_FIXTURE(ledger_world, "complaints lower a score once per period and reason, and never lead to quarantine") {
  CHECK(apply(complaint_about(4, period), 1));
  CHECK(of(4).score == reputation_ledger::score_max - reputation_ledger::complaint_cost);
  CHECK_FALSE(apply(complaint_about(4, period), 2));
  CHECK(apply(complaint_about(4, period, complaint_reason::flood), 2));
  for (std::uint64_t round = 2; round < 60; ++round) {
    CHECK(apply(complaint_about(4, round * period), round * period));
  }
  CHECK(of(4).score == reputation_ledger::complained_score_min);
  CHECK_FALSE(of(4).is_quarantined());
  CHECK(of(4).convictions == 0);
  // An old complaint that was one of too few is not added to a new complaint.
  const auto long_after = 2 * std::uint64_t{cluster.watermark_window} + 2 * period;
  CHECK_FALSE(apply(complaint_about(6, period), long_after));
  CHECK(apply(complaint_about(6, 2 * period), long_after));
  // A complaint about a distant period is ignored, because it would make all other complaints count as old.
  CHECK_FALSE(apply(complaint_about(5, 1'000 * period), 5));
}

TEST_CASE_FIXTURE(ledger_world, "a score recovers with committed checkpoints") {
  CHECK(apply(complaint_about(4, period), 1));
  pass(1, 5 * period);
  CHECK(of(4).score == reputation_ledger::score_max);
}

TEST_CASE_FIXTURE(ledger_world, "a release ends the conviction that it names, and no other") {
  const auto release_of = [](std::uint32_t replica, std::uint64_t at) {
    return system_claim{
        group_request{message_kind::release, replica_id{replica}, complaint_reason::garbage, sequence_number{at}}};
  };
  CHECK_FALSE(apply(release_of(2, 4), 5));
  CHECK(apply(vote_of(2, 3), 4));
  CHECK_FALSE(apply(release_of(2, 3), 5));
  CHECK(apply(release_of(2, 4), 5));
  CHECK_FALSE(of(2).is_quarantined());
  CHECK(apply(vote_of(2, 6), 7));
  CHECK_FALSE(apply(release_of(2, 4), 8));
  CHECK(of(2).is_quarantined());
}

TEST_CASE_FIXTURE(ledger_world, "a ledger is restored as it was written, and other bytes are refused") {
  CHECK(apply(vote_of(1, 3), 4));
  CHECK(apply(change_of(2, 7), 4));
  CHECK(apply(complaint_about(4, period), 4));
  CHECK(apply(deed_of_client(3, 9), 4));
  byte_writer out;
  ledger.write(out);
  const auto bytes = out.take();
  reputation_ledger other{cluster};
  byte_reader in{bytes};
  REQUIRE(other.read(in));
  CHECK(in.is_complete());
  CHECK(other.replicas() == ledger.replicas());
  CHECK(other.clients() == ledger.clients());
  CHECK(rate_limited_in(other.clients()) == std::vector{client_id{3}});
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    byte_reader cut{byte_span{bytes}.first(length)};
    reputation_ledger unchanged{cluster};
    CHECK_FALSE(unchanged.read(cut));
    CHECK(unchanged.replicas() == reputation_ledger{cluster}.replicas());
  }
  reputation_ledger smaller{small_cluster(4)};
  byte_reader again{bytes};
  CHECK_FALSE(smaller.read(again));
}

TEST_CASE_FIXTURE(ledger_world, "convicted clients are remembered up to a bound") {
  for (std::uint32_t number = 0; number < 2 * reputation_ledger::clients_max; ++number) {
    CHECK(apply(deed_of_client(number, 1), number + 1));
  }
  CHECK(ledger.clients().size() == reputation_ledger::clients_max);
  CHECK(ledger.clients().begin()->first == client_id{reputation_ledger::clients_max});
  CHECK(ledger.clients().rbegin()->first == client_id{2 * reputation_ledger::clients_max - 1});
}

TEST_CASE_FIXTURE(ledger_world,
                  "a client is rate-limited for a term, each later one twice as long, and once for each act") {
  CHECK(apply(deed_of_client(3, 17), 4));
  const auto events = ledger.take_events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].happened == standing_changed::what::convicted);
  const auto term = reputation_ledger::quarantine_periods * period;
  CHECK(events[0].until == sequence_number{4 + term});
  // Until its term ends, a convicted client is not convicted again, because it could contradict itself without end.
  CHECK_FALSE(apply(deed_of_client(3, 18), 5));
  pass(5, 3 + term);
  CHECK(rate_limited_in(ledger.clients()) == std::vector{client_id{3}});
  CHECK(ledger.take_events().empty());
  pass(4 + term, 4 + term);
  CHECK(rate_limited_in(ledger.clients()).empty());
  const auto released = ledger.take_events();
  REQUIRE(released.size() == 1);
  CHECK(released[0].happened == standing_changed::what::released);
  CHECK(released[0].about == principal::of(client_id{3}));
  // The punished act has passed, but a new act convicts again.
  CHECK_FALSE(apply(deed_of_client(3, 17), 5 + term));
  CHECK(apply(deed_of_client(3, 18), 5 + term));
  CHECK(ledger.clients().at(client_id{3}).rate_limited_until == sequence_number{5 + 3 * term});
  CHECK(ledger.clients().at(client_id{3}).convictions == 2);
}
