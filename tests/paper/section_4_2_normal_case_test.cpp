#include <doctest/doctest.h>

#include <set>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

// Castro & Liskov, OSDI '99, §4.2 "Normal-Case Operation". Each test quotes the sentence that it tests. f = 1.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Replica `self` of four replicas.
struct section {
  request_factory factory{small_cluster(4)};
  replica_core core;
  validator checks;

  explicit section(std::uint32_t self)
      : core(factory.cluster(), replica_id{self}, factory.keys_of(replica_id{self})),
        checks(factory.cluster(), factory.keys_of(replica_id{self})) {}

  [[nodiscard]] pre_prepare proposal(std::uint64_t view, std::uint64_t n, std::uint64_t content) const {
    return factory.pre_prepare_of(view_number{view}, sequence_number{n}, factory.batch_number(content));
  }
  replica_effects hear(std::uint32_t from, const message& value) {
    return core.on_message(principal::of(replica_id{from}), value);
  }
  /// Whether the replica sends a PREPARE for the proposal. The ingress and the core decide this together.
  bool accepts(const pre_prepare& proposal) {
    if (checks.check(principal::of(replica_id{0}), proposal)) return false;
    return !sent<prepare>(hear(0, proposal).sends).empty();
  }
};

}  // namespace

// "the primary assigns a sequence number, n, to the request, multicasts a pre-prepare message with m piggybacked to
// all the backups, and appends the message to its log."
TEST_CASE("4.2: the primary numbers its batches 1, 2, 3 … and multicasts each with its body") {
  section primary{0};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    const auto effects = primary.core.on_batch(view_number{0}, primary.factory.batch_number(n));
    REQUIRE(effects.sends.size() == 1);
    CHECK_FALSE(effects.sends[0].to);
    const auto proposal = sent<pre_prepare>(effects.sends).at(0);
    CHECK(proposal.header.content.sequence == sequence_number{n});
    CHECK(proposal.body->requests.size() == 1);
    REQUIRE(effects.records.size() == 1);
    CHECK(effects.records[0].kind == record_kind::pre_prepare);
  }
}

// "the signatures in the request and the pre-prepare message are correct and d is the digest for m"
TEST_CASE("4.2: a backup accepts no proposal with a wrong signature or digest") {
  section backup{1};
  auto wrong_signature = backup.proposal(0, 1, 1);
  wrong_signature.header.by.bytes[0] ^= std::byte{1};
  CHECK_FALSE(backup.accepts(wrong_signature));
  auto wrong_digest = backup.proposal(0, 1, 1);
  wrong_digest.body = backup.factory.batch_number(2);
  CHECK_FALSE(backup.accepts(wrong_digest));
  const auto forged =
      backup.factory.request_signed_by(backup.factory.keys_of(client_id{1}), client_id{0}, timestamp{1}, "o");
  CHECK_FALSE(backup.accepts(
      backup.factory.pre_prepare_of(view_number{0}, sequence_number{1}, request_factory::batch_of({forged}))));
  CHECK(backup.accepts(backup.proposal(0, 1, 1)));
}

// "it is in view v"
TEST_CASE("4.2: a backup accepts no proposal of another view") {
  section backup{1};
  CHECK_FALSE(backup.accepts(backup.proposal(4, 1, 1)));
  CHECK(backup.accepts(backup.proposal(0, 1, 1)));
}

// "it has not accepted a pre-prepare message for view v and sequence number n containing a different digest"
TEST_CASE("4.2: a backup accepts one digest for a view and sequence number") {
  section backup{1};
  CHECK(backup.accepts(backup.proposal(0, 1, 1)));
  CHECK_FALSE(backup.accepts(backup.proposal(0, 1, 2)));
  CHECK(backup.accepts(backup.proposal(0, 2, 2)));
}

// "the sequence number in the pre-prepare message is between a low water mark, h, and a high water mark, H."
TEST_CASE("4.2: a backup accepts no proposal outside of h and H") {
  section backup{1};
  CHECK_FALSE(backup.accepts(backup.proposal(0, 0, 1)));
  CHECK_FALSE(backup.accepts(backup.proposal(0, 9, 1)));
  CHECK(backup.accepts(backup.proposal(0, 8, 1)));
}

// "it enters the prepare phase by multicasting a ⟨PREPARE, v, n, d, i⟩σi message to all other replicas and adds both
// messages to its log."
TEST_CASE("4.2: the PREPARE is multicast and both messages are logged") {
  section backup{2};
  const auto effects = backup.hear(0, backup.proposal(0, 1, 1));
  REQUIRE(effects.sends.size() == 1);
  CHECK_FALSE(effects.sends[0].to);
  REQUIRE(effects.records.size() == 2);
  CHECK(effects.records[0].kind == record_kind::pre_prepare);
  CHECK(effects.records[1].kind == record_kind::prepare);
}

// "We define the predicate prepared(m, v, n, i) to be true if and only if replica i has inserted in its log: the
// request m, a pre-prepare for m in view v with sequence number n, and 2f prepares from different backups that match
// the pre-prepare."
TEST_CASE("4.2: without the pre-prepare, with 2f - 1 prepares, or with prepares that do not match, no COMMIT is sent") {
  section without{1};
  const auto proposal = without.proposal(0, 1, 1);
  for (const std::uint32_t from : {2U, 3U})
    CHECK(without.hear(from, without.factory.prepare_of(replica_id{from}, proposal)).sends.empty());
  section fewer{1};
  CHECK(sent<commit>(fewer.hear(0, proposal).sends).empty());
  section mismatch{1};
  CHECK(sent<commit>(mismatch.hear(0, proposal).sends).empty());
  const auto other = mismatch.factory.prepare_of(replica_id{2}, mismatch.proposal(0, 1, 2));
  CHECK(sent<commit>(mismatch.hear(2, other).sends).empty());
  CHECK(sent<commit>(mismatch.hear(3, mismatch.factory.prepare_of(replica_id{3}, proposal)).sends).size() == 1);
}

// "if prepared(m, v, n, i) is true then prepared(m', v, n, j) is false for any non-faulty replica j … and any m' such
// that D(m') ≠ D(m)."
TEST_CASE("4.2: however f faulty replicas split the others between two values, at most one is prepared") {
  // With n = 7, the primary proposes m to some correct backups and m' to the others, and replica 6 prepares both.
  constexpr std::uint32_t correct = 5;
  const request_factory factory{small_cluster(7)};
  const pre_prepare values[] = {factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(1)),
                                factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(2))};
  for (std::uint32_t split = 0; split < (1U << correct); ++split) {
    const auto value_of = [&](std::uint32_t backup) -> const pre_prepare& {
      return values[(split >> (backup - 1)) & 1U];
    };
    std::set<digest> prepared;
    for (std::uint32_t self = 1; self <= correct; ++self) {
      replica_core core{factory.cluster(), replica_id{self}, factory.keys_of(replica_id{self})};
      const auto hear = [&](std::uint32_t from, const message& value) {
        const auto effects = core.on_message(principal::of(replica_id{from}), value);
        for (const auto& each : sent<commit>(effects.sends))
          prepared.insert(each.vote.content.value);
      };
      hear(0, value_of(self));
      for (std::uint32_t other = 1; other <= correct; ++other) {
        if (other != self) hear(other, factory.prepare_of(replica_id{other}, value_of(other)));
      }
      hear(6, factory.prepare_of(replica_id{6}, value_of(self)));
    }
    CAPTURE(split);
    CHECK(prepared.size() <= 1);
  }
}

// "Replica i multicasts a ⟨COMMIT, v, n, D(m), i⟩σi to the other replicas when prepared(m, v, n, i) becomes true."
TEST_CASE("4.2: the COMMIT is multicast once, when the slot becomes prepared") {
  section backup{1};
  const auto proposal = backup.proposal(0, 1, 1);
  CHECK(sent<commit>(backup.hear(0, proposal).sends).empty());
  const auto effects = backup.hear(2, backup.factory.prepare_of(replica_id{2}, proposal));
  REQUIRE(sent<commit>(effects.sends).size() == 1);
  CHECK_FALSE(effects.sends.back().to);
  CHECK(sent<commit>(backup.hear(3, backup.factory.prepare_of(replica_id{3}, proposal)).sends).empty());
}

// "committed-local(m, v, n, i) is true if and only if prepared(m, v, n, i) is true and i has accepted 2f + 1 commits
// (possibly including its own) from different replicas that match the pre-prepare for m".
TEST_CASE("4.2: a batch is handed over with 2f + 1 matching commits, its own included, and not with 2f") {
  section backup{1};
  const auto proposal = backup.proposal(0, 1, 1);
  (void)backup.hear(0, proposal);
  (void)backup.hear(2, backup.factory.prepare_of(replica_id{2}, proposal));
  CHECK(backup.hear(0, backup.factory.commit_of(replica_id{0}, proposal)).committed.empty());
  CHECK(backup.hear(0, backup.factory.commit_of(replica_id{0}, proposal)).committed.empty());
  const auto other = backup.factory.commit_of(replica_id{2}, backup.proposal(0, 1, 2));
  CHECK(backup.hear(2, other).committed.empty());
  CHECK(backup.hear(3, backup.factory.commit_of(replica_id{3}, proposal)).committed.size() == 1);
}

// "Each replica i executes the operation requested by m after committed-local(m, v, n, i) is true and i's state
// reflects the sequential execution of all requests with lower sequence numbers."
TEST_CASE("4.2: what commits out of order is executed in order") {
  section backup{1};
  std::vector<sequence_number> executed;
  for (const std::uint64_t n : {3U, 1U, 2U}) {
    const auto proposal = backup.proposal(0, n, n);
    (void)backup.hear(0, proposal);
    (void)backup.hear(2, backup.factory.prepare_of(replica_id{2}, proposal));
    (void)backup.hear(0, backup.factory.commit_of(replica_id{0}, proposal));
    for (const auto& each : backup.hear(2, backup.factory.commit_of(replica_id{2}, proposal)).committed) {
      executed.push_back(each.sequence);
    }
  }
  CHECK(executed == std::vector{sequence_number{1}, sequence_number{2}, sequence_number{3}});
}
