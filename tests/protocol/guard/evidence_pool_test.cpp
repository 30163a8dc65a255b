#include "actors/protocol/guard/evidence_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "messages/codec.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const replica_id faulty{2};

/// The evidence pool of replica 1 of four replicas.
struct evidence_pool_world {
  request_factory factory{small_cluster(4)};
  validator checks{factory.cluster(), factory.keys_of(replica_id{3})};
  evidence_pool pool{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};

  [[nodiscard]] evidence proof(std::uint64_t sequence = 1, replica_id of = faulty) const {
    evidence shown;
    for (const auto* value : {"A", "B"}) {
      const auto content = factory.content_of(of, view_number{0}, sequence_number{sequence}, named_digest(value));
      shown.items.push_back({message_kind::commit, factory.signed_as(message_kind::commit, content)});
    }
    return shown;
  }
  [[nodiscard]] evidence proof_of_client(std::uint32_t client, std::uint64_t when) const {
    evidence shown;
    for (const auto* operation : {"A", "B"}) {
      const auto asked = factory.request_of(client_id{client}, timestamp{when}, operation);
      shown.items.push_back(item_from(asked));
    }
    return shown;
  }
  [[nodiscard]] system_request request_with(const evidence& shown) const {
    const auto frame = system_request_frame(*claim_in(shown, factory.cluster()), shown);
    return std::get<system_request>(decode(frame).value());
  }
  [[nodiscard]] signed_statement word(message_kind kind, statement content) const {
    content.epoch = factory.cluster().signing.epoch;
    return factory.signed_as(kind, content);
  }
  [[nodiscard]] signed_statement complaint_by(std::uint32_t voter, std::uint64_t period = 4) const {
    return word(message_kind::complaint, complaint_of(replica_id{voter}, faulty, complaint_reason::bad_state,
                                                      sequence_number{period}, epoch_number{}));
  }
  [[nodiscard]] evidence_pool_effects misbehave(std::uint32_t times) {
    evidence_pool_effects last;
    for (std::uint32_t count = 0; count < times; ++count)
      last = pool.on_misbehaved({faulty, complaint_reason::bad_state}, moment{});
    return last;
  }
  evidence_pool_effects agree(const std::vector<case_name>& settled, bool quarantined = false) {
    agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, settled};
    if (quarantined) {
      agreed.replicas[faulty.value].quarantined_until = sequence_number{99};
      agreed.replicas[faulty.value].convicted_at = sequence_number{2};
    }
    return pool.on_agreed(agreed);
  }
};

}  // namespace

TEST_CASE_FIXTURE(evidence_pool_world,
                  "a replica that finds evidence sends it to all others, and proposes to order it") {
  const auto found = pool.on_found(proof(), moment{});
  REQUIRE(found.sends.size() == 1);
  CHECK_FALSE(found.sends.front().to);
  REQUIRE(found.requests.size() == 1);
  CHECK_FALSE(checks.check(principal::of(replica_id{1}), decode(reframe(found.requests.front())).value()));
  CHECK(found.proven == std::vector{proven_misbehaviour{faulty, case_name_of(*claim_in(proof(), factory.cluster()))}});
  CHECK(pool.on_found(proof(), moment{1us}).requests.empty());
}

TEST_CASE_FIXTURE(evidence_pool_world, "the system request of the pool equals the decoded content of its frame") {
  const auto change = factory.view_change_of(faulty, view_number{1}, nullptr, {});
  const auto certificate = factory.prepared_of(view_number{0}, sequence_number{1}, named_digest("A"));
  const auto other = factory.view_change_of(faulty, view_number{1}, nullptr, {certificate});
  for (const auto& shown : {proof(), evidence{{item_from(change), item_from(other)}}}) {
    const auto found = evidence_pool{pool}.on_found(shown, moment{});
    REQUIRE(found.requests.size() == 1);
    const auto& made = found.requests.front();
    const auto decoded = std::get<system_request>(decode(reframe(made)).value());
    CHECK(decoded.name == made.name);
    CHECK(std::ranges::equal(decoded.raw.view, made.raw.view));
    CHECK(evidence_buffer(*decoded.shown) == evidence_buffer(*made.shown));
    CHECK(claim_in(made, factory.cluster()) == claim_in(shown, factory.cluster()));
  }
}

TEST_CASE_FIXTURE(evidence_pool_world, "evidence from others is proposed as well, without sending it on") {
  const auto heard = pool.on_request(request_with(proof()), moment{});
  CHECK(heard.sends.empty());
  CHECK(heard.requests.size() == 1);
  CHECK(heard.proven == std::vector{proven_misbehaviour{faulty, case_name_of(*claim_in(proof(), factory.cluster()))}});
  CHECK(pool.on_request(request_with(proof()), moment{}).requests.empty());
}

TEST_CASE_FIXTURE(evidence_pool_world, "evidence is sent again until it is ordered, and not for ever") {
  (void)pool.on_found(proof(), moment{});
  CHECK(pool.on_tick(moment{evidence_pool::repeat_period - 1us}).sends.empty());
  CHECK(pool.on_tick(moment{evidence_pool::repeat_period}).sends.size() == 1);
  SUBCASE("ordered") {
    CHECK(agree({case_name_of(*claim_in(proof(), factory.cluster()))}).dropped.empty());
    CHECK(pool.open_cases() == 0);
    CHECK(pool.on_found(proof(), moment{1us}).requests.empty());
  }
  SUBCASE("never ordered") {
    std::size_t told = 0;
    for (moment now{}; now < moment{10 * evidence_pool::repeat_max}; now += evidence_pool::repeat_period)
      told += pool.on_tick(now).sends.size();
    CHECK(told < evidence_pool::repeats_max);
    CHECK(pool.open_cases() == 0);
  }
}

TEST_CASE_FIXTURE(evidence_pool_world,
                  "evidence that the ledger would not judge takes no place: a guilty replica stays without excuse") {
  for (const std::uint64_t far : {std::uint64_t{1} << 50U, std::uint64_t{1} << 51U, std::uint64_t{17}}) {
    CHECK(pool.on_request(request_with(proof(far)), moment{}).proven.empty());
    CHECK(pool.on_found(proof(far), moment{}).requests.empty());
  }
  CHECK(pool.open_cases() == 0);
  CHECK(pool.on_found(proof(16), moment{}).requests.size() == 1);
}

TEST_CASE_FIXTURE(evidence_pool_world,
                  "a replica that produces evidence against itself without end occupies two places (attack 33)") {
  for (std::uint64_t sequence = 1; sequence < 8; ++sequence)
    (void)pool.on_found(proof(sequence), moment{});
  CHECK(pool.open_cases() == evidence_pool::open_per_accused_max);
  CHECK(pool.on_found(proof(1, replica_id{3}), moment{}).requests.size() == 1);
  // The dropped cases do not count against the primary.
  CHECK(agree({}, true).dropped.size() == evidence_pool::open_per_accused_max);
  CHECK(pool.open_cases() == 1);
  CHECK(pool.on_found(proof(8), moment{}).requests.empty());
}

TEST_CASE_FIXTURE(evidence_pool_world, "clients that convict themselves leave room for evidence against replicas") {
  for (std::uint32_t client = 0; client < 4; ++client) {
    for (std::uint64_t when = 1; when <= 6; ++when)
      (void)pool.on_found(proof_of_client(client, when), moment{});
  }
  CHECK(pool.open_cases() == evidence_pool::open_of_clients_max);
  CHECK(pool.on_found(proof(), moment{}).requests.size() == 1);
}

TEST_CASE_FIXTURE(evidence_pool_world, "a convicted client is not convicted again while it is rate-limited") {
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
  agreed.clients[client_id{1}].rate_limited_until = sequence_number{40};
  (void)pool.on_agreed(agreed);
  CHECK(pool.on_found(proof_of_client(1, 9), moment{}).requests.empty());
  CHECK(pool.on_found(proof_of_client(2, 9), moment{}).requests.size() == 1);
  agreed.clients[client_id{1}].rate_limited_until = {};
  agreed.clients[client_id{1}].settled.front() = case_name_of(*claim_in(proof_of_client(1, 8), factory.cluster()));
  (void)pool.on_agreed(agreed);
  CHECK(pool.on_found(proof_of_client(1, 8), moment{}).requests.empty());
  CHECK(pool.on_found(proof_of_client(1, 9), moment{}).requests.size() == 1);
}

TEST_CASE_FIXTURE(evidence_pool_world,
                  "pending evidence against a client is dropped with its conviction, and blames no primary") {
  (void)pool.on_found(proof_of_client(1, 9), moment{});
  (void)pool.on_found(proof_of_client(1, 10), moment{});
  CHECK(pool.open_cases() == 2);
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
  agreed.clients[client_id{1}].rate_limited_until = sequence_number{40};
  agreed.settled = {case_name_of(*claim_in(proof_of_client(1, 9), factory.cluster()))};
  CHECK(pool.on_agreed(agreed).dropped ==
        std::vector{case_name_of(*claim_in(proof_of_client(1, 10), factory.cluster()))});
  CHECK(pool.open_cases() == 0);
}

TEST_CASE_FIXTURE(evidence_pool_world, "one act of misbehaviour is noted once, however often it is shown (attack 33)") {
  CHECK(pool.on_found(proof(), moment{}).observations.size() == 1);
  for (int again = 0; again < 5; ++again)
    CHECK(pool.on_found(proof(), moment{}).observations.empty());
  (void)pool.on_found(proof(2), moment{});
  CHECK(pool.on_found(proof(3), moment{}).observations.empty());
}

TEST_CASE_FIXTURE(evidence_pool_world, "a repeated old release does not take the place of a new one") {
  (void)agree({}, true);
  const auto release_at = [&](std::uint32_t by, std::uint64_t at) {
    return word(message_kind::release, release_of(replica_id{by}, faulty, sequence_number{at}, epoch_number{}));
  };
  CHECK(pool.on_release(release_at(0, 2), moment{}).requests.empty());
  CHECK(pool.on_release(release_at(0, 1), moment{}).requests.empty());
  CHECK(pool.on_release(release_at(3, 2), moment{}).requests.size() == 1);
}

TEST_CASE_FIXTURE(evidence_pool_world, "misbehaviour that was judged before is not reported again") {
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}, {}};
  agreed.replicas[faulty.value].settled_through = sequence_number{5};
  (void)pool.on_agreed(agreed);
  CHECK(pool.on_found(proof(5), moment{}).proven.empty());
  CHECK(pool.on_found(proof(6), moment{}).proven.size() == 1);
}

TEST_CASE_FIXTURE(evidence_pool_world, "evidence counts also without room to have it ordered") {
  for (std::uint64_t sequence = 1; sequence < 8; ++sequence)
    (void)pool.on_found(proof(sequence), moment{});
  const auto found = pool.on_found(proof(8), moment{});
  CHECK(found.requests.empty());
  CHECK(found.proven.size() == 1);
}

TEST_CASE_FIXTURE(evidence_pool_world,
                  "f + 1 complaints of one kind and period are ordered, and one never is (attack 39)") {
  CHECK(pool.on_complaint(complaint_by(0), moment{}).requests.empty());
  CHECK(pool.on_complaint(complaint_by(0), moment{}).requests.empty());
  CHECK(pool.on_complaint(complaint_by(3, 8), moment{}).requests.empty());
  // Only the newest complaint of each replica counts.
  CHECK(pool.on_complaint(complaint_by(3), moment{}).requests.empty());
  const auto enough = pool.on_complaint(complaint_by(0, 8), moment{});
  REQUIRE(enough.requests.size() == 1);
  CHECK(enough.proven.empty());
  CHECK_FALSE(checks.check(principal::of(replica_id{1}), decode(reframe(enough.requests.front())).value()));
}

TEST_CASE_FIXTURE(evidence_pool_world,
                  "a replica complains once about enough misbehaviour, in the period that others chose") {
  const auto enough = evidence_pool::complaint_reasons_until[static_cast<std::size_t>(complaint_reason::bad_state)];
  CHECK(misbehave(enough - 1).sends.empty());
  SUBCASE("alone") {
    const auto told = sent<complaint>(misbehave(1).sends);
    REQUIRE(told.size() == 1);
    CHECK(told.front().vote.content.sequence == sequence_number{4});
    CHECK(misbehave(10).sends.empty());
  }
  SUBCASE("with another") {
    (void)pool.on_complaint(complaint_by(3, 8), moment{});
    const auto effects = misbehave(1);
    CHECK(sent<complaint>(effects.sends).front().vote.content.sequence == sequence_number{8});
    CHECK(effects.requests.size() == 1);
  }
  SUBCASE("of long ago") {
    CHECK(pool.on_misbehaved({faulty, complaint_reason::bad_state}, moment{2 * evidence_pool::complaint_reason_window})
              .sends.empty());
  }
}

TEST_CASE_FIXTURE(evidence_pool_world,
                  "unsettled evidence is still proposed after a transfer, and a group request is not") {
  (void)pool.on_request(request_with(proof()), moment{});
  (void)pool.on_complaint(complaint_by(0), moment{});
  const auto group_request = pool.on_complaint(complaint_by(3), moment{}).requests;
  REQUIRE(group_request.size() == 1);
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
  CHECK(pool.on_agreed(agreed).dropped.empty());
  agreed.is_transferred = true;
  CHECK(pool.on_agreed(agreed).dropped == std::vector{group_request[0].name});
  // A replica in quarantine has already been convicted for this case.
  agreed.replicas[faulty.value].quarantined_until = sequence_number{99};
  agreed.replicas[faulty.value].convicted_at = sequence_number{2};
  CHECK(pool.on_agreed(agreed).dropped == std::vector{case_name_of(*claim_in(proof(), factory.cluster()))});
}

TEST_CASE_FIXTURE(evidence_pool_world, "f + 1 operators release a replica") {
  CHECK(pool.on_release_wanted(faulty, moment{}).sends.empty());
  (void)agree({}, true);
  const auto own = pool.on_release_wanted(faulty, moment{});
  REQUIRE(sent<release>(own.sends).size() == 1);
  CHECK(own.requests.empty());
  const auto other = word(message_kind::release, release_of(replica_id{3}, faulty, sequence_number{2}, epoch_number{}));
  const auto enough = pool.on_release(other, moment{});
  REQUIRE(enough.requests.size() == 1);
  CHECK_FALSE(checks.check(principal::of(replica_id{1}), decode(reframe(enough.requests.front())).value()));
}

// --- Readmission and hand-over ---------------------------------------------------

namespace {

struct asking_world : evidence_pool_world {
  [[nodiscard]] signed_statement readmission_by(std::uint32_t voter, std::uint64_t floor,
                                                std::uint32_t about = 3) const {
    return word(message_kind::readmission,
                readmission_of(replica_id{voter}, replica_id{about}, sequence_number{floor}, epoch_number{}));
  }
  [[nodiscard]] signed_statement hand_over_by(std::uint32_t voter, std::uint64_t to, std::uint32_t about = 3,
                                              hand_over_cause why = hand_over_cause::readmission) const {
    return word(message_kind::hand_over,
                hand_over_of(replica_id{voter}, replica_id{about}, view_number{to}, why, epoch_number{}));
  }
};

}  // namespace

TEST_CASE_FIXTURE(asking_world,
                  "a request for readmission is supported, and the weak quorum of supporters is ordered") {
  const auto out = pool.on_readmission(readmission_by(3, 16), moment{});
  CHECK(out.sends.size() == 1);
  REQUIRE(out.requests.size() == 1);
  CHECK_FALSE(checks.check(principal::of(replica_id{1}), decode(reframe(out.requests.front())).value()));
  // An immediate repetition has no effect.
  const auto again = pool.on_readmission(readmission_by(3, 16), moment{1us});
  CHECK(again.sends.empty());
  CHECK(again.requests.empty());
}

TEST_CASE_FIXTURE(asking_world, "a replica is supported only for itself, and only with possible numbers") {
  CHECK(pool.on_readmission(readmission_by(2, 16), moment{}).sends.empty());
  CHECK(pool.on_readmission(readmission_by(3, 1'000), moment{}).sends.empty());
  CHECK(pool.on_hand_over(hand_over_by(3, 4), moment{}).sends.empty());
  (void)pool.on_view(view_number{1});
  CHECK(pool.on_hand_over(hand_over_by(3, 1), moment{}).sends.empty());
  CHECK(pool.on_hand_over(hand_over_by(3, 4), moment{}).sends.size() == 1);
  // Only operators can make requests with the cause of operators, so the replica does not support this one.
  CHECK(pool.on_hand_over(hand_over_by(3, 4, 3, hand_over_cause::operators), moment{300ms}).sends.empty());
}

TEST_CASE_FIXTURE(asking_world, "a replica is not supported in a request for a view that it leads (attack 38)") {
  CHECK(pool.on_hand_over(hand_over_by(3, 3), moment{}).sends.empty());
  CHECK(pool.on_hand_over(hand_over_by(3, 2), moment{}).sends.size() == 1);
}

TEST_CASE_FIXTURE(asking_world, "a readmission with a past floor is not supported, because it would move no replica") {
  agreed_reputation agreed{sequence_number{8}, std::vector<replica_standing>(4), {}, {}};
  (void)pool.on_agreed(agreed);
  for (const std::uint64_t floor : {1, 5, 8})
    CHECK(pool.on_readmission(readmission_by(3, floor), moment{}).sends.empty());
  CHECK(pool.on_readmission(readmission_by(3, 9), moment{}).sends.size() == 1);
}

TEST_CASE_FIXTURE(asking_world,
                  "a client that signs two requests with one timestamp in two sessions misbehaves twice") {
  const auto case_in = [&](std::uint64_t session) {
    evidence shown;
    for (const auto* operation : {"A", "B"}) {
      const auto asked =
          factory.session_request(client_id{1}, session_id{session}, timestamp{1}, session_mode::ordered, 0, operation);
      shown.items.push_back(item_from(asked));
    }
    return claim_in(shown, factory.cluster());
  };
  REQUIRE(case_in(7));
  CHECK(case_name_of(*case_in(7)) != case_name_of(*case_in(8)));
}

TEST_CASE_FIXTURE(asking_world, "a replica in quarantine, or one that has used up its share, is not supported") {
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
  agreed.moves.paid_off_at.assign(4, sequence_number{0});
  SUBCASE("in quarantine") { agreed.replicas[3].quarantined_until = sequence_number{99}; }
  SUBCASE("has used up its share") { agreed.moves.paid_off_at[3] = sequence_number{1'000'000}; }
  (void)pool.on_agreed(agreed);
  CHECK(pool.on_readmission(readmission_by(3, 16), moment{}).sends.empty());
  CHECK(pool.on_hand_over(hand_over_by(3, 2), moment{}).sends.empty());
}

TEST_CASE_FIXTURE(asking_world, "a primary steps down alone, from the present view only (attack 33)") {
  // Requests for distant views would take the places of cases, so they are refused.
  for (std::uint64_t turn = 1; turn < 100; ++turn)
    CHECK(pool.on_hand_over(hand_over_by(0, 4 * turn + 1, 0, hand_over_cause::step_down), moment{}).requests.empty());
  CHECK(pool.open_cases() == 0);
  CHECK(pool.on_hand_over(hand_over_by(0, 1, 0, hand_over_cause::step_down), moment{}).requests.empty());
  evidence_pool other{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};
  CHECK(other.on_hand_over(hand_over_by(0, 1, 0, hand_over_cause::step_down), moment{}).requests.size() == 1);
  CHECK(other.open_cases() == 1);
  // When the view has ended, the primary is not blamed for not ordering the request.
  CHECK(other.on_view(view_number{1}).dropped.size() == 1);
  // A step-down from a view that the signer does not lead is not a valid statement.
  CHECK(checks.check(principal::of(replica_id{0}), hand_over{hand_over_by(0, 2, 0, hand_over_cause::step_down)}) ==
        rejection::number_out_of_range);
}

TEST_CASE_FIXTURE(asking_world, "an agreed request is not made again") {
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
  agreed.moves.advance_through = sequence_number{16};
  agreed.moves.least_view = view_number{2};
  (void)pool.on_agreed(agreed);
  CHECK(pool.on_readmission(readmission_by(3, 16), moment{}).sends.empty());
  CHECK(pool.on_hand_over(hand_over_by(3, 2), moment{}).sends.empty());
  CHECK(pool.on_readmission(readmission_by(3, 17), moment{}).sends.size() == 1);
}
