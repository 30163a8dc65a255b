#include <doctest/doctest.h>

#include "actors/protocol/reputation/system_request.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto replica_0 = principal::of(replica_id{0});
const auto replica_2 = principal::of(replica_id{2});
const auto client_1 = principal::of(client_id{1});

/// The validator of replica 3 of four replicas.
struct validator_world {
  request_factory factory{small_cluster(4)};
  validator checks{factory.cluster(), factory.keys_of(replica_id{3})};

  [[nodiscard]] pre_prepare proposal() const {
    return factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(1));
  }
  [[nodiscard]] request ask() const { return factory.request_of(client_id{1}, timestamp{1}, "op"); }
  [[nodiscard]] checkpoint_certificate certificate() const {
    return *factory.certificate_of(sequence_number{4}, named_digest("state"));
  }
};

/// A factory whose signatures have another context than usual.
request_factory factory_with(std::byte cluster, std::uint32_t epoch) {
  auto parameters = small_cluster(4);
  parameters.signing.cluster.bytes.fill(cluster);
  parameters.signing.epoch = epoch_number{epoch};
  return request_factory{parameters};
}

}  // namespace

TEST_CASE("genuine messages of every kind pass") {
  const validator_world world;
  const auto& factory = world.factory;
  const auto proposal = world.proposal();
  CHECK_FALSE(world.checks.check(client_1, world.ask()));
  CHECK_FALSE(world.checks.check(replica_2, world.ask()));
  CHECK_FALSE(world.checks.check(replica_0, proposal));
  CHECK_FALSE(world.checks.check(replica_2, proposal));
  CHECK_FALSE(world.checks.check(replica_2, factory.prepare_of(replica_id{2}, proposal)));
  CHECK_FALSE(world.checks.check(replica_0, factory.commit_of(replica_id{0}, proposal)));
  CHECK_FALSE(world.checks.check(replica_2, factory.checkpoint_of(replica_id{2}, sequence_number{4}, {})));
  CHECK_FALSE(world.checks.check(replica_2, factory.status_of(replica_id{2}, view_number{0}, {}, {})));
  CHECK_FALSE(world.checks.check(replica_2, checkpoint_proof{world.certificate()}));
  CHECK_FALSE(world.checks.check(replica_2, state_request{sequence_number{4}, 0}));
  CHECK_FALSE(world.checks.check(client_1, query{{client_id{1}, timestamp{1}}, {}}));
  CHECK_FALSE(world.checks.check(client_1, node_query{{client_id{1}, timestamp{1}}}));
}

TEST_CASE("a sender that is no member is refused, whatever it sends") {
  const validator_world world;
  CHECK(world.checks.check(principal::of(replica_id{4}), world.proposal()) == rejection::not_a_member);
  CHECK(world.checks.check(principal::of(client_id{4}), world.ask()) == rejection::not_a_member);
}

TEST_CASE("a client may send only requests and queries") {
  const validator_world world;
  const auto proposal = world.proposal();
  const std::vector<message> forbidden = {proposal,
                                          world.factory.prepare_of(replica_id{1}, proposal),
                                          world.factory.commit_of(replica_id{1}, proposal),
                                          world.factory.checkpoint_of(replica_id{1}, sequence_number{4}, {}),
                                          world.factory.status_of(replica_id{1}, view_number{0}, {}, {}),
                                          checkpoint_proof{world.certificate()},
                                          state_request{},
                                          state_chunk_message{},
                                          suspicion{},
                                          reply{},
                                          query_reply{},
                                          node_report{},
                                          view_change{},
                                          new_view{}};
  for (const auto& each : forbidden) {
    CAPTURE(to_string(kind_of(each)));
    CHECK(world.checks.check(client_1, each) == rejection::kind_not_allowed_from_sender);
  }
}

TEST_CASE("a system request comes from replicas alone, and has no signature of its own") {
  validator_world world;
  evidence shown;
  for (const auto* value : {"A", "B"}) {
    const auto content =
        world.factory.content_of(replica_id{2}, view_number{0}, sequence_number{1}, named_digest(value));
    shown.items.push_back({message_kind::commit, world.factory.signed_as(message_kind::commit, content)});
  }
  const auto frame = system_request_frame(*claim_in(shown, world.factory.cluster()), shown);
  const auto wanted = decode(frame).value();
  CHECK_FALSE(world.checks.check(principal::of(replica_id{3}), wanted));
  CHECK(world.checks.check(principal::of(client_id{0}), wanted) == rejection::kind_not_allowed_from_sender);
  const message nothing = make_system_request(case_name{1});
  CHECK(world.checks.check(principal::of(replica_id{3}), nothing) == rejection::unproven);
}

TEST_CASE("a replica sends no answers to clients and no queries") {
  const validator_world world;
  const std::vector<message> forbidden = {reply{}, query{}, query_reply{}, node_report{}};
  for (const auto& each : forbidden) {
    CAPTURE(to_string(kind_of(each)));
    CHECK(world.checks.check(replica_2, each) == rejection::kind_not_allowed_from_sender);
  }
}

TEST_CASE("a client cannot send another client's request, but a replica may relay it") {
  const validator_world world;
  CHECK(world.checks.check(principal::of(client_id{2}), world.ask()) == rejection::sender_is_not_signer);
  CHECK_FALSE(world.checks.check(replica_2, world.ask()));
  CHECK(world.checks.check(principal::of(client_id{2}), query{{client_id{1}, timestamp{1}}, {}}) ==
        rejection::sender_is_not_signer);
}

TEST_CASE("a request that its client did not sign is refused, relayed or not") {
  const validator_world world;
  const auto& factory = world.factory;
  const auto forged = factory.request_signed_by(factory.keys_of(client_id{2}), client_id{1}, timestamp{1}, "op");
  CHECK(world.checks.check(client_1, forged) == rejection::bad_signature);
  CHECK(world.checks.check(replica_2, forged) == rejection::bad_signature);
  const auto by_replica = factory.request_signed_by(factory.keys_of(replica_id{1}), client_id{1}, timestamp{1}, "op");
  CHECK(world.checks.check(replica_2, by_replica) == rejection::bad_signature);
  const auto nobody = factory.request_signed_by(factory.keys_of(client_id{1}), client_id{77}, timestamp{1}, "op");
  CHECK(world.checks.check(replica_2, nobody) == rejection::not_a_member);
}

TEST_CASE("a vote counts for the key that verified it: no replica can vote for another") {
  const validator_world world;
  const auto& factory = world.factory;
  const auto proposal = world.proposal();
  const auto& faulty = factory.keys_of(replica_id{2});
  for (std::uint32_t claimed = 0; claimed < 4; ++claimed) {
    if (claimed == 2) continue;
    const auto content =
        factory.content_of(replica_id{claimed}, view_number{0}, sequence_number{1}, proposal.header.content.value);
    CAPTURE(claimed);
    // The vote comes over its signer's link in another name, and over the other replica's link without that replica's
    // key.
    const commit vote{factory.signed_by(faulty, message_kind::commit, content)};
    CHECK(world.checks.check(replica_2, vote) == rejection::sender_is_not_signer);
    CHECK(world.checks.check(principal::of(replica_id{claimed}), vote) == rejection::bad_signature);
    // A genuine vote of the other replica is refused too, because votes are not relayed.
    CHECK(world.checks.check(replica_2, factory.commit_of(replica_id{claimed}, proposal)) ==
          rejection::sender_is_not_signer);
  }
}

TEST_CASE("a vote of one kind never passes as one of another kind") {
  const validator_world world;
  const auto& factory = world.factory;
  const std::vector<message_kind> kinds = {message_kind::pre_prepare, message_kind::prepare, message_kind::commit,
                                           message_kind::checkpoint, message_kind::status};
  const auto content = factory.content_of(replica_id{2}, view_number{0}, sequence_number{4}, named_digest("d"));
  for (const auto kind : kinds) {
    const auto vote = factory.signed_as(kind, content);
    CAPTURE(to_string(kind));
    CHECK(world.checks.check(replica_2, prepare{vote}).has_value() == (kind != message_kind::prepare));
    CHECK(world.checks.check(replica_2, commit{vote}).has_value() == (kind != message_kind::commit));
    CHECK(world.checks.check(replica_2, checkpoint{vote}).has_value() == (kind != message_kind::checkpoint));
  }
}

TEST_CASE("every field of a statement is under its signature") {
  const validator_world world;
  const auto genuine = world.factory.commit_of(replica_id{2}, world.proposal());
  REQUIRE_FALSE(world.checks.check(replica_2, genuine));
  auto changed = genuine;
  changed.vote.content.view = view_number{1};
  CHECK(world.checks.check(replica_2, changed) == rejection::bad_signature);
  changed = genuine;
  changed.vote.content.sequence = sequence_number{2};
  CHECK(world.checks.check(replica_2, changed) == rejection::bad_signature);
  changed = genuine;
  changed.vote.content.value.bytes[31] ^= std::byte{1};
  CHECK(world.checks.check(replica_2, changed) == rejection::bad_signature);
  changed = genuine;
  changed.vote.content.epoch = epoch_number{4};
  CHECK(world.checks.check(replica_2, changed) == rejection::wrong_epoch);
  changed = genuine;
  changed.vote.by.bytes[0] ^= std::byte{1};
  CHECK(world.checks.check(replica_2, changed) == rejection::bad_signature);
}

TEST_CASE("signatures of another cluster or another epoch do not pass, though the keys are the same") {
  const validator_world world;
  const auto proposal = world.proposal();
  const auto other_cluster = factory_with(std::byte{0x11}, 3);
  CHECK(world.checks.check(replica_2, other_cluster.commit_of(replica_id{2}, proposal)) == rejection::bad_signature);
  CHECK(world.checks.check(client_1, other_cluster.request_of(client_id{1}, timestamp{1}, "op")) ==
        rejection::bad_signature);
  const auto other_epoch = factory_with(std::byte{0x5a}, 4);
  CHECK(world.checks.check(replica_2, other_epoch.commit_of(replica_id{2}, proposal)) == rejection::wrong_epoch);
  CHECK(world.checks.check(client_1, other_epoch.request_of(client_id{1}, timestamp{1}, "op")) ==
        rejection::bad_signature);
  CHECK(world.checks.check(replica_2, other_epoch.status_of(replica_id{2}, view_number{0}, {}, {})) ==
        rejection::bad_signature);
}

TEST_CASE("the primary of a view casts no PREPARE in it") {
  const validator_world world;
  CHECK(world.checks.check(replica_0, world.factory.prepare_of(replica_id{0}, world.proposal())) ==
        rejection::primary_voted_prepare);
}

TEST_CASE("a proposal counts as the primary's of its view, whichever replica relays it") {
  const validator_world world;
  auto content = world.proposal().header.content;
  content.replica = replica_id{2};
  auto usurped = world.proposal();
  usurped.header = world.factory.signed_as(message_kind::pre_prepare, content);
  CHECK(world.checks.check(replica_2, usurped) == rejection::not_from_primary);
  auto forged = world.proposal();
  forged.header =
      world.factory.signed_by(world.factory.keys_of(replica_id{2}), message_kind::pre_prepare, forged.header.content);
  CHECK(world.checks.check(replica_0, forged) == rejection::bad_signature);
}

TEST_CASE("a body that does not match its digest is refused") {
  const validator_world world;
  auto swapped = world.proposal();
  swapped.body = world.factory.batch_number(2);
  CHECK(world.checks.check(replica_0, swapped) == rejection::wrong_digest);
  auto longer = world.proposal();
  auto requests = longer.body->requests;
  requests.push_back(world.ask());
  longer.body = request_factory::batch_of(std::move(requests));
  CHECK(world.checks.check(replica_0, longer) == rejection::wrong_digest);
}

TEST_CASE("an empty batch is the null request, under its own digest only") {
  const validator_world world;
  auto empty = world.factory.pre_prepare_of(view_number{0}, sequence_number{1}, request_factory::batch_of({}));
  CHECK_FALSE(world.checks.check(replica_0, empty));
  empty.body = world.factory.batch_number(2);
  CHECK(world.checks.check(replica_0, empty) == rejection::wrong_digest);
}

TEST_CASE("one forged request spoils the whole batch, wherever it stands") {
  const validator_world world;
  const auto& factory = world.factory;
  for (std::size_t place = 0; place < 3; ++place) {
    std::vector<request> requests;
    for (std::size_t index = 0; index < 3; ++index) {
      const client_id client{static_cast<std::uint32_t>(index)};
      const auto& signer = index == place ? factory.keys_of(client_id{3}) : factory.keys_of(client);
      requests.push_back(factory.request_signed_by(signer, client, timestamp{1}, "op"));
    }
    const auto batch = request_factory::batch_of(std::move(requests));
    CHECK(world.checks.check(replica_0, factory.pre_prepare_of(view_number{0}, sequence_number{1}, batch)) ==
          rejection::bad_signature);
  }
}

TEST_CASE("a checkpoint is at a multiple of the period, above 0, in no view") {
  const validator_world world;
  const auto& factory = world.factory;
  for (const std::uint64_t n : {0ULL, 1ULL, 3ULL, 5ULL, 1'001ULL}) {
    CAPTURE(n);
    CHECK(world.checks.check(replica_2, factory.checkpoint_of(replica_id{2}, sequence_number{n}, {})) ==
          rejection::number_out_of_range);
  }
  const auto in_a_view = factory.signed_as(
      message_kind::checkpoint, factory.content_of(replica_id{2}, view_number{1}, sequence_number{4}, digest{}));
  CHECK(world.checks.check(replica_2, checkpoint{in_a_view}) == rejection::number_out_of_range);
}

TEST_CASE("a STATUS counts as its sender's only under its signature") {
  const validator_world world;
  const auto told = world.factory.status_of(replica_id{2}, view_number{0}, {}, sequence_number{3});
  CHECK(world.checks.check(replica_0, told) == rejection::sender_is_not_signer);
  auto claimed = told;
  claimed.replica = replica_id{0};
  CHECK(world.checks.check(replica_0, claimed) == rejection::bad_signature);
  auto damaged = told;
  damaged.by.bytes[5] ^= std::byte{1};
  CHECK(world.checks.check(replica_2, damaged) == rejection::bad_signature);
}

TEST_CASE("a checkpoint certificate is a quorum of distinct members over one statement") {
  for (const std::uint32_t replicas : {4U, 5U, 6U, 7U, 10U}) {
    const request_factory factory{small_cluster(replicas)};
    const validator checks{factory.cluster(), factory.keys_of(replica_id{0})};
    const auto good = *factory.certificate_of(sequence_number{4}, named_digest("state"));
    CAPTURE(replicas);
    CHECK(checks.proves_checkpoint(good));
    auto fewer = good;
    fewer.votes.pop_back();
    CHECK_FALSE(checks.proves_checkpoint(fewer));
    auto twice = fewer;
    twice.votes.push_back(twice.votes.front());
    CHECK_FALSE(checks.proves_checkpoint(twice));
    auto padded = good;
    padded.votes.push_back(padded.votes.front());
    CHECK_FALSE(checks.proves_checkpoint(padded));
    CHECK_FALSE(checks.proves_checkpoint({}));
  }
}

TEST_CASE("each fault in one vote of a certificate invalidates it (attack 23)") {
  const validator_world world;
  const auto& factory = world.factory;
  const auto good = world.certificate();
  const auto replaced = [&](const signed_statement& vote) {
    auto changed = good;
    changed.votes[1] = vote;
    return changed;
  };
  const auto content = good.votes[1].content;
  const auto with = [&](auto change) {
    auto changed = content;
    change(changed);
    return replaced(factory.signed_as(message_kind::checkpoint, changed));
  };
  CHECK_FALSE(world.checks.proves_checkpoint(with([](statement& it) { it.sequence = sequence_number{8}; })));
  CHECK_FALSE(world.checks.proves_checkpoint(with([](statement& it) { it.view = view_number{1}; })));
  CHECK_FALSE(world.checks.proves_checkpoint(with([](statement& it) { it.value = named_digest("other"); })));
  CHECK_FALSE(world.checks.proves_checkpoint(with([](statement& it) { it.epoch = epoch_number{9}; })));
  CHECK_FALSE(world.checks.proves_checkpoint(replaced(factory.signed_as(message_kind::commit, content))));
  const auto& faulty = factory.keys_of(replica_id{3});
  CHECK_FALSE(world.checks.proves_checkpoint(replaced(factory.signed_by(faulty, message_kind::checkpoint, content))));
  auto foreign = content;
  foreign.replica = replica_id{4};
  const auto by_foreigner = factory.signed_by(faulty, message_kind::checkpoint, foreign);
  CHECK_FALSE(world.checks.proves_checkpoint(replaced(by_foreigner)));
  CHECK(world.checks.check(replica_2, checkpoint_proof{replaced(by_foreigner)}) == rejection::bad_certificate);
}

TEST_CASE("a certificate for a sequence without a checkpoint proves nothing") {
  const validator_world world;
  for (const std::uint64_t n : {0ULL, 3ULL, 6ULL}) {
    CHECK_FALSE(world.checks.proves_checkpoint(*world.factory.certificate_of(sequence_number{n}, named_digest("s"))));
  }
}

TEST_CASE("replica 3 cannot make a certificate by signing as 0 to 3") {
  const validator_world world;
  checkpoint_certificate forged;
  for (std::uint32_t claimed = 0; claimed < 4; ++claimed) {
    const auto content =
        world.factory.content_of(replica_id{claimed}, view_number{0}, sequence_number{4}, named_digest("state"));
    forged.votes.push_back(
        world.factory.signed_by(world.factory.keys_of(replica_id{3}), message_kind::checkpoint, content));
  }
  CHECK_FALSE(world.checks.proves_checkpoint(forged));
}

TEST_CASE("a padded VIEW-CHANGE is refused: it would keep a NEW-VIEW out of its frame (attack 13)") {
  const request_factory factory{small_cluster(10)};
  const validator checks{factory.cluster(), factory.keys_of(replica_id{1})};
  const auto change = factory.view_change_of(
      replica_id{2}, view_number{1}, factory.certificate_of(sequence_number{4}, named_digest("state")),
      {factory.prepared_of(view_number{0}, sequence_number{5}, named_digest("batch"))});
  CHECK_FALSE(checks.check(principal::of(replica_id{2}), change));
  // The signed buffer contains bytes that no table refers to.
  auto buffer = view_change_buffer(change);
  buffer.insert(buffer.end(), 4'096, std::byte{0});
  auto padded = change;
  padded.by =
      factory.keys_of(replica_id{2}).sign(signing_input(factory.cluster().signing, message_kind::view_change, buffer));
  const auto decoded = decode(seal(message_kind::view_change, std::move(buffer), padded.by));
  REQUIRE(decoded.has_value());
  CHECK(checks.check(principal::of(replica_id{2}), decoded.value()) == rejection::inconsistent_sizes);
}

TEST_CASE("a certificate holds a quorum and no more") {
  const request_factory factory{small_cluster(7)};
  const validator checks{factory.cluster(), factory.keys_of(replica_id{1})};
  const auto root = named_digest("state");
  const auto exact = factory.certificate_of(sequence_number{4}, root, {0, 1, 2, 3, 4});
  CHECK_FALSE(checks.check(principal::of(replica_id{2}), checkpoint_proof{*exact}));
  const auto more = factory.certificate_of(sequence_number{4}, root, {0, 1, 2, 3, 4, 5});
  CHECK(checks.check(principal::of(replica_id{2}), checkpoint_proof{*more}) == rejection::bad_certificate);
}

// --- Signatures that are verified once -----------------------------------------------

TEST_CASE("a VIEW-CHANGE with a signature that was verified before gets the same checks as another one") {
  const validator_world world;
  const auto& make = world.factory;
  const replica_id signer{2};
  const auto certificate = make.prepared_of(view_number{0}, sequence_number{1}, named_digest("A"));
  auto bogus = certificate;
  bogus.prepares.pop_back();
  auto forged = make.view_change_of(signer, view_number{1}, nullptr, {certificate});
  forged.by.bytes.back() ^= std::byte{1};
  const std::vector<std::pair<view_change, std::optional<rejection>>> cases = {
      {make.view_change_of(signer, view_number{1}, nullptr, {certificate}), std::nullopt},
      {make.view_change_of(signer, view_number{1}, nullptr, {bogus}), rejection::bad_certificate},
      {make.view_change_of(signer, view_number{0}, nullptr, {}), rejection::number_out_of_range},
      {forged, rejection::bad_signature}};
  for (const auto& [change, expected] : cases) {
    const auto own = world.checks.authenticate(item_from(change));
    CHECK(own.has_value() == (expected != rejection::bad_signature));
    for (const std::uint32_t sender : {2U, 3U, 4U}) {
      CAPTURE(sender);
      const auto from = principal::of(replica_id{sender});
      CHECK(world.checks.check_view_change(from, change, own) == world.checks.check(from, change));
    }
    CHECK(world.checks.check(principal::of(signer), change) == expected);
    CHECK(world.checks.check_view_change(principal::of(client_id{0}), change, own) ==
          rejection::kind_not_allowed_from_sender);
  }
}

TEST_CASE("a NEW-VIEW is checked into the plan that follows from its V, or into the reason of a refusal") {
  const validator_world world;
  const auto& make = world.factory;
  const auto change_of = [&](std::uint32_t replica, std::vector<prepared_certificate> prepared) {
    return make.view_change_of(replica_id{replica}, view_number{1}, nullptr, std::move(prepared));
  };
  const auto certificate = make.prepared_of(view_number{0}, sequence_number{2}, named_digest("A"));
  const auto good = make.new_view_of(view_number{1}, {change_of(0, {}), change_of(1, {certificate}), change_of(2, {})});
  auto short_of_one = good;
  short_of_one.reproposals.pop_back();
  auto forged = good;
  forged.by.bytes.back() ^= std::byte{1};
  auto usurped = good;
  usurped.replica = replica_id{2};
  const std::vector<std::pair<new_view, std::optional<rejection>>> cases = {
      {good, std::nullopt},
      {make.signed_again(short_of_one), rejection::bad_certificate},
      {forged, rejection::bad_signature},
      {make.signed_again(usurped), rejection::not_from_primary}};
  for (const auto& [opened, expected] : cases) {
    const auto shared = std::make_shared<const new_view>(opened);
    const auto own = world.checks.authenticate(item_of(shared));
    CHECK(own.has_value() == (expected != rejection::bad_signature));
    for (const std::uint32_t sender : {1U, 3U, 4U}) {
      const auto from = principal::of(replica_id{sender});
      const auto verified = world.checks.verify_new_view(from, shared, own);
      CHECK((verified ? std::nullopt : std::optional{verified.error()}) == world.checks.check(from, opened));
    }
    CHECK(world.checks.check(principal::of(replica_id{1}), opened) == expected);
  }
  const auto verified = planned(make, good);
  CHECK(verified.plan().digests == std::vector{null_request_digest(), named_digest("A")});
  CHECK(verified.plan().digests == plan_of(good.view_changes).digests);
  CHECK(verified.message().raw.view.data() == good.raw.view.data());
}

TEST_CASE("a signature that was verified for one document counts for no other (attack 2)") {
  const validator_world world;
  const auto change = world.factory.view_change_of(replica_id{2}, view_number{1}, nullptr, {});
  for (const auto kind : {message_kind::prepare, message_kind::commit}) {
    const auto content = world.factory.content_of(replica_id{2}, view_number{0}, sequence_number{1}, named_digest("A"));
    const auto said = world.factory.signed_as(message_kind::commit, content);
    CHECK(world.checks.authenticate({kind, said}).has_value() == (kind == message_kind::commit));
  }
  // The kind of a document follows from its type and not from the kind in the item.
  auto renamed = item_from(change);
  renamed.kind = message_kind::new_view;
  CHECK(world.checks.authenticate(renamed));
  auto other = change;
  other.replica = replica_id{1};
  CHECK_FALSE(world.checks.authenticate(item_from(other)));
  // The genuine signature of another document does not make a document with a forged signature pass.
  auto forged = world.factory.view_change_of(replica_id{2}, view_number{1}, nullptr, {});
  forged.by = signature{};
  const auto sender = principal::of(replica_id{2});
  CHECK(world.checks.check_view_change(sender, forged, world.checks.authenticate(item_from(change))) ==
        rejection::bad_signature);
  CHECK(world.checks.check_view_change(sender, forged, std::nullopt) == rejection::bad_signature);
}
