#include <doctest/doctest.h>

#include "actors/protocol/execution/checkpoint_votes.hpp"
#include "actors/protocol/ordering/replica_core.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/effect_reader.hpp"

// Castro & Liskov, OSDI '99, §4.3 "Garbage Collection". Each test quotes the sentence that it tests. f = 1, K = 4, L =
// 8.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto d = named_digest("d");
constexpr sequence_number n{4};

struct section {
  request_factory factory{small_cluster(4)};
  checkpoint_votes votes{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};

  checkpoint_effects hear(std::uint32_t from, const digest& value) {
    return votes.on_vote(factory.checkpoint_of(replica_id{from}, n, value).vote);
  }
};

}  // namespace

// "they are generated periodically, when a request with a sequence number divisible by some constant (e.g., 100) is
// executed."
TEST_CASE("4.3: checkpoints stand at multiples of K, the watermarks with them") {
  core_cluster_options options;
  options.batching.requests_per_batch_max = 1;
  core_cluster cluster{options};
  for (int number = 0; number < 23; ++number)
    cluster.submit(client_id{0}, "op " + std::to_string(number));
  REQUIRE(cluster.settle(5'000));
  cluster.run(100);
  INFO(cluster.describe());
  CHECK_FALSE(cluster.violation());
  CHECK(cluster.checker().last_committed() == sequence_number{23});
  for (std::uint32_t number = 0; number < 4; ++number)
    CHECK(cluster.node(number).replica().marks().low() == sequence_number{20});
}

// "When a replica i produces a checkpoint, it multicasts a message ⟨CHECKPOINT, n, d, i⟩σi to the other replicas, where
// n is the sequence number of the last request whose execution is reflected in the state and d is the digest of the
// state."
TEST_CASE("4.3: the CHECKPOINT names n, d and i and goes to all others") {
  section here;
  const auto effects = here.votes.on_taken(n, d);
  REQUIRE(effects.sends.size() == 1);
  CHECK_FALSE(effects.sends[0].to);
  const auto content = sent<checkpoint>(effects.sends).at(0).vote.content;
  CHECK(content.sequence == n);
  CHECK(content.value == d);
  CHECK(content.replica == replica_id{1});
}

// "Each replica collects checkpoint messages in its log until it has 2f + 1 of them for sequence number n with the
// same digest d signed by different replicas".
TEST_CASE("4.3: 2f + 1 CHECKPOINTs with the same digest of different replicas make a checkpoint stable") {
  section here;
  CHECK(here.votes.on_taken(n, d).stable == nullptr);
  CHECK(here.hear(2, d).stable == nullptr);
  CHECK(here.hear(2, d).stable == nullptr);
  CHECK(here.hear(3, named_digest("another d")).stable == nullptr);
  CHECK(here.hear(0, d).stable != nullptr);
}

// "These 2f + 1 messages are the proof of correctness for the checkpoint."
TEST_CASE("4.3: the proof convinces a replica that saw none of the messages") {
  section here;
  (void)here.votes.on_taken(n, d);
  (void)here.hear(2, d);
  const auto proof = here.hear(0, d).stable;
  REQUIRE(proof != nullptr);
  const validator elsewhere{here.factory.cluster(), here.factory.keys_of(replica_id{3})};
  CHECK(elsewhere.proves_checkpoint(*proof));
  checkpoint_votes stranger{here.factory.cluster(), replica_id{3}, here.factory.keys_of(replica_id{3})};
  CHECK(stranger.on_proof(proof).stable == proof);
}

// "A checkpoint with a proof becomes stable and the replica discards all pre-prepare, prepare, and commit messages
// with sequence number less than or equal to n from its log; it also discards all earlier checkpoints and checkpoint
// messages."
TEST_CASE("4.3: a stable checkpoint empties the log up to n and the earlier checkpoint messages") {
  section here;
  replica_core core{here.factory.cluster(), replica_id{1}, here.factory.keys_of(replica_id{1})};
  for (std::uint64_t number = 1; number <= 5; ++number) {
    const auto proposal =
        here.factory.pre_prepare_of(view_number{0}, sequence_number{number}, here.factory.batch_number(number));
    (void)core.on_message(principal::of(replica_id{0}), proposal);
    (void)core.on_message(principal::of(replica_id{2}), here.factory.prepare_of(replica_id{2}, proposal));
    for (const std::uint32_t from : {0U, 2U})
      (void)core.on_message(principal::of(replica_id{from}), here.factory.commit_of(replica_id{from}, proposal));
  }
  REQUIRE(core.last_executed() == sequence_number{5});
  (void)core.on_taken(n);
  const auto effects = core.on_stable(here.factory.certificate_of(n, d));
  CHECK(effects.forget_through == n);
  const auto asked = here.factory.status_of(replica_id{3}, view_number{0}, {}, {});
  for (const auto& each : sent<commit>(core.on_message(principal::of(replica_id{3}), asked).sends))
    CHECK(each.vote.content.sequence > n);
  (void)here.votes.on_taken(n, d);
  (void)here.votes.on_proof(here.factory.certificate_of(sequence_number{8}, d));
  CHECK(here.votes.on_tick().sends.empty());
}

// "The checkpoint protocol is used to advance the low and high water marks (which limit what messages will be
// accepted). The low-water mark h is equal to the sequence number of the last stable checkpoint. The high water mark
// H = h + k".
TEST_CASE("4.3: h is the last stable checkpoint and H = h + L") {
  section here;
  replica_core core{here.factory.cluster(), replica_id{1}, here.factory.keys_of(replica_id{1})};
  CHECK(core.marks().low() == sequence_number{0});
  CHECK(core.marks().high() == sequence_number{8});
  (void)core.on_stable(here.factory.certificate_of(n, d));
  (void)core.on_installed(n, here.factory.certificate_of(n, d));
  CHECK(core.marks().low() == n);
  CHECK(core.marks().high() == sequence_number{12});
}

// "k is big enough so that replicas do not stall waiting for a checkpoint to become stable."
TEST_CASE("4.3: without stable checkpoints the order stops at H and goes on when they arrive") {
  core_cluster_options options;
  options.batching.requests_per_batch_max = 1;
  options.batching.pipeline_depth = 100;
  core_cluster cluster{options};
  bool losing = true;
  for (std::uint32_t number = 0; number < 4; ++number) {
    cluster.filter(replica_id{number}, [&losing](principal, const frame_ptr& frame) {
      const auto kind = kind_of(byte_span{*frame});
      const bool about_state = kind == message_kind::checkpoint || kind == message_kind::checkpoint_proof;
      return losing && about_state ? std::vector<frame_ptr>{} : std::vector{frame};
    });
  }
  for (int number = 0; number < 14; ++number)
    cluster.submit(client_id{0}, "op " + std::to_string(number));
  cluster.run(500);
  CHECK(cluster.checker().last_committed() == sequence_number{8});
  losing = false;
  const bool settled = cluster.settle(2'000);
  INFO(cluster.describe());
  CHECK(settled);
  CHECK(cluster.checker().last_committed() == sequence_number{14});
}
