#include <doctest/doctest.h>

#include "tests/runtime/audit_test_trail.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::audit_test;

namespace {

/// Writes a sealed trail of these events and returns the first objection to it.
std::string objection_to(trail_bench& bench, const std::vector<audit_event>& events) {
  fs::remove_all(bench.folder.root);
  auto trail = bench.open();
  bench.write(*trail, events);
  bench.seal(*trail);
  trail.reset();
  CHECK(bench.objection(statement_checks::none) == "");
  return bench.objection();
}

storage_record record_of(record_kind kind, frame_ptr bytes) {
  return {kind, view_number{0}, sequence_number{5}, std::move(bytes)};
}

}  // namespace

TEST_CASE_FIXTURE(trail_bench, "each kind of entry is read as it was written, and has one form only") {
  for (const auto& event : events()) {
    const auto kind = kind_of(event);
    const auto payload = encode_audit_payload(event);
    CAPTURE(to_string(kind));
    CHECK(audit_kind_of(to_string(kind)) == kind);
    const auto read = decode_audit_payload(kind, payload);
    REQUIRE(read);
    CHECK(kind_of(*read) == kind);
    CHECK(encode_audit_payload(*read) == payload);
    // Frames and proofs may have any length. All other payloads have one valid length.
    const bool is_open_ended = std::holds_alternative<proof_noted>(event) || std::holds_alternative<guard_noted>(event);
    if (is_open_ended) continue;
    auto longer = payload;
    longer.push_back(std::byte{0});
    CHECK_FALSE(decode_audit_payload(kind, longer));
    for (std::size_t size = 0; size < payload.size(); ++size)
      CHECK_FALSE(decode_audit_payload(kind, byte_span{payload}.first(size)));
  }
  CHECK_FALSE(audit_kind_of("no_such_kind"));
  CHECK_FALSE(decode_audit_payload(static_cast<audit_kind>(77), {}));
}

TEST_CASE("no bytes crash the reader of entries") {
  testing::sample_source source{11};
  for (int round = 0; round < 20'000; ++round) {
    const auto kind = static_cast<audit_kind>(source.below(40));
    const auto bytes = source.bytes(source.below(300));
    const auto event = decode_audit_payload(kind, bytes);
    if (event) CHECK(encode_audit_payload(*event) == bytes);
    if (!bytes.empty()) (void)read_record(bytes, {});
    (void)decode_header(bytes);
  }
}

TEST_CASE_FIXTURE(trail_bench, "a signed seal of a trail is no message, and no message is a seal (attack 2)") {
  const auto content = to_byte_vector("the same content");
  for (const auto kind : {audit_statement::segment, audit_statement::seal, audit_statement::head}) {
    const auto sealed = audit_signing_input(make.cluster().signing, kind, content);
    for (const auto each : testing::all_kinds())
      CHECK(sealed != signing_input(make.cluster().signing, each, content));
    const auto by = keys()->sign(sealed);
    CHECK(keys()->verify(principal::of(replica_id{1}), sealed, by));
    for (const auto other : {audit_statement::segment, audit_statement::seal, audit_statement::head}) {
      const auto input = audit_signing_input(make.cluster().signing, other, content);
      CHECK(keys()->verify(principal::of(replica_id{1}), input, by) == (other == kind));
    }
  }
}

TEST_CASE_FIXTURE(trail_bench, "records that go to the disk are entered with their signatures (attack 40)") {
  const auto first = proposal(5);
  const auto told = audit_event_of(record_of(record_kind::pre_prepare, frame_of(first)));
  REQUIRE(told);
  CHECK(std::get<proposal_noted>(*told).header == first.header);
  const auto vote = make.commit_of(replica_id{1}, first);
  CHECK(std::get<vote_noted>(*audit_event_of(record_of(record_kind::commit, frame_of(vote)))).vote == vote.vote);
  const auto prepared = make.prepared_of(view_number{0}, sequence_number{5}, first.header.content.value);
  const auto certificate = audit_event_of(record_of(record_kind::prepared, encode_statements(prepared)));
  CHECK(std::get<batch_was_prepared>(*certificate).certificate.prepares == prepared.prepares);
  for (const auto& [kind, record] : {std::pair{audit_kind::checkpoint_stable, record_kind::stable_checkpoint},
                                     std::pair{audit_kind::view_change, record_kind::view_change},
                                     std::pair{audit_kind::view_entered, record_kind::new_view}}) {
    const auto frame = std::make_shared<const byte_vector>(to_byte_vector("as it is"));
    const auto event = audit_event_of(record_of(record, frame));
    CHECK(kind_of(*event) == kind);
    CHECK(std::get<proof_noted>(*event).frame == frame);
  }
  // A frame with malformed content gives no entry and does no harm.
  const auto garbage = std::make_shared<const byte_vector>(to_byte_vector("garbage"));
  for (const auto kind : {record_kind::pre_prepare, record_kind::prepare, record_kind::prepared})
    CHECK_FALSE(audit_event_of(record_of(kind, garbage)));
}

TEST_CASE_FIXTURE(trail_bench, "observations about the group are entered, and counts are not") {
  committed_batch batch;
  batch.certificate = std::make_shared<const commit_certificate>(committed(5).certificate);
  const auto told = audit_event_of(observation{slot_committed{batch}});
  CHECK(std::get<batch_was_committed>(*told).certificate.commits == batch.certificate->commits);
  CHECK(kind_of(*audit_event_of(observation{divergence_found{sequence_number{4}}})) == audit_kind::divergence);
  CHECK(kind_of(*audit_event_of(observation{primary_suspected{}})) == audit_kind::suspicion);
  CHECK_FALSE(audit_event_of(observation{frame_rejected{}}));
  CHECK_FALSE(audit_event_of(observation{watermarks_moved{}}));
  CHECK_FALSE(audit_event_of(observation{batch_was_executed{}}));
}

TEST_CASE("proven and agreed facts about members are entered with their reason (attack 40)") {
  using what = standing_changed::what;
  const auto accused = principal::of(replica_id{3});
  const auto told = [&](what happened, std::uint8_t reason) {
    const standing_changed changed{happened, accused, reason, sequence_number{9}, sequence_number{20}};
    return std::get<guard_noted>(*audit_event_of(observation{changed}));
  };
  const auto convicted = told(what::convicted, 1);
  CHECK(convicted.kind == audit_kind::conviction);
  CHECK(convicted.about == accused);
  CHECK(convicted.misbehaviour_kind == "conflicting_votes");
  CHECK(convicted.from == sequence_number{9});
  CHECK(told(what::complained, 2).kind == audit_kind::complaint);
  CHECK(told(what::complained, 2).misbehaviour_kind == "flood");
  CHECK(told(what::quarantined, 6).kind == audit_kind::quarantine);
  CHECK(told(what::quarantined, 6).until == sequence_number{20});
  CHECK(told(what::released, 0).kind == audit_kind::release);
  const auto proven = std::get<guard_noted>(*audit_event_of(observation{fault_proven{accused, 8, nullptr}}));
  CHECK(proven.kind == audit_kind::evidence);
  CHECK(proven.misbehaviour_kind == "unlawful_new_view");
}

TEST_CASE_FIXTURE(trail_bench,
                  "a statement that its entry does not prove is found, even if the node itself chained it") {
  const auto first = proposal(5);
  CHECK(objection_to(*this, {proposal_noted{first.header}, committed(5)}) == "");

  auto forged = first.header;
  forged.by.bytes[0] ^= std::byte{1};
  CHECK(contains(objection_to(*this, {proposal_noted{forged}}), "bad_signature"));
  // A signature for a COMMIT does not prove a PREPARE, and the primary's statement does not prove a backup's vote.
  const auto commit_vote = make.commit_of(replica_id{1}, first).vote;
  CHECK(contains(objection_to(*this, {vote_noted{message_kind::prepare, commit_vote}}), "bad_signature"));
  const auto of_another = make.commit_of(replica_id{2}, first).vote;
  CHECK(contains(objection_to(*this, {vote_noted{message_kind::commit, of_another}}),
                 "the vote is signed by another replica"));
  auto stranger = first.header.content;
  stranger.replica = replica_id{2};
  CHECK(contains(objection_to(*this, {proposal_noted{make.signed_as(message_kind::pre_prepare, stranger)}}),
                 "the proposal is not signed by the primary"));
}

TEST_CASE_FIXTURE(trail_bench, "a certificate without a quorum of different members is found") {
  auto few = committed(5);
  few.certificate.commits.pop_back();
  CHECK(contains(objection_to(*this, {few}), "fewer votes than a quorum"));
  auto twice = committed(5);
  twice.certificate.commits[2] = twice.certificate.commits[1];
  CHECK(contains(objection_to(*this, {twice}), "two votes of one replica"));
  auto prepared = make.prepared_of(view_number{0}, sequence_number{5}, proposal(5).header.content.value);
  CHECK(objection_to(*this, {batch_was_prepared{prepared}}) == "");
  prepared.prepares.pop_back();
  CHECK(contains(objection_to(*this, {batch_was_prepared{prepared}}), "fewer votes than a quorum"));
}

TEST_CASE_FIXTURE(trail_bench, "evidence in the trail convicts by itself, or is no evidence (attack 40)") {
  const auto shown = two_commits(2);
  const fault_proven found{principal::of(replica_id{2}), 1, std::make_shared<const evidence>(shown)};
  const auto noted = std::get<guard_noted>(*audit_event_of(observation{found}));
  CHECK(objection_to(*this, {noted}) == "");
  auto framed = noted;
  framed.about = principal::of(replica_id{3});
  CHECK(contains(objection_to(*this, {framed}), "another misbehaviour"));
  auto bare = noted;
  bare.proof.clear();
  CHECK(contains(objection_to(*this, {bare}), "has no evidence"));
  auto forged = shown;
  std::get<signed_statement>(forged.items.back().content).by.bytes[0] ^= std::byte{1};
  auto unsigned_one = noted;
  unsigned_one.proof = evidence_buffer(forged);
  CHECK(contains(objection_to(*this, {unsigned_one}), "does not prove any misbehaviour"));
}

TEST_CASE_FIXTURE(trail_bench, "a proof of another kind, or one that proves nothing, is found") {
  CHECK(objection_to(*this, {stable(8)}) == "");
  auto certificate = *make.certificate_of(sequence_number{8}, named_digest("root"));
  certificate.votes.pop_back();
  CHECK(contains(
      objection_to(*this, {proof_noted{audit_kind::checkpoint_stable, frame_of(checkpoint_proof{certificate})}}),
      "not signed by a quorum"));
  CHECK(contains(objection_to(*this, {proof_noted{audit_kind::view_entered, stable(8).frame}}),
                 "not signed by a quorum"));
  const auto change = make.view_change_of(replica_id{2}, view_number{1}, nullptr, {});
  CHECK(contains(objection_to(*this, {proof_noted{audit_kind::view_change, frame_of(change)}}),
                 "does not prove the entry"));
  const auto garbage = std::make_shared<const byte_vector>(to_byte_vector("garbage"));
  CHECK(contains(objection_to(*this, {proof_noted{audit_kind::view_entered, garbage}}), "cannot be decoded"));
}

TEST_CASE_FIXTURE(trail_bench,
                  "two conflicting statements of one replica are shown as the misbehaviour that they prove") {
  auto trail = open();
  write(*trail, {proposal_noted{proposal(5, 5).header}, committed(4), proposal_noted{proposal(5, 6).header}});
  seal(*trail);
  const auto verdict = verify();
  CHECK_MESSAGE(verdict.is_sound(), objection());
  REQUIRE(verdict.contradictions.size() == 1);
  const auto& found = verdict.contradictions.front();
  CHECK(found.replica == replica_id{0});
  CHECK(found.kind == message_kind::pre_prepare);
  CHECK(found.sequence == sequence_number{5});
  CHECK(found.first_index == 0);
  CHECK(found.second_index == 2);
  // The entries show two batches at one sequence number, so more than f replicas were faulty.
  write(*trail, {committed(7, 7), committed(7, 8)});
  const auto broken = verify().contradictions;
  CHECK(std::ranges::count_if(broken, [](const auto& each) { return !each.replica; }) == 1);
  CHECK(broken.size() == 5);
}

TEST_CASE_FIXTURE(trail_bench, "a repeated statement, or one of another view, is no conflict") {
  auto trail = open();
  const auto again = make.pre_prepare_of(view_number{4}, sequence_number{5}, make.batch_number(6));
  write(*trail, {proposal_noted{proposal(5, 5).header}, proposal_noted{proposal(5, 5).header},
                 proposal_noted{again.header}, committed(5), committed(5), stable(8), committed(9)});
  seal(*trail);
  CHECK(verify().is_sound());
  CHECK(verify().contradictions.empty());
}
