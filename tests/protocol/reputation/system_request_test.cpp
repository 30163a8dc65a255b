#include "actors/protocol/reputation/system_request.hpp"

#include <doctest/doctest.h>

#include "actors/protocol/verification/validator.hpp"
#include "messages/codec.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const replica_id faulty{2};
constexpr view_number first_view{0};
constexpr sequence_number one{1};

/// The evidence that one of four replicas may show against replica 2.
struct court {
  request_factory factory{small_cluster(4)};
  validator checks{factory.cluster(), factory.keys_of(replica_id{3})};

  [[nodiscard]] evidence_item vote(message_kind kind, std::string_view value, view_number view = first_view,
                                   sequence_number sequence = one, replica_id by = faulty) const {
    return {kind, factory.signed_as(kind, factory.content_of(by, view, sequence, named_digest(value)))};
  }
  template <class Document>
  [[nodiscard]] static evidence_item document(const Document& value) {
    return item_from(value);
  }
  [[nodiscard]] view_change change(std::vector<prepared_certificate> prepared, std::uint64_t view = 1,
                                   bool with_stable = false) const {
    const auto stable = with_stable ? factory.certificate_of(sequence_number{4}, named_digest("state")) : nullptr;
    return factory.view_change_of(faulty, view_number{view}, stable, std::move(prepared));
  }
  /// Returns the proven misbehaviour; nothing if the items prove none.
  [[nodiscard]] std::optional<misbehaviour_kind> verdict(std::vector<evidence_item> items) const {
    const evidence shown{std::move(items)};
    const auto about = claim_in(shown, factory.cluster());
    const bool proven = checks.proves(shown);
    // Every proof has a case, and the evidence survives encoding and decoding.
    if (!about) CHECK_FALSE(proven);
    if (!about || !proven) return std::nullopt;
    CHECK(std::get<misbehaviour>(*about).accused == principal::of(faulty));
    const auto frame = system_request_frame(*about, shown);
    const auto decoded = decode(frame);
    const auto& asked = std::get<system_request>(decoded.value());
    CHECK(claim_in(asked, factory.cluster()) == about);
    CHECK_FALSE(checks.check(principal::of(replica_id{1}), decoded.value()));
    return std::get<misbehaviour>(*about).what;
  }
};

}  // namespace

TEST_CASE_FIXTURE(
    court, "two votes for one sequence of one view with different digests convict, of whatever kinds (attack 8)") {
  const std::array kinds{message_kind::prepare, message_kind::commit};
  for (const auto first : kinds) {
    for (const auto second : kinds) {
      CHECK(verdict({vote(first, "A"), vote(second, "B")}) == misbehaviour_kind::conflicting_votes);
      CHECK_FALSE(verdict({vote(first, "A"), vote(second, "A")}));
    }
  }
  const view_number led{2};
  CHECK(verdict({vote(message_kind::pre_prepare, "A", led), vote(message_kind::pre_prepare, "B", led)}) ==
        misbehaviour_kind::conflicting_votes);
  CHECK(verdict({vote(message_kind::pre_prepare, "A", led), vote(message_kind::commit, "B", led)}) ==
        misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(court, "messages that a correct replica may send convict no replica (attack 39)") {
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A"), vote(message_kind::prepare, "B", view_number{1})}));
  CHECK_FALSE(
      verdict({vote(message_kind::prepare, "A"), vote(message_kind::prepare, "B", first_view, sequence_number{2})}));
  CHECK_FALSE(
      verdict({vote(message_kind::prepare, "A"), vote(message_kind::prepare, "B", first_view, one, replica_id{1})}));
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A"), vote(message_kind::checkpoint, "B", first_view)}));
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A")}));
  CHECK_FALSE(verdict({vote(message_kind::commit, "A")}));
  CHECK_FALSE(verdict({}));
  CHECK_FALSE(
      verdict({vote(message_kind::prepare, "A"), vote(message_kind::prepare, "B"), vote(message_kind::prepare, "C")}));
  CHECK_FALSE(verdict({document(change({}))}));
  CHECK_FALSE(verdict({document(change({})), document(change({}, 2))}));
  CHECK_FALSE(verdict({document(change({})), document(change({}))}));
}

TEST_CASE_FIXTURE(court, "a bad signature proves nothing about the named signer (attack 39)") {
  const auto forged = factory.keys().impostor_of(principal::of(faulty));
  const auto content = factory.content_of(faulty, first_view, one, named_digest("B"));
  const evidence_item lie{message_kind::prepare, factory.signed_by(*forged, message_kind::prepare, content)};
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A"), lie}));
  // A PREPARE is presented as a COMMIT.
  auto moved = vote(message_kind::prepare, "B");
  moved.kind = message_kind::commit;
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A"), moved}));
  // The statement belongs to another epoch.
  auto foreign = content;
  foreign.epoch = epoch_number{9};
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A"),
                       evidence_item{message_kind::prepare, factory.signed_as(message_kind::prepare, foreign)}}));
  auto change_of_other = change({});
  auto bytes = std::make_shared<byte_vector>(change_of_other.raw.view.begin(), change_of_other.raw.view.end());
  bytes->back() ^= std::byte{1};
  change_of_other.by.bytes.back() ^= std::byte{1};
  change_of_other.raw = blob{bytes, byte_span{*bytes}};
  CHECK_FALSE(verdict({document(change_of_other)}));
}

TEST_CASE_FIXTURE(court, "two states after one sequence convict") {
  const auto at = [this](std::string_view root) {
    return evidence_item{message_kind::checkpoint,
                         factory.checkpoint_of(faulty, sequence_number{4}, named_digest(root)).vote};
  };
  CHECK(verdict({at("A"), at("B")}) == misbehaviour_kind::conflicting_checkpoints);
  CHECK_FALSE(verdict({at("A"), at("A")}));
}

TEST_CASE_FIXTURE(court, "a vote that no correct replica has a reason for convicts alone") {
  CHECK(verdict({vote(message_kind::pre_prepare, "A")}) == misbehaviour_kind::unlawful_vote);
  CHECK(verdict({vote(message_kind::prepare, "A", view_number{2})}) == misbehaviour_kind::unlawful_vote);
  CHECK(verdict({vote(message_kind::checkpoint, "A", first_view, sequence_number{3})}) ==
        misbehaviour_kind::unlawful_vote);
  CHECK(verdict({vote(message_kind::checkpoint, "A", view_number{1}, sequence_number{4})}) ==
        misbehaviour_kind::unlawful_vote);
}

TEST_CASE_FIXTURE(court, "two VIEW-CHANGEs for one view convict, and so do two NEW-VIEWs of one view (attack 13)") {
  const auto certificate = factory.prepared_of(first_view, one, named_digest("A"));
  CHECK(verdict({document(change({})), document(change({certificate}))}) ==
        misbehaviour_kind::conflicting_view_changes);
  std::vector<view_change> changes;
  for (std::uint32_t number = 0; number < 4; ++number)
    changes.push_back(factory.view_change_of(replica_id{number}, view_number{2}, nullptr, {}));
  const auto opened = factory.new_view_of(view_number{2}, {changes[0], changes[1], changes[2]});
  const auto again = factory.new_view_of(view_number{2}, {changes[1], changes[2], changes[3]});
  CHECK(verdict({document(opened), document(again)}) == misbehaviour_kind::conflicting_new_views);
  CHECK_FALSE(verdict({document(opened)}));
  // The NEW-VIEW omits a batch that it must propose again.
  auto invented = opened;
  invented.reproposals.push_back(
      factory.signed_as(message_kind::pre_prepare, factory.content_of(faulty, view_number{2}, one, named_digest("X"))));
  CHECK(verdict({document(factory.signed_again(invented))}) == misbehaviour_kind::unlawful_new_view);
}

TEST_CASE_FIXTURE(court, "a VIEW-CHANGE with certificates that prove nothing convicts its sender (attack 11)") {
  auto bogus = factory.prepared_of(first_view, one, named_digest("A"));
  bogus.prepares.pop_back();
  CHECK(verdict({document(change({bogus}))}) == misbehaviour_kind::unlawful_view_change);
  auto doubled = factory.prepared_of(first_view, one, named_digest("A"));
  doubled.prepares.back() = doubled.prepares.front();
  CHECK(verdict({document(change({doubled}))}) == misbehaviour_kind::unlawful_view_change);
}

TEST_CASE_FIXTURE(court, "a replica that commits and then conceals the certificate is convicted") {
  const auto certificate = factory.prepared_of(first_view, one, named_digest("A"));
  const auto said = vote(message_kind::commit, "A");
  CHECK(verdict({said, document(change({}))}) == misbehaviour_kind::hidden_certificate);
  CHECK_FALSE(verdict({said, document(change({certificate}))}));
  // A VIEW-CHANGE needs no certificate below the stable checkpoint. A certificate from a later view may replace it.
  CHECK_FALSE(verdict({said, document(change({}, 1, true))}));
  const auto later = factory.prepared_of(view_number{1}, one, named_digest("B"));
  CHECK_FALSE(verdict({said, document(change({later}, 2))}));
  const auto other = factory.prepared_of(first_view, one, named_digest("B"));
  CHECK(verdict({said, document(change({other}))}) == misbehaviour_kind::hidden_certificate);
  // The COMMIT was sent in the view that the VIEW-CHANGE leads to, or later.
  CHECK_FALSE(verdict({vote(message_kind::commit, "A", view_number{1}), document(change({}))}));
  // A PREPARE promises no certificate, so a VIEW-CHANGE without a certificate does not contradict it.
  CHECK_FALSE(verdict({vote(message_kind::prepare, "A"), document(change({}))}));
}

TEST_CASE_FIXTURE(court, "a client that signs two requests with one timestamp is convicted") {
  const auto as_evidence_item = [](const request& value) { return item_from(value); };
  const auto red = factory.request_of(client_id{0}, timestamp{1}, "red");
  const auto blue = factory.request_of(client_id{0}, timestamp{1}, "blue");
  const evidence shown{{as_evidence_item(red), as_evidence_item(blue)}};
  CHECK(checks.proves(shown));
  CHECK(std::get<misbehaviour>(*claim_in(shown, factory.cluster())).accused == principal::of(client_id{0}));
  const auto other = factory.request_of(client_id{0}, timestamp{2}, "blue");
  CHECK_FALSE(checks.proves({{as_evidence_item(red), as_evidence_item(other)}}));
  CHECK_FALSE(checks.proves({{as_evidence_item(red), as_evidence_item(red)}}));
}

TEST_CASE_FIXTURE(court, "f + 1 replicas make a group request, and a replica counts once and not for itself") {
  const auto complaint_by = [this](std::uint32_t voter, replica_id about,
                                   complaint_reason why = complaint_reason::garbage) {
    const auto content = complaint_of(replica_id{voter}, about, why, sequence_number{4}, epoch_number{0});
    auto with_epoch = content;
    with_epoch.epoch = factory.cluster().signing.epoch;
    return evidence_item{message_kind::complaint, factory.signed_as(message_kind::complaint, with_epoch)};
  };
  const auto holds = [this](std::vector<evidence_item> items) { return checks.proves({std::move(items)}); };
  CHECK(holds({complaint_by(0, faulty), complaint_by(1, faulty)}));
  CHECK_FALSE(holds({complaint_by(0, faulty)}));
  CHECK_FALSE(holds({complaint_by(0, faulty), complaint_by(0, faulty)}));
  CHECK_FALSE(holds({complaint_by(0, faulty), complaint_by(1, replica_id{3})}));
  CHECK_FALSE(holds({complaint_by(0, faulty), complaint_by(1, faulty, complaint_reason::flood)}));
  CHECK_FALSE(holds({complaint_by(0, faulty), complaint_by(2, faulty)}));
  CHECK_FALSE(holds({complaint_by(0, faulty), complaint_by(1, faulty), complaint_by(3, faulty)}));
}

TEST_CASE_FIXTURE(court, "a system request under another name than its evidence gives is refused") {
  const evidence shown{{vote(message_kind::prepare, "A"), vote(message_kind::prepare, "B")}};
  const auto renamed = encode_system_request(case_name{7}, std::make_shared<const evidence>(shown));
  CHECK(checks.check(principal::of(replica_id{1}), renamed) == rejection::unproven);
  const auto named = system_request_for(*claim_in(shown, factory.cluster()), renamed.shown);
  CHECK_FALSE(checks.check(principal::of(replica_id{1}), named));
}

TEST_CASE_FIXTURE(court, "each system request of a proposal carries its own proof (I3)") {
  std::vector<system_request> cases;
  for (std::uint64_t sequence = 1; sequence <= limits::system_requests_per_batch_max; ++sequence) {
    const evidence shown{{vote(message_kind::commit, "A", first_view, sequence_number{sequence}),
                          vote(message_kind::commit, "B", first_view, sequence_number{sequence})}};
    cases.push_back(system_request_for(*claim_in(shown, factory.cluster()), std::make_shared<const evidence>(shown)));
  }
  const auto verdict_on = [&] {
    const auto body = request_factory::batch_of({}, cases);
    return checks.check_frame(principal::of(replica_id{0}), factory.pre_prepare_of(first_view, one, body).raw);
  };
  CHECK_FALSE(verdict_on());
  // The primary invents the last case: no replica signed the two votes.
  auto forged = *cases.back().shown;
  std::get<signed_statement>(forged.items.back().content).by = {};
  cases.back() = encode_system_request(cases.back().name, std::make_shared<const evidence>(forged));
  CHECK(verdict_on() == rejection::unproven);
}
