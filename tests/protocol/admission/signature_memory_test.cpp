#include "actors/protocol/admission/signature_memory.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto voter = principal::of(replica_id{2});

/// The memory of replica 1, and a vote of replica 2 with its signature.
struct memory_bench {
  request_factory make{small_cluster(4)};
  signature_memory tested{make.cluster(), make.keys_of(replica_id{1})};
  byte_vector vote = to_byte_vector("PREPARE of replica 2");
  signature by = make.keys_of(replica_id{2}).sign(vote);
};

}  // namespace

TEST_CASE_FIXTURE(memory_bench, "a signature of a replica is verified once") {
  CHECK(tested.verify(voter, vote, by));
  CHECK(tested.skipped() == 0);
  CHECK(tested.verify(voter, vote, by));
  CHECK(tested.skipped() == 1);
}

TEST_CASE_FIXTURE(memory_bench, "a signature is known only with the same bytes, signature and signer (attack 7)") {
  REQUIRE(tested.verify(voter, vote, by));
  for (std::size_t at = 0; at < signature::size; ++at) {
    auto flipped = by;
    flipped.bytes[at] ^= std::byte{1};
    CHECK_FALSE(tested.verify(voter, vote, flipped));
  }
  for (std::size_t at = 0; at < vote.size(); ++at) {
    auto other = vote;
    other[at] ^= std::byte{0x80};
    CHECK_FALSE(tested.verify(voter, other, by));
  }
  auto longer = vote;
  longer.push_back(std::byte{0});
  CHECK_FALSE(tested.verify(voter, longer, by));
  CHECK_FALSE(tested.verify(voter, {vote.data(), vote.size() - 1}, by));
  CHECK_FALSE(tested.verify(principal::of(replica_id{3}), vote, by));
  CHECK_FALSE(tested.verify(principal::of(client_id{2}), vote, by));
  CHECK(tested.skipped() == 0);
  CHECK(tested.verify(voter, vote, by));
}

TEST_CASE_FIXTURE(memory_bench, "a signature that failed is verified again") {
  auto forged = by;
  forged.bytes[0] ^= std::byte{1};
  CHECK_FALSE(tested.verify(voter, vote, forged));
  CHECK_FALSE(tested.verify(voter, vote, forged));
  CHECK(tested.skipped() == 0);
}

TEST_CASE_FIXTURE(memory_bench, "signatures of clients are not remembered") {
  const auto asked = principal::of(client_id{0});
  const auto signed_by = make.keys_of(client_id{0}).sign(vote);
  CHECK(tested.verify(asked, vote, signed_by));
  CHECK(tested.verify(asked, vote, signed_by));
  CHECK(tested.skipped() == 0);
}

TEST_CASE_FIXTURE(memory_bench, "a flood of votes costs places and no answer") {
  REQUIRE(tested.verify(voter, vote, by));
  std::vector<std::pair<byte_vector, signature>> flood;
  for (std::size_t each = 0; each < 2 * tested.places(); ++each) {
    auto content = to_byte_vector("vote " + std::to_string(each));
    const auto its = make.keys_of(replica_id{2}).sign(content);
    flood.emplace_back(std::move(content), its);
  }
  for (const auto& [content, its] : flood)
    REQUIRE(tested.verify(voter, content, its));
  for (const auto& [content, its] : flood)
    REQUIRE(tested.verify(voter, content, its));
  CHECK(tested.skipped() > 0);
  CHECK(tested.skipped() <= tested.places());
  CHECK(tested.verify(voter, vote, by));
}

TEST_CASE("the places of the memory are bounded for the largest group") {
  auto cluster = small_cluster(4);
  cluster.replicas = limits::replicas_max;
  cluster.watermark_window = limits::watermark_window_max;
  const request_factory make{small_cluster(4)};
  CHECK(signature_memory{cluster, make.keys_of(replica_id{0})}.places() == signature_memory::places_max);
}
