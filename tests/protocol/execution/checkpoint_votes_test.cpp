#include <doctest/doctest.h>

#include "actors/protocol/execution/checkpoint_votes.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto root = named_digest("state 4");
const auto other_root = named_digest("another state 4");
constexpr sequence_number four{4};
constexpr sequence_number eight{8};

/// The votes of replica 1 of `replicas`, with a window of 8 and a period of 4.
struct votes_world {
  request_factory factory;
  checkpoint_votes votes;

  explicit votes_world(std::uint32_t replicas = 4)
      : factory(small_cluster(replicas)), votes(factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})) {}

  checkpoint_effects hear(std::uint32_t from, sequence_number sequence, const digest& value) {
    return votes.on_vote(factory.checkpoint_of(replica_id{from}, sequence, value).vote);
  }
};

}  // namespace

TEST_CASE("a snapshot is announced by one signed CHECKPOINT, recorded before it is sent") {
  votes_world world;
  const auto effects = world.votes.on_taken(four, root);
  const auto announced = sent<checkpoint>(effects.sends);
  REQUIRE(announced.size() == 1);
  CHECK(announced[0].vote == world.factory.checkpoint_of(replica_id{1}, four, root).vote);
  REQUIRE(effects.records.size() == 1);
  CHECK(effects.records[0].kind == record_kind::checkpoint);
  CHECK(effects.stable == nullptr);
}

TEST_CASE("a checkpoint is stable with a quorum of equal votes of distinct replicas and no sooner") {
  for (const std::uint32_t replicas : {4U, 5U, 6U, 7U, 10U}) {
    votes_world world{replicas};
    const auto quorum = world.factory.cluster().group().quorum();
    CHECK(world.votes.on_taken(four, root).stable == nullptr);
    std::shared_ptr<const checkpoint_certificate> stable;
    for (std::uint32_t from = 2; from <= quorum; ++from) {
      CHECK(stable == nullptr);
      stable = world.hear(from, four, root).stable;
    }
    REQUIRE(stable != nullptr);
    CHECK(stable->votes.size() == quorum);
    CHECK(stable->sequence() == four);
    CHECK(world.votes.stable() == four);
  }
}

TEST_CASE("one replica's CHECKPOINT counts once, however often it comes") {
  votes_world world;
  CHECK(world.hear(2, four, root).observations.empty());
  for (int round = 0; round < 5; ++round) {
    const auto again = world.hear(2, four, root);
    CHECK(rejections_in(again.observations) == std::vector{rejection::duplicate});
    CHECK(again.stable == nullptr);
  }
}

TEST_CASE("votes for different states never make one certificate") {
  votes_world world;
  CHECK(world.hear(0, four, root).stable == nullptr);
  CHECK(world.hear(2, four, other_root).stable == nullptr);
  CHECK(world.hear(3, four, root).stable == nullptr);
  const auto effects = world.votes.on_taken(four, root);
  REQUIRE(effects.stable != nullptr);
  for (const auto& vote : effects.stable->votes)
    CHECK(vote.content.value == root);
}

TEST_CASE("a replica with conflicting CHECKPOINTs counts for the first one only") {
  votes_world world;
  CHECK(world.hear(2, four, other_root).observations.empty());
  const auto second = world.hear(2, four, root);
  CHECK(rejections_in(second.observations) == std::vector{rejection::conflicting_statement});
  CHECK(world.votes.on_taken(four, root).stable == nullptr);
  CHECK(world.hear(3, four, root).stable == nullptr);
}

TEST_CASE("CHECKPOINTs at and below the stable one, and beyond two windows, are refused (attack 28)") {
  votes_world world;
  (void)world.votes.on_proof(world.factory.certificate_of(four, root));
  CHECK(rejections_in(world.hear(3, four, root).observations) == std::vector{rejection::already_decided});
  CHECK(rejections_in(world.hear(2, sequence_number{20}, root).observations).empty());
  for (const std::uint64_t n : {24ULL, 1ULL << 40U}) {
    CHECK(rejections_in(world.hear(2, sequence_number{n}, root).observations) ==
          std::vector{rejection::outside_watermarks});
  }
}

TEST_CASE("a twin's CHECKPOINT under the own key is refused") {
  votes_world world;
  CHECK(rejections_in(world.hear(1, four, root).observations) == std::vector{rejection::unsolicited});
  CHECK(sent<checkpoint>(world.votes.on_taken(four, root).sends).size() == 1);
}

TEST_CASE("a quorum for another state, without this replica, disproves the own root") {
  votes_world world;
  CHECK_FALSE(world.votes.on_taken(four, other_root).disproven);
  CHECK_FALSE(world.hear(0, four, root).disproven);
  CHECK_FALSE(world.hear(2, four, root).disproven);
  const auto effects = world.hear(3, four, root);
  CHECK(effects.disproven == four);
  CHECK(world.votes.stable() == four);
}

TEST_CASE("a snapshot that is taken after its proof is compared with the proof") {
  votes_world right;
  (void)right.votes.on_proof(right.factory.certificate_of(four, root, {0, 2, 3}));
  const auto same = right.votes.on_taken(four, root);
  CHECK_FALSE(same.disproven);
  CHECK(same.keeps_taken);
  CHECK(same.sends.empty());
  votes_world wrong;
  (void)wrong.votes.on_proof(wrong.factory.certificate_of(four, root, {0, 2, 3}));
  const auto other = wrong.votes.on_taken(four, other_root);
  CHECK(other.disproven == four);
  // The wrong state must neither reach the disk nor move h (attack 15).
  CHECK_FALSE(other.keeps_taken);
}

TEST_CASE("a replica with a disproven root does not vote, resend or store") {
  votes_world world;
  (void)world.votes.on_taken(four, other_root);
  (void)world.votes.on_taken(eight, named_digest("what follows from it"));
  const auto found = world.votes.on_proof(world.factory.certificate_of(four, root, {0, 2, 3}));
  REQUIRE(found.disproven == four);
  CHECK(world.votes.on_tick().sends.empty());
  const auto later = world.votes.on_taken(sequence_number{12}, named_digest("and more"));
  CHECK(later.sends.empty());
  CHECK(later.records.empty());
  CHECK_FALSE(later.keeps_taken);
}

TEST_CASE("a newer proof is adopted and an older or equal one changes nothing") {
  votes_world world;
  const auto proof = world.factory.certificate_of(eight, root);
  const auto adopted = world.votes.on_proof(proof);
  CHECK(adopted.stable == proof);
  CHECK(world.votes.stable() == eight);
  CHECK(world.votes.on_proof(proof).stable == nullptr);
  CHECK(world.votes.on_proof(world.factory.certificate_of(four, root)).stable == nullptr);
  CHECK(world.votes.stable() == eight);
}

TEST_CASE("a state below the stable checkpoint is not announced") {
  votes_world world;
  (void)world.votes.on_proof(world.factory.certificate_of(eight, root));
  const auto effects = world.votes.on_taken(four, root);
  CHECK(effects.sends.empty());
  CHECK(effects.records.empty());
  CHECK_FALSE(effects.keeps_taken);
}

TEST_CASE("a snapshot may go to disk while no certificate contradicts it, with or without a vote") {
  votes_world world;
  CHECK(world.votes.on_taken(four, root).keeps_taken);
  world.votes.abstain();
  CHECK(world.votes.on_taken(eight, root).keeps_taken);
}

TEST_CASE("a tick sends the own CHECKPOINTs again until they are stable") {
  votes_world world;
  (void)world.votes.on_taken(four, root);
  (void)world.votes.on_taken(eight, root);
  (void)world.hear(2, sequence_number{12}, root);
  CHECK(sent<checkpoint>(world.votes.on_tick().sends).size() == 2);
  CHECK(world.votes.on_tick().records.empty());
  (void)world.votes.on_proof(world.factory.certificate_of(four, root));
  const auto left = sent<checkpoint>(world.votes.on_tick().sends);
  REQUIRE(left.size() == 1);
  CHECK(left[0].vote.content.sequence == eight);
  (void)world.votes.on_proof(world.factory.certificate_of(eight, root));
  CHECK(world.votes.on_tick().sends.empty());
}

TEST_CASE("a stable checkpoint is reported once") {
  votes_world world;
  (void)world.hear(0, four, root);
  (void)world.hear(2, four, root);
  CHECK(world.hear(3, four, root).stable != nullptr);
  const auto own = world.votes.on_taken(four, root);
  CHECK(own.stable == nullptr);
  CHECK(observed_in<checkpoint_became_stable>(own.observations).empty());
}

// --- Attack 27: the own state is not the certified one ---------------------------

namespace {

/// Replica 1 has announced wrong roots for 4 and 8, and learns of the certificate for 4.
struct diverged_world : votes_world {
  std::shared_ptr<const checkpoint_certificate> proof = factory.certificate_of(four, root, {0, 2, 3});
  checkpoint_effects found;

  diverged_world() {
    (void)votes.on_taken(four, other_root);
    (void)votes.on_taken(eight, named_digest("what follows from it"));
    found = votes.on_proof(proof);
  }
};

}  // namespace

TEST_CASE("a diverged replica requests the certified state, again with each tick, and the newest one") {
  diverged_world world;
  CHECK(world.found.disproven == four);
  CHECK(world.found.fetch == world.proof);
  CHECK(world.votes.on_tick().fetch == world.proof);
  const auto newer = world.factory.certificate_of(eight, named_digest("state 8"), {0, 2, 3});
  const auto effects = world.votes.on_proof(newer);
  CHECK(effects.fetch == newer);
  CHECK_FALSE(effects.disproven);
  CHECK(world.votes.on_tick().fetch == newer);
}

TEST_CASE("a certificate that contradicts the own root is reported once the certified state is installed (attack 15)") {
  diverged_world world;
  CHECK(world.found.stable == nullptr);
  const auto newer = world.factory.certificate_of(eight, named_digest("state 8"), {0, 2, 3});
  CHECK(world.votes.on_proof(newer).stable == nullptr);
  CHECK(world.votes.on_installed(four, root).stable == newer);
  // The newer certificate is passed on only once.
  CHECK(world.votes.on_installed(eight, named_digest("state 8")).stable == nullptr);
}

TEST_CASE("a replica votes again with the certified state installed, but not where it has voted") {
  diverged_world world;
  (void)world.votes.on_installed(four, root);
  CHECK(world.votes.on_tick().fetch == nullptr);
  // The vote for 8 was wrong, but a second vote would count as equivocation (attack 28).
  CHECK(world.votes.on_tick().sends.empty());
  const auto eighth = world.votes.on_taken(eight, named_digest("state 8"));
  CHECK(eighth.sends.empty());
  CHECK(eighth.records.empty());
  const auto twelfth = world.votes.on_taken(sequence_number{12}, named_digest("state 12"));
  CHECK(sent<checkpoint>(twelfth.sends).size() == 1);
  const auto again = sent<checkpoint>(world.votes.on_tick().sends);
  REQUIRE(again.size() == 1);
  CHECK(again[0].vote.content.sequence == sequence_number{12});
}

TEST_CASE("a repaired replica notices when it diverges again") {
  diverged_world world;
  (void)world.votes.on_installed(four, root);
  (void)world.votes.on_taken(eight, named_digest("wrong again"));
  const auto proof = world.factory.certificate_of(eight, named_digest("state 8"), {0, 2, 3});
  const auto found = world.votes.on_proof(proof);
  CHECK(found.disproven == eight);
  CHECK(found.fetch == proof);
}

TEST_CASE("an installed state gets no own vote, because it is stable already") {
  votes_world world;
  (void)world.votes.on_proof(world.factory.certificate_of(eight, root));
  (void)world.votes.on_installed(eight, root);
  CHECK(world.votes.on_tick().sends.empty());
  CHECK(sent<checkpoint>(world.votes.on_taken(sequence_number{12}, root).sends).size() == 1);
}

// --- After a restart -------------------------------------------------------------

TEST_CASE("a restart does not vote again for the same state, but resends the old vote") {
  votes_world world;
  const auto before = world.factory.checkpoint_of(replica_id{1}, eight, root).vote;
  world.votes.restore(world.factory.certificate_of(four, root), {before});
  const auto effects = world.votes.on_taken(eight, root);
  CHECK(effects.records.empty());
  CHECK_FALSE(effects.disproven);
  const auto again = sent<checkpoint>(world.votes.on_tick().sends);
  REQUIRE(again.size() == 1);
  CHECK(again[0].vote == before);
}

TEST_CASE("a replay that ends in another state than the signed one is a divergence") {
  votes_world world;
  world.votes.restore(world.factory.certificate_of(four, root),
                      {world.factory.checkpoint_of(replica_id{1}, eight, root).vote});
  const auto effects = world.votes.on_taken(eight, other_root);
  CHECK(effects.disproven == eight);
  CHECK(effects.sends.empty());
  CHECK(effects.records.empty());
}

TEST_CASE("a replica that lost its disk votes for no checkpoint up to the sequences where it may have voted") {
  votes_world world;
  world.votes.abstain();
  CHECK(world.votes.on_taken(four, root).sends.empty());
  world.votes.on_voting_allowed(eight);
  CHECK(world.votes.on_taken(eight, root).sends.empty());
  CHECK(sent<checkpoint>(world.votes.on_taken(sequence_number{12}, root).sends).size() == 1);
  // A state that the replica took without voting is still compared with the certificate of the others.
  CHECK(world.votes.on_proof(world.factory.certificate_of(eight, other_root, {0, 2, 3})).disproven == eight);
}

TEST_CASE("a false CHECKPOINT of replica 0 hides no quorum behind it (attack 12)") {
  votes_world world;
  (void)world.votes.on_taken(four, root);
  CHECK(world.hear(0, four, other_root).stable == nullptr);
  CHECK(world.hear(2, four, root).stable == nullptr);
  CHECK(world.hear(3, four, root).stable != nullptr);
}
