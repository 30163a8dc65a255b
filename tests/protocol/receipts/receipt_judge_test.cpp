#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "actors/protocol/receipts/receipt_judge.hpp"
#include "tests/protocol/receipts/receipt_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A cluster of which any number of replicas collude. The correct replicas sign only what they executed.
struct colluding_world : receipt_world {
  colluding_world(std::uint32_t replicas, std::uint64_t seed) : receipt_world(replicas, seed) {
    for (std::size_t sequence = 1; sequence <= 4; ++sequence)
      execute(1 + below(4));
    const auto count = below(replicas + 1);
    while (liars.size() < count)
      liars.insert(static_cast<std::uint32_t>(below(replicas)));
  }

  std::set<std::uint32_t> liars;

  [[nodiscard]] std::vector<std::uint32_t> some(const std::vector<std::uint32_t>& of, std::size_t count_min) {
    auto chosen = of;
    std::ranges::shuffle(chosen, chance);
    if (chosen.size() > count_min) chosen.resize(count_min + below(chosen.size() - count_min + 1));
    std::ranges::sort(chosen);
    return chosen;
  }

  [[nodiscard]] receipt true_receipt(const std::vector<std::uint32_t>& signers) {
    const auto sequence = 1 + below(executed.size());
    const auto number = below(executed[sequence - 1]->requests.size());
    const auto& asked = executed[sequence - 1]->requests[number];
    return receipt_for(sequence, number, static_cast<std::uint32_t>(below(asked.operation_count())), signers);
  }

  /// A receipt that only liars sign: a true one with one lie in it.
  [[nodiscard]] receipt false_receipt() {
    auto value = true_receipt({0});
    switch (below(8)) {
      case 0:
        value.what.result = to_byte_vector("a lie");
        break;
      case 1:
        value.what.operation = to_byte_vector("another operation");
        break;
      case 2:
        value.place.sequence = sequence_number{1 + below(6)};
        break;
      case 3:
        value.place.ordered_time -= std::chrono::milliseconds{1 + below(9)};
        break;
      case 4:
        value.place.batch = named_digest("another batch");
        break;
      case 5:
        value.what.id.when = timestamp{1 + below(next_timestamp)};
        break;
      case 6:
        value.what.request = named_digest("another request");
        break;
      default:
        // A tree with one request more than the true one.
        value.place.request_count = 2;
        value.place.request_index = static_cast<std::uint32_t>(below(2));
        value.place.request_path = {named_digest("another request")};
        break;
    }
    return signed_again(value, some({liars.begin(), liars.end()}, 1));
  }
};

std::vector<std::uint32_t> everybody(std::uint32_t replicas) { return receipt_world::range(0, replicas); }

}  // namespace

TEST_CASE("the judge never names a correct replica, however many others collude (attacks 39 and 44)") {
  std::size_t convicted = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const auto replicas = static_cast<std::uint32_t>(4 + seed % 28);
    colluding_world world{replicas, seed};
    INFO("seed ", seed);
    if (world.liars.empty()) continue;
    // Any receipt that the adversary can build: true ones with any signers, and false ones.
    std::vector<receipt> receipts;
    for (int count = 0; count < 4; ++count) {
      receipts.push_back(world.true_receipt(world.some(everybody(replicas), 1)));
      receipts.push_back(world.false_receipt());
    }
    for (const auto& one : receipts) {
      REQUIRE(world.verify(one));
      for (const auto& other : receipts) {
        const auto found = judge_receipts(one, other);
        for (const auto each : found.culprits)
          REQUIRE(world.liars.contains(each.value));
        convicted += found.culprits.empty() ? 0 : 1;
        // The judgement is symmetric, and no receipt contradicts itself.
        const auto back = judge_receipts(other, one);
        REQUIRE(back.what == found.what);
        REQUIRE(back.culprits == found.culprits);
        if (&one == &other) REQUIRE(found.what == receipt_contradiction::none);
      }
    }
  }
  // The property above says nothing if no replica is ever named.
  CHECK(convicted > 300);
}

TEST_CASE("two quorum receipts that contradict each other name f + 1 replicas, for every n (attack 44)") {
  for (std::uint32_t replicas = 4; replicas <= 31; ++replicas) {
    colluding_world world{replicas, replicas};
    const auto group = world.group();
    INFO("n = ", replicas);
    for (int round = 0; round < 20; ++round) {
      // Two quorums with the smallest possible intersection: the worst case.
      const auto first = receipt_world::range(0, group.quorum());
      const auto second = receipt_world::range(replicas - group.quorum(), group.quorum());
      auto lie = world.receipt_for(2, 0, 0, {0});
      lie.what.result = to_byte_vector("a lie");
      const auto found = judge_receipts(world.receipt_for(2, 0, 0, first), world.signed_again(lie, second));
      CHECK(found.what == receipt_contradiction::two_statements);
      CHECK(found.culprits.size() >= group.weak_quorum());
      // Random quorums share at least as many.
      const auto some = judge_receipts(world.receipt_for(2, 0, 0, world.some(everybody(replicas), group.quorum())),
                                       world.signed_again(lie, world.some(everybody(replicas), group.quorum())));
      CHECK(some.culprits.size() >= group.weak_quorum());
    }
  }
}

TEST_CASE("two receipts with f + 1 signers each may name nobody, and a quorum is why") {
  receipt_world world{4};
  world.execute(1);
  auto lie = world.receipt_for(1, 0, 0, {0});
  lie.what.result = to_byte_vector("a lie");
  const auto found = judge_receipts(world.receipt_for(1, 0, 0, {0, 1}), world.signed_again(lie, {2, 3}));
  CHECK(found.what == receipt_contradiction::two_statements);
  CHECK(found.culprits.empty());
}

TEST_CASE("one request at two sequence numbers convicts whoever signed both (attacks 18 and 44)") {
  receipt_world world{4};
  world.execute(3);
  auto again = world.receipt_for(1, 1, 0, {0});
  again.place.sequence = sequence_number{9};
  again.place.ordered_time += std::chrono::milliseconds{100};
  const auto found = judge_receipts(world.receipt_for(1, 1, 0, {0, 1, 2}), world.signed_again(again, {1, 2, 3}));
  CHECK(found.what == receipt_contradiction::executed_twice);
  CHECK(found.culprits == std::vector{replica_id{1}, replica_id{2}});
}

TEST_CASE("one statement with the same request twice convicts every signer of it (attack 44)") {
  receipt_world world{4};
  world.execute(1);
  // Liars build a tree of two leaves for one request, with two results. Each leaf gives a receipt of one statement.
  const auto base = world.receipt_for(1, 0, 0, {0});
  auto lie = base;
  lie.what.result = to_byte_vector("a lie");
  lie.place.operation_path.clear();
  lie.place.operation_count = 1;
  auto truth = lie;
  truth.what.result = base.what.result;
  const auto leaf_of = [](const receipt& value) {
    const auto leaf =
        receipt_leaf_of(value.what.operation, static_cast<std::uint8_t>(value.what.status), value.what.result);
    return receipt_leaf_of(value.what.id, value.what.request, merkle_root({leaf}));
  };
  truth.place.request_count = lie.place.request_count = 2;
  truth.place.request_index = 0;
  lie.place.request_index = 1;
  truth.place.request_path = {leaf_of(lie)};
  lie.place.request_path = {leaf_of(truth)};
  const auto one = world.signed_again(truth, {0, 1});
  const auto other = world.signed_again(lie, {2, 3});
  REQUIRE(world.verify(one));
  REQUIRE(world.verify(other));
  const auto found = judge_receipts(one, other);
  CHECK(found.what == receipt_contradiction::executed_twice);
  CHECK(found.culprits.size() == 4);
}

TEST_CASE("an ordered time that falls convicts whoever signed both (attacks 42 and 44)") {
  receipt_world world{4};
  world.execute(1);
  world.execute(1);
  auto early = world.receipt_for(2, 0, 0, {0});
  early.place.ordered_time = receipt_world::time_after(sequence_number{1}) - std::chrono::milliseconds{1};
  const auto found = judge_receipts(world.receipt_for(1, 0, 0, {0, 1, 2}), world.signed_again(early, {0, 2, 3}));
  CHECK(found.what == receipt_contradiction::time_fell);
  CHECK(found.culprits == std::vector{replica_id{0}, replica_id{2}});
}

TEST_CASE("true receipts never contradict each other") {
  colluding_world world{7, 3};
  for (int round = 0; round < 300; ++round) {
    const auto found = judge_receipts(world.true_receipt(world.some(everybody(7), 1)),
                                      world.true_receipt(world.some(everybody(7), 1)));
    REQUIRE(found.what == receipt_contradiction::none);
    REQUIRE(found.culprits.empty());
  }
}
