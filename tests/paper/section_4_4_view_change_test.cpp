#include <doctest/doctest.h>

#include <algorithm>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "actors/protocol/views/new_view.hpp"
#include "actors/protocol/views/view_changer.hpp"
#include "tests/paper/view_change_world.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

// Castro & Liskov, "Practical Byzantine Fault Tolerance" (OSDI '99), §4.4 View Changes. Most names of tests are
// sentences of this section.

using namespace hypermesh;
using namespace hypermesh::testing;

// --- VIEW-CHANGE -------------------------------------------------------------------------

TEST_CASE("it stops accepting messages other than checkpoint, view-change, and new-view messages") {
  paper_world world{1};
  (void)world.core.on_change_view(v1);
  CHECK_FALSE(world.core.is_active());
  const auto late = world.proposal(v0, 1);
  CHECK(sent<prepare>(world.hear(0, late).sends).empty());
  CHECK(rejections_in(world.hear(2, world.factory.prepare_of(replica_id{2}, late)).observations) ==
        std::vector{rejection::other_view});
  // The proof of a CHECKPOINT still moves the watermarks when the replica has the state.
  CHECK(world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state"))).records.empty());
}

TEST_CASE("and multicasts a VIEW-CHANGE message to all replicas, which is durable first") {
  paper_world world{1};
  const auto effects = world.core.on_change_view(v1);
  const auto changes = sent<view_change>(effects.sends);
  REQUIRE(changes.size() == 1);
  CHECK_FALSE(effects.sends.front().to);
  REQUIRE(effects.records.size() == 1);
  CHECK(effects.records[0].kind == record_kind::view_change);
  CHECK(effects.records[0].bytes == effects.sends.front().frame);
  CHECK(changes[0].new_view == v1);
  CHECK(changes[0].replica == replica_id{1});
  CHECK_FALSE(verdict(paper_world{2}, 1, changes[0]));
}

TEST_CASE("n is the sequence number of the last stable checkpoint s known to i, C proves its correctness") {
  paper_world world{1};
  for (std::uint64_t n = 1; n <= 4; ++n) {
    world.prepare_here(n);
    for (const std::uint32_t from : {0U, 2U, 3U})
      (void)world.hear(from, world.factory.commit_of(replica_id{from}, world.proposal(v0, n)));
  }
  REQUIRE(world.core.last_executed() == sequence_number{4});
  (void)world.core.on_taken(sequence_number{4});
  (void)world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state")));
  const auto changes = sent<view_change>(world.core.on_change_view(v1).sends);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].stable_sequence == sequence_number{4});
  CHECK(changes[0].stable_proof.votes.size() == 3);
  CHECK(changes[0].prepared.empty());
}

TEST_CASE("P contains a set for each request that prepared at i with a sequence number higher than n") {
  paper_world world{1};
  world.prepare_here(1);
  world.prepare_here(3);
  (void)world.hear(0, world.proposal(v0, 2));
  const auto changes = sent<view_change>(world.core.on_change_view(v1).sends);
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].prepared.size() == 2);
  CHECK(changes[0].prepared[0].pre_prepare.content.sequence == n1);
  CHECK(changes[0].prepared[1].pre_prepare.content.sequence == n3);
  CHECK(changes[0].prepared[0].prepares.size() == 2);
}

TEST_CASE("what prepared in an earlier view stays in P through views in which nothing was proposed for it") {
  paper_world world{1};
  world.prepare_here(1);
  (void)world.core.on_change_view(v1);
  (void)world.core.on_change_view(v2);
  const auto changes = sent<view_change>(world.core.on_change_view(v3).sends);
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].prepared.size() == 1);
  CHECK(changes[0].prepared[0].pre_prepare.content.view == v0);
}

TEST_CASE(
    "each set contains a valid pre-prepare and 2f matching valid prepares signed by different backups (attack 11)") {
  const paper_world world{3};
  const auto& factory = world.factory;
  const auto genuine = factory.prepared_of(v0, n1, world.value_of(1));
  const auto verdict_on = [&](const prepared_certificate& one) {
    return verdict(world, 1, factory.view_change_of(replica_id{1}, v2, nullptr, {one}));
  };
  CHECK_FALSE(verdict_on(genuine));
  auto bad = genuine;
  SUBCASE("one PREPARE too few") { bad.prepares.pop_back(); }
  SUBCASE("one backup twice") { bad.prepares[1] = bad.prepares[0]; }
  SUBCASE("the primary's own PREPARE") {
    bad.prepares[1] =
        factory.signed_as(message_kind::prepare, factory.content_of(replica_id{0}, v0, n1, world.value_of(1)));
  }
  SUBCASE("another digest") {
    bad.prepares[1] =
        factory.signed_as(message_kind::prepare, factory.content_of(replica_id{2}, v0, n1, world.value_of(2)));
  }
  SUBCASE("another view") {
    bad.prepares[1] =
        factory.signed_as(message_kind::prepare, factory.content_of(replica_id{2}, v1, n1, world.value_of(1)));
  }
  SUBCASE("another sequence") {
    bad.prepares[1] =
        factory.signed_as(message_kind::prepare, factory.content_of(replica_id{2}, v0, n2, world.value_of(1)));
  }
  SUBCASE("a COMMIT's signature") {
    bad.prepares[1] = factory.signed_as(message_kind::commit, bad.prepares[1].content);
  }
  SUBCASE("a header of a backup") {
    bad.pre_prepare =
        factory.signed_as(message_kind::pre_prepare, factory.content_of(replica_id{3}, v0, n1, world.value_of(1)));
  }
  SUBCASE("a header that nobody signed") { bad.pre_prepare.by = {}; }
  SUBCASE("the view that is to come") { bad = factory.prepared_of(v2, n1, world.value_of(1)); }
  SUBCASE("at the checkpoint") { bad = factory.prepared_of(v0, sequence_number{0}, world.value_of(1)); }
  SUBCASE("above H") { bad = factory.prepared_of(v0, sequence_number{9}, world.value_of(1)); }
  CHECK(verdict_on(bad) == rejection::bad_certificate);
}

TEST_CASE("a sequence has one set, and the checkpoint has its own proof") {
  const paper_world world{3};
  const auto& factory = world.factory;
  const auto one = factory.prepared_of(v0, n1, world.value_of(1));
  CHECK(verdict(world, 1, factory.view_change_of(replica_id{1}, v2, nullptr, {one, one})) ==
        rejection::bad_certificate);
  CHECK(verdict(world, 1, factory.view_change_of(replica_id{1}, v0, nullptr, {})) == rejection::number_out_of_range);
  CHECK(verdict(world, 2, factory.view_change_of(replica_id{1}, v2, nullptr, {})) == rejection::sender_is_not_signer);
  const auto stable = factory.certificate_of(sequence_number{4}, named_digest("state"));
  auto change = factory.view_change_of(replica_id{1}, v2, stable, {});
  CHECK_FALSE(verdict(world, 1, change));
  change.stable_sequence = sequence_number{8};
  CHECK(verdict(world, 1, factory.signed_again(change)) == rejection::bad_certificate);
  change = factory.view_change_of(replica_id{1}, v2, stable, {});
  change.stable_proof.votes.pop_back();
  CHECK(verdict(world, 1, factory.signed_again(change)) == rejection::bad_certificate);
  change = factory.view_change_of(replica_id{1}, v2, stable, {});
  change.by = {};
  CHECK(verdict(world, 1, change) == rejection::bad_signature);
}

// --- NEW-VIEW ----------------------------------------------------------------------------

TEST_CASE("when the primary of view v+1 receives 2f valid view-change messages it multicasts a NEW-VIEW") {
  const request_factory factory{small_cluster(4)};
  view_changer primary{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1}), {}};
  const auto change_of = [&](std::uint32_t replica) {
    return std::make_shared<const view_change>(factory.view_change_of(replica_id{replica}, v1, nullptr, {}));
  };
  CHECK(primary.on_view_change(change_of(2), moment{}).opened == nullptr);
  CHECK(primary.on_left(change_of(1), moment{}).opened == nullptr);
  const auto opened = primary.on_view_change(change_of(3), moment{}).opened;
  REQUIRE(opened != nullptr);
  CHECK(opened->message().view == v1);
  CHECK(opened->message().view_changes.size() == 3);
  CHECK_FALSE(verdict(paper_world{3}, 1, opened->message()));
  // The primary makes only one NEW-VIEW for a view, even if more VIEW-CHANGEs arrive later (attack 13).
  CHECK(primary.on_view_change(change_of(0), moment{}).opened == nullptr);
}

TEST_CASE(
    "min-s is the latest stable checkpoint in V and max-s the highest sequence number in a prepare message in V") {
  const paper_world world{3};
  const auto& factory = world.factory;
  const auto stable = factory.certificate_of(sequence_number{4}, named_digest("state"));
  const auto plan =
      plan_of({factory.view_change_of(replica_id{0}, v1, nullptr, {factory.prepared_of(v0, n3, world.value_of(3))}),
               factory.view_change_of(replica_id{2}, v1, stable, {}),
               factory.view_change_of(replica_id{3}, v1, nullptr,
                                      {factory.prepared_of(v0, sequence_number{7}, world.value_of(7))})});
  CHECK(plan.min_s == sequence_number{4});
  CHECK(plan.max_s() == sequence_number{7});
  CHECK(plan.proof.votes.size() == 3);
}

TEST_CASE("the digest is that of the pre-prepare with the highest view number in V, in every order of V") {
  const paper_world world{3};
  const auto& factory = world.factory;
  // One replica prepared m in view 1, and the others committed m' in view 2 (attack 10).
  const auto lower = factory.prepared_of(v1, n1, world.value_of(1));
  const auto higher = factory.prepared_of(v2, n1, world.value_of(2));
  std::vector<view_change> changes = {factory.view_change_of(replica_id{0}, v3, nullptr, {lower}),
                                      factory.view_change_of(replica_id{1}, v3, nullptr, {higher}),
                                      factory.view_change_of(replica_id{2}, v3, nullptr, {})};
  const auto by_replica = [](const view_change& left, const view_change& right) {
    return left.replica < right.replica;
  };
  std::size_t orders = 0;
  do {
    CHECK(plan_of(changes).digests == std::vector{world.value_of(2)});
    ++orders;
  } while (std::ranges::next_permutation(changes, by_replica).found);
  CHECK(orders == 6);
}

TEST_CASE("else the primary creates a new pre-prepare message for the special null request") {
  const paper_world world{3};
  const auto& factory = world.factory;
  const auto plan =
      plan_of({factory.view_change_of(replica_id{0}, v1, nullptr, {factory.prepared_of(v0, n3, world.value_of(3))}),
               factory.view_change_of(replica_id{1}, v1, nullptr, {factory.prepared_of(v0, n1, world.value_of(1))}),
               factory.view_change_of(replica_id{2}, v1, nullptr, {})});
  CHECK(plan.digests == std::vector{world.value_of(1), null_request_digest(), world.value_of(3)});
}

TEST_CASE("a backup accepts a new-view message if it is signed properly, V is valid for v+1, and O is correct") {
  const paper_world world{3};
  const auto& factory = world.factory;
  const auto one = factory.prepared_of(v0, n1, world.value_of(1));
  const auto three = factory.prepared_of(v0, n3, world.value_of(3));
  const auto genuine = world.opened(v1, {{one, three}});
  CHECK_FALSE(verdict(world, 1, genuine));
  // A NEW-VIEW proves itself, so any replica may forward it.
  CHECK_FALSE(verdict(world, 2, genuine));
  auto bad = genuine;
  SUBCASE("a quorum less one") { bad.view_changes.pop_back(); }
  SUBCASE("one replica twice") { bad.view_changes[2] = bad.view_changes[1]; }
  SUBCASE("a VIEW-CHANGE for another view") {
    bad.view_changes[2] = factory.view_change_of(replica_id{3}, v2, nullptr, {});
  }
  SUBCASE("a VIEW-CHANGE that nobody signed") {
    // The codec carries raw bytes, so the test flips a bit in the signature of the last VIEW-CHANGE.
    auto bytes =
        std::make_shared<byte_vector>(bad.view_changes[2].raw.view.begin(), bad.view_changes[2].raw.view.end());
    bytes->back() ^= std::byte{1};
    bad.view_changes[2].raw = {bytes, byte_span{*bytes}};
    bad.view_changes[2].by.bytes.back() ^= std::byte{1};
  }
  SUBCASE("a reproposal omitted") { bad.reproposals.pop_back(); }
  SUBCASE("a reproposal invented") {
    bad.reproposals.push_back(factory.signed_as(
        message_kind::pre_prepare, factory.content_of(replica_id{1}, v1, sequence_number{4}, world.value_of(4))));
  }
  SUBCASE("null where a request prepared") {
    bad.reproposals[0] =
        factory.signed_as(message_kind::pre_prepare, factory.content_of(replica_id{1}, v1, n1, null_request_digest()));
  }
  SUBCASE("a request where null belongs") {
    bad.reproposals[1] =
        factory.signed_as(message_kind::pre_prepare, factory.content_of(replica_id{1}, v1, n2, world.value_of(2)));
  }
  SUBCASE("a reproposal of another view") {
    bad.reproposals[0] =
        factory.signed_as(message_kind::pre_prepare, factory.content_of(replica_id{1}, v2, n1, world.value_of(1)));
  }
  SUBCASE("a reproposal that nobody signed") { bad.reproposals[0].by = {}; }
  CHECK(verdict(world, 1, factory.signed_again(bad)) == rejection::bad_certificate);
}

TEST_CASE("a new-view message is its primary's") {
  const paper_world world{3};
  auto bad = world.opened(v1, {});
  bad.by = {};
  CHECK(verdict(world, 1, bad) == rejection::bad_signature);
  bad = world.opened(v1, {});
  bad.replica = replica_id{2};
  CHECK(verdict(world, 2, world.factory.signed_again(bad)) == rejection::not_from_primary);
}

TEST_CASE("it multicasts a prepare for each message in O to all the other replicas") {
  paper_world world{3};
  world.prepare_here(1);
  const auto effects = world.hear(1, world.opened(v1, {{world.factory.prepared_of(v0, n1, world.value_of(1))}}));
  CHECK(world.core.view() == v1);
  CHECK(world.core.is_active());
  const auto prepares = sent<prepare>(effects.sends);
  REQUIRE(prepares.size() == 1);
  CHECK(prepares[0].vote.content.view == v1);
  CHECK(prepares[0].vote.content.value == world.value_of(1));
  CHECK(effects.records.front().kind == record_kind::new_view);
}

TEST_CASE("the null request goes through the protocol like other requests, but its execution is a no-op") {
  paper_world world{3};
  const auto opened = world.opened(v1, {{world.factory.prepared_of(v0, n2, world.value_of(2))}});
  const auto effects = world.hear(1, opened);
  const auto prepares = sent<prepare>(effects.sends);
  REQUIRE(prepares.size() == 1);
  CHECK(prepares[0].vote.content.sequence == n1);
  CHECK(prepares[0].vote.content.value == null_request_digest());
  const auto vote_of = [&](message_kind kind, std::uint32_t replica) {
    return world.factory.signed_as(kind, world.factory.content_of(replica_id{replica}, v1, n1, null_request_digest()));
  };
  (void)world.hear(2, prepare{vote_of(message_kind::prepare, 2)});
  (void)world.hear(1, commit{vote_of(message_kind::commit, 1)});
  const auto done = world.hear(2, commit{vote_of(message_kind::commit, 2)}).committed;
  REQUIRE(done.size() == 1);
  CHECK(done[0].body->requests.empty());
  CHECK(world.core.last_executed() == n1);
}

TEST_CASE("replicas redo the protocol for messages between min-s and max-s but avoid re-executing client requests") {
  paper_world world{3};
  world.prepare_here(1);
  for (const std::uint32_t from : {0U, 1U, 2U})
    (void)world.hear(from, world.factory.commit_of(replica_id{from}, world.proposal(v0, 1)));
  REQUIRE(world.core.last_executed() == n1);
  (void)world.hear(1, world.opened(v1, {{world.factory.prepared_of(v0, n1, world.value_of(1))}}));
  const auto again = world.proposal(v1, 1);
  const auto prepared = world.hear(2, world.factory.prepare_of(replica_id{2}, again));
  CHECK(sent<commit>(prepared.sends).size() == 1);
  for (const std::uint32_t from : {1U, 2U})
    CHECK(world.hear(from, world.factory.commit_of(replica_id{from}, again)).committed.empty());
  CHECK(world.core.last_decided() == n1);
}

TEST_CASE("a replica that lacks the request named in O gets it from another and only then votes") {
  paper_world world{3};
  const auto effects = world.hear(1, world.opened(v1, {{world.factory.prepared_of(v0, n1, world.value_of(1))}}));
  CHECK(sent<prepare>(effects.sends).empty());
  const auto other = world.factory.pre_prepare_of(v1, n1, world.factory.batch_number(2));
  CHECK(rejections_in(world.hear(1, other).observations) == std::vector{rejection::conflicting_statement});
  CHECK(sent<prepare>(world.hear(2, world.proposal(v1, 1)).sends).size() == 1);
}

TEST_CASE("nothing is proposed at or below min-s") {
  paper_world world{3};
  const auto stable = world.factory.certificate_of(sequence_number{4}, named_digest("state"));
  std::vector<view_change> changes;
  for (const std::uint32_t replica : {0U, 1U, 2U})
    changes.push_back(world.factory.view_change_of(replica_id{replica}, v1, stable, {}));
  (void)world.hear(1, world.factory.new_view_of(v1, std::move(changes)));
  CHECK(sent<prepare>(world.hear(1, world.proposal(v1, 4)).sends).empty());
  CHECK(sent<prepare>(world.hear(1, world.proposal(v1, 5)).sends).size() == 1);
}

TEST_CASE("the primary of the new view continues above max-s") {
  paper_world world{1};
  world.prepare_here(2);
  const auto own = world.core.on_change_view(v1).view_left;
  REQUIRE(own != nullptr);
  const auto opened = world.factory.new_view_of(v1, {*own, world.factory.view_change_of(replica_id{2}, v1, nullptr, {}),
                                                     world.factory.view_change_of(replica_id{3}, v1, nullptr, {})});
  const auto effects = world.core.on_new_view_built(planned(world.factory, opened));
  CHECK(sent<new_view>(effects.sends).size() == 1);
  CHECK(sent<prepare>(effects.sends).empty());
  const auto proposals = sent<pre_prepare>(world.core.on_batch(v1, world.factory.batch_number(9)).sends);
  REQUIRE(proposals.size() == 1);
  CHECK(proposals[0].header.content.sequence == n3);
}

TEST_CASE("the NEW-VIEW goes before all that its primary says in the view") {
  paper_world world{1};
  (void)world.core.on_moves({sequence_number{8}, {}, {}}, {}, {});
  const auto own = world.core.on_change_view(v1).view_left;
  REQUIRE(own != nullptr);
  const auto opened = world.factory.new_view_of(v1, {*own, world.factory.view_change_of(replica_id{2}, v1, nullptr, {}),
                                                     world.factory.view_change_of(replica_id{3}, v1, nullptr, {})});
  const auto effects = world.core.on_new_view_built(planned(world.factory, opened));
  REQUIRE(sent<pre_prepare>(effects.sends).size() > 0);
  CHECK(sent<new_view>({effects.sends.front()}).size() == 1);
}
