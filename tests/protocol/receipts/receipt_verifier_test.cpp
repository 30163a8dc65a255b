#include <doctest/doctest.h>

#include "tests/protocol/receipts/receipt_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::string verdict(const receipt_world& world, const receipt& value) {
  const auto strength = world.verify(value);
  return strength ? std::string{to_string(*strength)} : "refused: " + strength.error();
}

}  // namespace

TEST_CASE("f signatures prove nothing, f + 1 prove the operation, and a quorum names culprits, for every n") {
  for (std::uint32_t replicas = 4; replicas <= 31; ++replicas) {
    receipt_world world{replicas};
    world.execute(3);
    const auto group = world.group();
    for (std::uint32_t count = 0; count <= replicas; ++count) {
      INFO("n = ", replicas, ", signers = ", count);
      const auto first = static_cast<std::uint32_t>(world.below(replicas - count + 1));
      auto value = world.receipt_for(1, 1, 0, receipt_world::range(0, 1));
      value = world.signed_again(std::move(value), receipt_world::range(first, count));
      const auto expected = count >= group.quorum()        ? "quorum"
                            : count >= group.weak_quorum() ? "sufficient"
                                                           : "insufficient";
      CHECK(verdict(world, value) == expected);
    }
  }
}

TEST_CASE("every operation of every batch has a receipt, for random batches") {
  receipt_world world{4};
  for (std::size_t count : {1U, 2U, 3U, 7U, 8U, 9U, 33U, 100U}) {
    world.execute(count);
    const auto& requests = world.executed.back()->requests;
    for (std::size_t number = 0; number < count; ++number) {
      for (std::uint32_t index = 0; index < requests[number].operation_count(); ++index)
        REQUIRE(verdict(world, world.receipt_for(world.executed.size(), number, index, {1, 2, 3})) == "quorum");
    }
  }
}

TEST_CASE("a receipt of another cluster, epoch or client is refused (attacks 2 and 44)") {
  receipt_world world{4};
  world.execute(2);
  const auto good = world.receipt_for(1, 1, 0, {0, 1, 3});
  REQUIRE(verdict(world, good) == "quorum");
  auto changed = good;
  changed.context.cluster.bytes[0] ^= std::byte{1};
  CHECK(verdict(world, changed) == "refused: the receipt is of another cluster");
  // The signatures are genuine for the other cluster, and still refused here.
  CHECK(verdict(world, world.signed_again(changed, {0, 1, 3})) == "refused: the receipt is of another cluster");
  changed = good;
  changed.context.epoch = epoch_number{7};
  CHECK(verdict(world, world.signed_again(changed, {0, 1, 3})) == "refused: the receipt is of another epoch");
  changed = good;
  changed.what.id.client = client_id{4};
  CHECK(verdict(world, world.signed_again(changed, {0, 1, 3})) ==
        "refused: the receipt names a client that is no member");
  changed = good;
  changed.place.sequence = sequence_number{0};
  CHECK(verdict(world, world.signed_again(changed, {0, 1, 3})) ==
        "refused: the receipt names an impossible sequence number");
}

TEST_CASE("a signer counts once, is a member, and signs for itself (attacks 1, 3 and 44)") {
  receipt_world world{4};
  world.execute(2);
  const auto good = world.receipt_for(1, 1, 0, {0, 1, 3});
  auto twice = good;
  twice.signatures[1] = twice.signatures[0];
  CHECK(verdict(world, twice) == "refused: a replica signed the receipt twice");
  auto unordered = good;
  std::swap(unordered.signatures[0], unordered.signatures[1]);
  CHECK(verdict(world, unordered) == "refused: a replica signed the receipt twice");
  auto foreign = good;
  foreign.signatures[2].replica = replica_id{4};
  CHECK(verdict(world, foreign) == "refused: the receipt is signed by replica 4, which is no member");
  auto borrowed = good;
  borrowed.signatures[2].replica = replica_id{2};
  CHECK(verdict(world, borrowed).starts_with("refused: the signature of replica 2 is not genuine"));
}

TEST_CASE("a signature for another kind of message is no signature for a receipt (attacks 2 and 44)") {
  receipt_world world{4};
  world.execute(2);
  auto value = world.receipt_for(1, 1, 0, {0, 1, 3});
  const auto root = receipt_value_of(value.what, value.place);
  for (const auto kind : {message_kind::checkpoint, message_kind::commit, message_kind::prepare}) {
    const auto content = receipt_statement(value.place.sequence, *root, replica_id{0}, value.context.epoch);
    value.signatures[0].by = world.factory.signed_as(kind, content).by;
    CHECK(verdict(world, value).starts_with("refused: the signature of replica 0 is not genuine"));
  }
}

TEST_CASE("an operation at another place of the trees is refused") {
  receipt_world world{4};
  world.execute(6);
  const auto good = world.receipt_for(1, 2, 0, {0, 1, 3});
  REQUIRE(verdict(world, good) == "quorum");
  for (std::uint32_t other : {0U, 1U, 3U, 4U, 5U, 6U, ~0U}) {
    auto moved = good;
    moved.place.request_index = other;
    CHECK(verdict(world, moved).starts_with("refused"));
  }
  for (std::uint32_t count : {0U, 1U, 5U, 7U, 1024U, 1025U, ~0U}) {
    auto resized = good;
    resized.place.request_count = count;
    CHECK(verdict(world, resized).starts_with("refused"));
  }
  auto shorter = good;
  shorter.place.request_path.pop_back();
  CHECK(verdict(world, shorter) == "refused: the paths of the receipt do not fit its numbers");
  auto longer = good;
  longer.place.operation_path.push_back(digest{});
  CHECK(verdict(world, longer) == "refused: the paths of the receipt do not fit its numbers");
}
