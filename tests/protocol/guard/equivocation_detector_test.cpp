#include "actors/protocol/guard/equivocation_detector.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number first_view{0};
constexpr sequence_number one{1};
const replica_id faulty{2};

/// The detector of replica 1 of four replicas.
struct watch_world {
  request_factory factory{small_cluster(4)};
  validator checks{factory.cluster(), factory.keys_of(replica_id{1})};
  equivocation_detector watch{factory.cluster(), checks};

  [[nodiscard]] signed_statement vote(message_kind kind, std::string_view value, view_number view = first_view,
                                      sequence_number sequence = one, replica_id by = faulty) const {
    return factory.signed_as(kind, factory.content_of(by, view, sequence, named_digest(value)));
  }
  /// The detector receives a message on the link of its sender.
  [[nodiscard]] equivocation_detector::findings hear(const message& value) {
    auto sender = replica_id{3};
    if (const auto* it = std::get_if<prepare>(&value)) sender = it->vote.content.replica;
    if (const auto* it = std::get_if<commit>(&value)) sender = it->vote.content.replica;
    if (const auto* it = std::get_if<checkpoint>(&value)) sender = it->vote.content.replica;
    if (const auto* it = std::get_if<view_change>(&value)) return hear_document(item_from(*it));
    if (const auto* it = std::get_if<new_view>(&value)) return hear_document(item_from(*it));
    return watch.on_message(sender, value);
  }
  /// The detector receives a document after the signature of the document is verified.
  [[nodiscard]] equivocation_detector::findings hear_document(evidence_item document) {
    const auto own = checks.authenticate(std::move(document));
    return own ? watch.on_document(*own) : equivocation_detector::findings{};
  }
  [[nodiscard]] equivocation_detector::findings hear_prepare(std::string_view value, view_number view = first_view,
                                                             sequence_number sequence = one) {
    return hear(prepare{vote(message_kind::prepare, value, view, sequence)});
  }
  [[nodiscard]] equivocation_detector::findings hear_commit(std::string_view value, view_number view = first_view,
                                                            sequence_number sequence = one) {
    return hear(commit{vote(message_kind::commit, value, view, sequence)});
  }
  [[nodiscard]] misbehaviour_kind found(const equivocation_detector::findings& in) const {
    REQUIRE(in.proofs.size() == 1);
    REQUIRE(checks.proves(in.proofs.front()));
    return std::get<misbehaviour>(*claim_in(in.proofs.front(), factory.cluster())).what;
  }
};

}  // namespace

TEST_CASE_FIXTURE(watch_world, "a second, conflicting message for the same place convicts once (attack 8)") {
  CHECK(hear_prepare("A").empty());
  CHECK(hear_prepare("A").empty());
  CHECK(found(hear_prepare("B")) == misbehaviour_kind::conflicting_votes);
  CHECK(hear_prepare("B").empty());
  CHECK(hear_commit("B").empty());
  CHECK(hear_prepare("A", first_view, sequence_number{2}).empty());
  CHECK(found(hear_commit("B", first_view, sequence_number{2})) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "a forged first message does not hide the genuine ones") {
  const auto forger = factory.keys().impostor_of(principal::of(faulty));
  const auto content = factory.content_of(faulty, first_view, one, named_digest("X"));
  CHECK(hear(prepare{factory.signed_by(*forger, message_kind::prepare, content)}).empty());
  CHECK(hear_prepare("A").empty());
  // A later forged message does not hide them either.
  CHECK(hear(prepare{factory.signed_by(*forger, message_kind::prepare, content)}).empty());
  CHECK(found(hear_prepare("B")) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "a forged copy of a message does not replace the message") {
  const auto forger = factory.keys().impostor_of(principal::of(faulty));
  const auto forged_prepare = prepare{factory.signed_by(
      *forger, message_kind::prepare, factory.content_of(faulty, first_view, one, named_digest("A")))};
  // The forged copies come before the genuine message and after it.
  for (int count = 0; count < 3; ++count) {
    CHECK(hear(forged_prepare).empty());
    CHECK(hear_prepare("A").empty());
  }
  CHECK(found(hear_prepare("B")) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "a forged PREPARE does not hide the COMMIT behind it") {
  const auto forger = factory.keys().impostor_of(principal::of(faulty));
  const auto content = factory.content_of(faulty, first_view, one, named_digest("A"));
  CHECK(hear(prepare{factory.signed_by(*forger, message_kind::prepare, content)}).empty());
  CHECK(hear_commit("A").empty());
  CHECK(found(hear_prepare("B")) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "a forged CHECKPOINT does not hide the one with the same digest") {
  const auto forger = factory.keys().impostor_of(principal::of(faulty));
  const sequence_number due{factory.cluster().checkpoint_period};
  auto forged = factory.checkpoint_of(faulty, due, named_digest("A"));
  forged.vote = factory.signed_by(*forger, message_kind::checkpoint, forged.vote.content);
  CHECK(hear(forged).empty());
  CHECK(hear(factory.checkpoint_of(faulty, due, named_digest("A"))).empty());
  CHECK(found(hear(factory.checkpoint_of(faulty, due, named_digest("B")))) ==
        misbehaviour_kind::conflicting_checkpoints);
}

TEST_CASE_FIXTURE(watch_world,
                  "forged votes in the name of a replica are not remembered and fill no place of it (attack 33)") {
  const auto forger = factory.keys().impostor_of(principal::of(faulty));
  const auto content = factory.content_of(faulty, first_view, one, named_digest("X"));
  const message forged = commit{factory.signed_by(*forger, message_kind::commit, content)};
  CHECK(watch.on_message(replica_id{3}, forged).empty());
  CHECK(hear_commit("A").empty());
  CHECK(watch.on_message(replica_id{3}, forged).empty());
  CHECK(found(hear_commit("B")) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "messages for other places never replace the remembered message of a place") {
  CHECK(hear_prepare("A").empty());
  CHECK(hear_prepare("Y", view_number{1}).empty());
  CHECK(hear_prepare("Z", view_number{2}).empty());
  CHECK(hear_prepare("Z", view_number{1'000'000}).empty());
  CHECK(hear_prepare("Z", first_view, one.plus(factory.cluster().watermark_window)).empty());
  CHECK(found(hear_prepare("B")) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "messages below the stable checkpoint are dropped, and their places are used again") {
  CHECK(hear_prepare("A").empty());
  watch.on_position({first_view, true, sequence_number{8}, sequence_number{8}, sequence_number{16}});
  CHECK(hear_prepare("B").empty());
  const auto later = one.plus(factory.cluster().watermark_window);
  CHECK(hear_prepare("B", first_view, later).empty());
  CHECK(found(hear_prepare("C", first_view, later)) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world,
                  "two proposals of a primary convict it, and so does its own COMMIT against one of them") {
  const auto first = factory.pre_prepare_of(first_view, one, factory.batch_number(1));
  const auto second = factory.pre_prepare_of(first_view, one, factory.batch_number(2));
  CHECK(hear(first).empty());
  CHECK(hear(first).empty());
  const replica_id primary{0};
  const auto own = vote(message_kind::commit, "A", first_view, one, primary);
  SUBCASE("the second proposal") { CHECK(found(hear(second)) == misbehaviour_kind::conflicting_votes); }
  SUBCASE("the COMMIT behind it") {
    const auto findings = hear(commit{own});
    CHECK(found(findings) == misbehaviour_kind::conflicting_votes);
  }
}

TEST_CASE_FIXTURE(watch_world, "a COMMIT of the primary before its other proposal convicts it too") {
  CHECK(hear(commit{vote(message_kind::commit, "A", first_view, one, replica_id{0})}).empty());
  CHECK(found(hear(factory.pre_prepare_of(first_view, one, factory.batch_number(1)))) ==
        misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world,
                  "a replica that votes for another digest than the proposal's is shown the proposal, once") {
  const auto mine = factory.pre_prepare_of(first_view, one, factory.batch_number(1));
  SUBCASE("the vote comes after it") {
    CHECK(hear(mine).empty());
    const auto heard = hear_prepare("another");
    REQUIRE(heard.shows.size() == 1);
    CHECK(heard.shows.front().to == faulty);
    CHECK(std::get<signed_statement>(heard.shows.front().what.items.front().content) == mine.header);
    CHECK(hear_commit("another").empty());
  }
  SUBCASE("the vote came before it") {
    CHECK(hear_prepare("another").empty());
    CHECK(hear(mine).shows.size() == 1);
  }
  SUBCASE("a forged copy of it came before, and the vote between them") {
    auto forged = mine;
    const auto forger = factory.keys().impostor_of(principal::of(replica_id{0}));
    forged.header = factory.signed_by(*forger, message_kind::pre_prepare, mine.header.content);
    CHECK(hear(forged).empty());
    CHECK(hear_prepare("another").empty());
    CHECK(hear(mine).shows.size() == 1);
    CHECK(hear(forged).empty());
    CHECK(hear_commit("another").empty());
  }
  SUBCASE("the proposal that is shown convicts the primary if the replica holds the other one") {
    equivocation_detector other{factory.cluster(), checks};
    const auto theirs = factory.pre_prepare_of(first_view, one, factory.batch_number(2));
    CHECK(other.on_message(replica_id{3}, theirs).empty());
    CHECK(hear(mine).empty());
    const auto shown = hear_prepare("another").shows.front().what;
    CHECK(found(other.on_message(replica_id{3}, shown)) == misbehaviour_kind::conflicting_votes);
  }
}

TEST_CASE_FIXTURE(watch_world, "two states after one sequence convict, also when one is inside a certificate") {
  const auto root = named_digest("state");
  const auto quoted = *factory.certificate_of(sequence_number{4}, root, {0, 2, 3});
  CHECK(watch.on_verified(checkpoint_proof{quoted}).empty());
  CHECK(hear(factory.checkpoint_of(faulty, sequence_number{4}, root)).empty());
  CHECK(found(hear(factory.checkpoint_of(faulty, sequence_number{4}, named_digest("other")))) ==
        misbehaviour_kind::conflicting_checkpoints);
}

TEST_CASE_FIXTURE(watch_world, "conflicting VIEW-CHANGEs convict, also when one comes inside a NEW-VIEW") {
  const auto certificate = factory.prepared_of(first_view, one, named_digest("A"));
  const auto said = factory.view_change_of(faulty, view_number{1}, nullptr, {});
  const auto other = factory.view_change_of(faulty, view_number{1}, nullptr, {certificate});
  CHECK(hear(said).empty());
  CHECK(hear(said).empty());
  SUBCASE("by itself") { CHECK(found(hear(other)) == misbehaviour_kind::conflicting_view_changes); }
  SUBCASE("inside") {
    const auto change_of = [this](std::uint32_t number) {
      return factory.view_change_of(replica_id{number}, view_number{1}, nullptr, {});
    };
    const auto opened = factory.new_view_of(view_number{1}, {change_of(0), change_of(1), other});
    CHECK(hear(opened).empty());
    CHECK(found(watch.on_opened(planned(factory, opened))) == misbehaviour_kind::conflicting_view_changes);
  }
  SUBCASE("one for a view far ahead does not hide it") {
    CHECK(hear(factory.view_change_of(faulty, view_number{1'000}, nullptr, {})).empty());
    CHECK(found(hear(other)) == misbehaviour_kind::conflicting_view_changes);
  }
}

TEST_CASE_FIXTURE(watch_world, "a VIEW-CHANGE that conceals a COMMIT of its sender convicts it") {
  CHECK(hear_commit("A").empty());
  CHECK(found(hear(factory.view_change_of(faulty, view_number{1}, nullptr, {}))) ==
        misbehaviour_kind::hidden_certificate);
}

TEST_CASE_FIXTURE(watch_world, "a forged COMMIT does not hide the one that a VIEW-CHANGE conceals") {
  const auto forger = factory.keys().impostor_of(principal::of(faulty));
  const auto forged = factory.content_of(faulty, first_view, one, named_digest("X"));
  CHECK(hear(commit{factory.signed_by(*forger, message_kind::commit, forged)}).empty());
  CHECK(hear_commit("A", first_view, sequence_number{2}).empty());
  CHECK(found(hear(factory.view_change_of(faulty, view_number{1}, nullptr, {}))) ==
        misbehaviour_kind::hidden_certificate);
}

TEST_CASE_FIXTURE(watch_world, "a forged VIEW-CHANGE or NEW-VIEW is not remembered, and hides no genuine one") {
  const auto certificate = factory.prepared_of(first_view, one, named_digest("A"));
  auto forged = factory.view_change_of(faulty, view_number{2}, nullptr, {certificate});
  auto raw = std::make_shared<byte_vector>(forged.raw.view.begin(), forged.raw.view.end());
  raw->back() ^= std::byte{1};
  forged.by.bytes.back() ^= std::byte{1};
  forged.raw = blob{raw, *raw};
  CHECK(hear(factory.view_change_of(faulty, view_number{1}, nullptr, {})).empty());
  CHECK(hear(forged).empty());
  CHECK(found(hear(factory.view_change_of(faulty, view_number{1}, nullptr, {certificate}))) ==
        misbehaviour_kind::conflicting_view_changes);
}

TEST_CASE_FIXTURE(
    watch_world,
    "a replica that is avoided as primary is not convicted repeatedly, and is watched again afterwards (attack 33)") {
  CHECK(hear_prepare("A").empty());
  watch.on_avoided_as_primary({faulty});
  CHECK(hear_prepare("B").empty());
  CHECK(watch.on_refused(prepare{vote(message_kind::prepare, "A", view_number{2})}, rejection::primary_voted_prepare)
            .empty());
  watch.on_avoided_as_primary({});
  CHECK(found(hear_prepare("B")) == misbehaviour_kind::conflicting_votes);
}

TEST_CASE_FIXTURE(watch_world, "a message that the validator refused convicts if no correct replica signs it") {
  const auto usurped = vote(message_kind::pre_prepare, "A");
  const pre_prepare proposal{usurped, factory.batch_number(1), nullptr};
  CHECK(found(watch.on_refused(proposal, rejection::not_from_primary)) == misbehaviour_kind::unlawful_vote);
  auto bogus = factory.prepared_of(first_view, one, named_digest("A"));
  bogus.prepares.pop_back();
  const auto change = item_from(factory.view_change_of(faulty, view_number{1}, nullptr, {bogus}));
  const auto own = *checks.authenticate(change);
  CHECK(found(watch.on_refused(own, rejection::bad_certificate)) == misbehaviour_kind::unlawful_view_change);
  // These reasons say nothing about the content of the document.
  for (const auto why : {rejection::duplicate, rejection::bad_signature, rejection::sender_is_not_signer,
                         rejection::not_a_member, rejection::kind_not_allowed_from_sender}) {
    CHECK(watch.on_refused(own, why).empty());
  }
}
