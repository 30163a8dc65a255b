#include <doctest/doctest.h>

#include "actors/protocol/reputation/reputation_ledger.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

// f colluding replicas have all messages that correct replicas ever signed. They cannot lower the standing of a correct
// replica (attack 39, I14). The tests also show what they cannot do for themselves.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::uint32_t replicas = 7;
constexpr std::uint32_t first_faulty = 5;
constexpr std::uint64_t views = 3;
constexpr std::uint64_t sequences = 8;

bool is_honest(principal who) { return who.is_replica() && who.number < first_faulty; }

/// Every statement that was ever signed, and many false statements.
struct conspiracy {
  request_factory factory{small_cluster(replicas)};
  validator checks{factory.cluster(), factory.keys_of(replica_id{0})};
  reputation_ledger ledger{factory.cluster()};
  sample_source random;
  std::vector<evidence_item> known;

  explicit conspiracy(std::uint64_t seed) : random(seed) {
    for (std::uint32_t number = 0; number < first_faulty; ++number)
      testify_honestly(replica_id{number});
    for (std::uint32_t count = 0; count < 200; ++count)
      testify_falsely();
  }

  [[nodiscard]] digest some_digest() { return named_digest(std::string{"AB"}.substr(random.below(2), 1)); }

  [[nodiscard]] replica_id anybody() { return replica_id{static_cast<std::uint32_t>(random.below(replicas))}; }

  /// Signs one digest for each (v, n), as §4.2 requires. A faulty primary may have chosen this digest for this replica
  /// alone.
  void testify_honestly(replica_id by) {
    for (std::uint64_t view = 0; view < views; ++view) {
      for (std::uint64_t sequence = 1; sequence <= sequences; ++sequence) {
        const auto content = factory.content_of(by, view_number{view}, sequence_number{sequence}, some_digest());
        const bool leads = factory.cluster().group().primary_of(view_number{view}) == by;
        for (const auto kind : {leads ? message_kind::pre_prepare : message_kind::prepare, message_kind::commit})
          known.push_back({kind, factory.signed_as(kind, content)});
      }
    }
    for (std::uint64_t sequence = 4; sequence <= sequences; sequence += 4) {
      const auto content = factory.content_of(by, view_number{0}, sequence_number{sequence}, named_digest("state"));
      known.push_back({message_kind::checkpoint, factory.signed_as(message_kind::checkpoint, content)});
    }
  }
  /// Signs any statement in any replica's name, with a key of a faulty replica.
  void testify_falsely() {
    static constexpr std::array kinds = {message_kind::pre_prepare, message_kind::prepare,   message_kind::commit,
                                         message_kind::checkpoint,  message_kind::complaint, message_kind::release};
    const auto kind = kinds.at(random.below(kinds.size()));
    const auto signer = replica_id{first_faulty + static_cast<std::uint32_t>(random.below(2))};
    auto about = factory.content_of(random.below(2) == 0 ? signer : anybody(), view_number{random.below(views)},
                                    sequence_number{1 + random.below(sequences)}, some_digest());
    if (kind == message_kind::complaint) {
      about = complaint_of(about.replica, anybody(), complaint_reason::garbage, sequence_number{4},
                           factory.cluster().signing.epoch);
    }
    known.push_back({kind, factory.signed_by(factory.keys_of(signer), kind, about)});
  }
  /// Makes evidence of up to three statements in any combination, sometimes with a changed kind or signature.
  [[nodiscard]] evidence accuse() {
    evidence shown;
    const auto count = 1 + random.below(3);
    for (std::uint64_t index = 0; index < count; ++index)
      shown.items.push_back(known.at(random.below(known.size())));
    auto& last = shown.items.back();
    if (random.below(4) == 0) last.kind = known.at(random.below(known.size())).kind;
    if (random.below(4) == 0) {
      std::get<signed_statement>(last.content).by =
          std::get<signed_statement>(known.at(random.below(known.size())).content).by;
    }
    return shown;
  }
};

}  // namespace

TEST_CASE("f colluding replicas cannot lower an honest replica's score, whatever they submit (attack 39)") {
  std::size_t convicted = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    conspiracy world{seed};
    for (std::uint64_t sequence = 1; sequence <= 1'500; ++sequence) {
      const auto shown = world.accuse();
      // Evidence that proves nothing is never ordered, because a batch that contains it gets no vote.
      if (!world.checks.proves(shown)) continue;
      const auto about = *claim_in(shown, world.factory.cluster());
      REQUIRE(std::holds_alternative<misbehaviour>(about));
      REQUIRE_FALSE(is_honest(std::get<misbehaviour>(about).accused));
      if (world.ledger.apply(about, sequence_number{1})) ++convicted;
    }
    for (std::uint32_t number = 0; number < first_faulty; ++number)
      REQUIRE(world.ledger.replicas()[number] == replica_standing{});
  }
  // The colluding replicas convicted themselves, so the statements above were effective.
  CHECK(convicted > 20);
}

TEST_CASE("complaints of all f colluding replicas are one too few, and with one honest replica they cost little") {
  request_factory factory{small_cluster(replicas)};
  const validator checks{factory.cluster(), factory.keys_of(replica_id{0})};
  const auto complain = [&](std::initializer_list<std::uint32_t> voters) {
    evidence shown;
    for (const auto voter : voters) {
      const auto content = complaint_of(replica_id{voter}, replica_id{1}, complaint_reason::flood, sequence_number{4},
                                        factory.cluster().signing.epoch);
      shown.items.push_back({message_kind::complaint, factory.signed_as(message_kind::complaint, content)});
    }
    return shown;
  };
  CHECK_FALSE(checks.proves(complain({5, 6})));
  CHECK_FALSE(checks.proves(complain({5, 6, 5})));
  const auto enough = complain({5, 6, 2});
  REQUIRE(checks.proves(enough));
  reputation_ledger ledger{factory.cluster()};
  const auto about = *claim_in(enough, factory.cluster());
  CHECK(ledger.apply(about, sequence_number{1}));
  // The same complaint has no second effect.
  CHECK_FALSE(ledger.apply(about, sequence_number{2}));
  const auto& standing = ledger.replicas()[1];
  CHECK(standing.score == reputation_ledger::score_max - reputation_ledger::complaint_cost);
  CHECK_FALSE(standing.is_quarantined());
}

TEST_CASE("f colluding replicas cannot release one of them, nor recover a score faster than others") {
  request_factory factory{small_cluster(replicas)};
  const validator checks{factory.cluster(), factory.keys_of(replica_id{0})};
  reputation_ledger ledger{factory.cluster()};
  const misbehaviour deed{principal::of(replica_id{6}), misbehaviour_kind::conflicting_votes, view_number{0},
                          sequence_number{1}};
  REQUIRE(ledger.apply(deed, sequence_number{1}));
  evidence releases;
  for (const std::uint32_t voter : {5U, 6U}) {
    const auto epoch = factory.cluster().signing.epoch;
    const auto content = release_of(replica_id{voter}, replica_id{6}, sequence_number{1}, epoch);
    releases.items.push_back({message_kind::release, factory.signed_as(message_kind::release, content)});
  }
  CHECK_FALSE(checks.proves(releases));
  const auto until = ledger.replicas()[6].quarantined_until.value;
  for (std::uint64_t sequence = 2; sequence < until; ++sequence) {
    ledger.end_of(sequence_number{sequence});
    REQUIRE(ledger.replicas()[6].score == 0);
  }
  ledger.end_of(sequence_number{until});
  CHECK(ledger.replicas()[6].score <= reputation_ledger::released_score + reputation_ledger::recovery);
}
