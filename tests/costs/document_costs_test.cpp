#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "actors/protocol/admission/inbound_pipeline.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/guard/evidence_pool.hpp"
#include "actors/protocol/ordering/replica_core.hpp"
#include "messages/codec.hpp"
#include "tests/costs/counters.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number first_view{0};
constexpr view_number next_view{1};
constexpr sequence_number one{1};
const replica_id faulty{2};

/// The cores of replica 3 of four replicas that VIEW-CHANGE, NEW-VIEW and evidence pass through.
struct document_way {
  request_factory make{small_cluster(4)};
  counting_authenticator keys{make.keys_of(replica_id{3})};
  inbound_pipeline pipeline{make.cluster(), keys};
  evidence_pool pool{make.cluster(), replica_id{3}, keys};
  replica_core core{make.cluster(), replica_id{3}, keys};
  replicated_state state{std::make_unique<counting_machine>(), make.cluster()};
  cost_meter meter{keys};

  [[nodiscard]] prepared_certificate certificate(std::uint64_t sequence) const {
    return make.prepared_of(first_view, sequence_number{sequence}, named_digest("A"));
  }
  [[nodiscard]] view_change change(std::uint32_t replica, std::vector<prepared_certificate> prepared) const {
    return make.view_change_of(replica_id{replica}, next_view, nullptr, std::move(prepared));
  }
  or_rejection<inbound_pipeline::passed> arrive(std::uint32_t sender, const frame_ptr& frame) {
    (void)meter.take();
    return pipeline.examine(principal::of(replica_id{sender}), frame, moment{});
  }
  inbound_pipeline::passed pass(std::uint32_t sender, const message& value) {
    return arrive(sender, frame_of(value)).value();
  }
  /// Compares the cost of the last step with the expected numbers.
  void expect(std::uint64_t parsed, std::uint64_t verified) {
    const auto cost = meter.take();
    CHECK(cost.parsed == parsed);
    CHECK(cost.verified == verified);
  }
};

/// The number of signatures of a prepared certificate: the signature of the header, and of quorum - 1 PREPAREs.
constexpr std::uint64_t of_certificate = 3;

}  // namespace

TEST_CASE_FIXTURE(document_way, "a VIEW-CHANGE is parsed once, and each signature in it is verified once") {
  (void)pass(2, change(2, {certificate(1), certificate(2)}));
  expect(1, 1 + 2 * of_certificate);
}

TEST_CASE_FIXTURE(document_way,
                  "a NEW-VIEW and its VIEW-CHANGEs are parsed once, and each signature is verified once") {
  const auto opened =
      make.new_view_of(next_view, {change(0, {certificate(1)}), change(1, {}), change(2, {certificate(2)})});
  const auto passed = pass(1, opened);
  const std::uint64_t changes = 3 + 2 * of_certificate;
  const std::uint64_t proposed_again = 2;
  expect(1 + 3, 1 + changes + proposed_again);
  // O follows from the computed plan, and the replica adopts it without verifying V again.
  REQUIRE(passed.opened != nullptr);
  CHECK(passed.opened->plan().digests.size() == proposed_again);
  (void)meter.take();
  const auto effects = core.on_new_view(principal::of(replica_id{1}), *passed.opened);
  expect(0, 0);
  CHECK(effects.view_entered == next_view);
  CHECK(core.is_active());
}

TEST_CASE_FIXTURE(document_way, "the frame of an entered NEW-VIEW is kept and not copied") {
  const auto frame = frame_of(make.new_view_of(next_view, {change(0, {}), change(1, {}), change(2, {})}));
  const auto passed = arrive(1, frame).value();
  const auto effects = core.on_new_view(principal::of(replica_id{1}), *passed.opened);
  REQUIRE(effects.records.size() == 1);
  CHECK(effects.records.front().bytes == frame);
}

TEST_CASE_FIXTURE(document_way, "two conflicting VIEW-CHANGEs become evidence without another parse or check") {
  (void)pass(2, change(2, {}));
  expect(1, 1);
  CHECK(pipeline.take_findings().empty());
  (void)pass(2, change(2, {certificate(1)}));
  expect(1, 1 + of_certificate);
  const auto found = pipeline.take_findings();
  REQUIRE(found.proofs.size() == 1);
  (void)meter.take();
  const auto opened = pool.on_found(found.proofs.front(), moment{});
  expect(0, 0);
  REQUIRE(opened.requests.size() == 1);
}

TEST_CASE_FIXTURE(document_way, "a late VIEW-CHANGE still costs one parse and one check, and convicts its sender") {
  (void)pass(2, change(2, {}));
  pipeline.on_position({next_view, true, sequence_number{0}, sequence_number{0}, sequence_number{8}});
  const auto late = arrive(2, frame_of(change(2, {certificate(1)})));
  expect(1, 1);
  REQUIRE(!late);
  CHECK(late.error() == rejection::other_view);
  CHECK(pipeline.take_findings().proofs.size() == 1);
}

TEST_CASE_FIXTURE(document_way, "a refused VIEW-CHANGE becomes evidence without another parse or check") {
  auto bogus = certificate(1);
  bogus.prepares.back() = bogus.prepares.front();
  const auto refused = arrive(2, frame_of(change(2, {bogus})));
  REQUIRE(!refused);
  CHECK(refused.error() == rejection::bad_certificate);
  // Only the document's own signature is verified, because a repeated signer is found before the signatures of the
  // certificate are checked.
  expect(1, 1);
  CHECK(pipeline.take_findings().proofs.size() == 1);
}

TEST_CASE_FIXTURE(document_way, "a forged VIEW-CHANGE costs one check and is no evidence") {
  auto forged = change(2, {certificate(1)});
  auto bytes = *frame_of(forged);
  bytes.at(bytes.size() - 2) ^= std::byte{1};
  const auto refused = arrive(2, std::make_shared<const byte_vector>(std::move(bytes)));
  expect(1, 1);
  REQUIRE(!refused);
  CHECK(refused.error() == rejection::bad_signature);
  CHECK(pipeline.take_findings().empty());
}

TEST_CASE_FIXTURE(document_way,
                  "evidence is parsed and verified once for each frame that carries it, up to the conviction") {
  const auto proof = evidence{{item_of(std::make_shared<const view_change>(change(2, {}))),
                               item_of(std::make_shared<const view_change>(change(2, {certificate(1)})))}};
  const auto wanted =
      evidence_pool{make.cluster(), replica_id{1}, make.keys_of(replica_id{1})}.on_found(proof, moment{});
  // The SYSTEM-REQUEST with its evidence, and the two documents in the evidence.
  constexpr std::uint64_t buffers = 3;
  constexpr std::uint64_t signatures = 2;
  const auto asked = arrive(1, wanted.sends.front().frame).value();
  expect(buffers, signatures);
  const auto effects = pool.on_request(std::get<system_request>(*asked.value), moment{});
  expect(0, 0);
  CHECK(effects.proven.size() == 1);

  // The primary orders the case. A PRE-PREPARE is another frame, so the replica checks its evidence again. It knows the
  // signatures in it.
  const auto proposal = make.pre_prepare_of(first_view, one, request_factory::batch_of({}, {effects.requests.front()}));
  const auto ordered = pass(0, proposal);
  expect(1 + buffers, 1);
  const auto& body = *std::get<pre_prepare>(*ordered.value).body;
  (void)core.on_message(principal::of(replica_id{0}), *ordered.value);
  expect(0, 0);
  (void)state.execute(one, body);
  expect(0, 0);
  CHECK(state.ledger().replicas()[faulty.value].is_quarantined());
}

TEST_CASE_FIXTURE(document_way, "a VIEW-CHANGE costs no check for votes that were verified when they arrived") {
  const auto prepared = certificate(1);
  for (const auto& vote : prepared.prepares)
    (void)pass(vote.content.replica.value, prepare{vote});
  (void)pass(2, change(2, {prepared}));
  // The signature of the VIEW-CHANGE, and the header, whose PRE-PREPARE has not arrived.
  expect(1, 2);
  (void)pass(1, change(1, {prepared}));
  expect(1, 1);
}

TEST_CASE_FIXTURE(document_way, "two conflicting votes cost one check each") {
  const auto vote_for = [&](const char* value) {
    return commit{make.signed_as(message_kind::commit, make.content_of(faulty, first_view, one, named_digest(value)))};
  };
  (void)pass(2, vote_for("A"));
  expect(1, 1);
  (void)pass(2, vote_for("B"));
  // The detector and the validator need three signatures: the first vote was verified, and the second one is verified
  // once.
  expect(1, 1);
  CHECK(pipeline.take_findings().proofs.size() == 1);
}

TEST_CASE_FIXTURE(document_way, "the detector counts every signature that it verifies, for the verification budget") {
  const validator checks{make.cluster(), keys};
  equivocation_detector detector{make.cluster(), checks};
  const auto vote_for = [&](const char* value, message_kind kind) {
    return make.signed_as(kind, make.content_of(faulty, first_view, one, named_digest(value)));
  };
  const auto forger = make.keys().impostor_of(principal::of(faulty));
  auto forged = vote_for("A", message_kind::prepare);
  forged = make.signed_by(*forger, message_kind::prepare, forged.content);
  const std::vector<message> heard = {prepare{forged},
                                      prepare{vote_for("A", message_kind::prepare)},
                                      commit{vote_for("B", message_kind::commit)},
                                      make.checkpoint_of(faulty, sequence_number{4}, named_digest("A")),
                                      make.checkpoint_of(faulty, sequence_number{4}, named_digest("B")),
                                      make.pre_prepare_of(first_view, one, make.batch_number(1)),
                                      make.pre_prepare_of(first_view, one, make.batch_number(2))};
  (void)meter.take();
  std::size_t proofs = 0;
  for (const auto& each : heard) {
    const auto* proposal = std::get_if<pre_prepare>(&each);
    proofs += detector.on_message(proposal != nullptr ? replica_id{0} : faulty, each).proofs.size();
  }
  CHECK(proofs == 3);
  const auto cost = meter.take();
  CHECK(detector.checks_made() == cost.verified);
  // The genuine copy of the forged vote; two signatures for each of three proofs; and the proposal that is shown to the
  // voter.
  CHECK(cost.verified == 1 + 2 * 3 + 1);
}
