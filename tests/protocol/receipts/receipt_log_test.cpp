#include <doctest/doctest.h>

#include "tests/protocol/receipts/receipt_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::optional<receipt_share> ask(receipt_world& world, request_id id, std::uint32_t index = 0) {
  return world.log.share_of({id, index}, world.cluster().signing, world.keys(2));
}

}  // namespace

TEST_CASE("a replica signs once for each batch, and only when a client asks") {
  receipt_world world{4};
  world.execute(50);
  world.execute(50);
  CHECK(world.log.signatures() == 0);
  for (int repetition = 0; repetition < 3; ++repetition) {
    for (const auto& asked : world.executed[0]->requests)
      REQUIRE(ask(world, asked.id));
  }
  CHECK(world.log.signatures() == 1);
  REQUIRE(ask(world, world.executed[1]->requests[7].id));
  CHECK(world.log.signatures() == 2);
}

TEST_CASE("a replica signs nothing for an operation that it did not execute (attack 44)") {
  receipt_world world{4};
  world.execute(3);
  const auto& asked = world.executed[0]->requests[1];
  CHECK_FALSE(ask(world, {asked.id.client, timestamp{asked.id.when.value + 100}}));
  CHECK_FALSE(ask(world, {client_id{3}, asked.id.when}));
  CHECK_FALSE(ask(world, {asked.id.client, asked.id.when, session_id{1}}));
  CHECK_FALSE(ask(world, asked.id, static_cast<std::uint32_t>(asked.operation_count())));
  CHECK_FALSE(ask(world, asked.id, ~0U));
  CHECK(world.log.signatures() == 0);
}

TEST_CASE("the log keeps a bounded number of batches and bytes, and forgets the oldest") {
  receipt_world world{4};
  for (std::size_t count = 0; count < receipt_log::batches_max + 10; ++count)
    world.execute(1);
  CHECK(world.log.batches() == receipt_log::batches_max);
  CHECK_FALSE(ask(world, world.executed[9]->requests[0].id));
  CHECK(ask(world, world.executed[10]->requests[0].id));
  const auto bytes = world.log.bytes();
  CHECK(bytes > receipt_log::batches_max * 100);
  // Results count too: batches with large results displace older ones.
  const auto large = world.factory.request_of(client_id{0}, timestamp{1'000'000}, "large");
  for (std::uint64_t sequence = 2'000; sequence < 2'100; ++sequence) {
    auto outcome = std::make_shared<request_outcome>();
    outcome->append(0, byte_vector(1024 * 1024));
    world.log.on_executed(sequence_number{sequence}, request_factory::batch_of({large}), {}, {{0, outcome}});
    REQUIRE(world.log.bytes() <= receipt_log::bytes_max);
  }
  CHECK(world.log.batches() == 15);
}

TEST_CASE("a batch that is larger than the whole log has no receipts, and the log stays bounded (attack 33)") {
  receipt_world world{4};
  world.execute(2);
  const auto asked = world.factory.request_of(client_id{0}, timestamp{1'000}, "large");
  auto outcome = std::make_shared<request_outcome>();
  outcome->append(0, byte_vector(receipt_log::bytes_max + 1));
  world.log.on_executed(sequence_number{2}, request_factory::batch_of({asked}), {}, {{0, outcome}});
  CHECK_FALSE(ask(world, asked.id));
  CHECK(world.log.bytes() == 0);
  world.log.on_executed(sequence_number{3}, world.executed[0], {}, {{0, outcome_of(world.executed[0]->requests[0])}});
  CHECK(ask(world, world.executed[0]->requests[0].id));
}

TEST_CASE(
    "the bytes of the log include trees and index, so that questions take no memory beyond the bound (attack 33)") {
  receipt_world world{4};
  // 1,024 operations of no bytes: the trees are larger than the request.
  const auto asked = world.factory.request_of(client_id{0}, timestamp{1'000}, std::vector<std::string>(1'024, ""));
  world.log.on_executed(sequence_number{1}, request_factory::batch_of({asked}), {}, {{0, outcome_of(asked)}});
  const auto before = world.log.bytes();
  CHECK(before >= 1'024 * 2 * 32);
  REQUIRE(ask(world, asked.id, 1'023));
  CHECK(world.log.bytes() == before);
}

TEST_CASE("every held request is found and no forgotten one, whenever the questions come") {
  receipt_world world{4};
  for (std::size_t count = 0; count < receipt_log::batches_max + 300; ++count) {
    world.execute(1 + world.below(3));
    if (world.below(4) != 0) continue;
    const auto place = world.below(world.executed.size());
    const bool is_held = place + receipt_log::batches_max >= world.executed.size();
    const auto share = ask(world, world.executed[place]->requests[0].id);
    REQUIRE(share.has_value() == is_held);
    if (share) REQUIRE(share->place.sequence == sequence_number{place + 1});
  }
}

TEST_CASE(
    "what is executed again after a repair is not signed, so that no replica convicts itself (attacks 27 and 44)") {
  receipt_world world{4};
  for (int count = 0; count < 3; ++count)
    world.execute(2);
  REQUIRE(ask(world, world.executed[2]->requests[0].id));
  world.log.on_replaced(sequence_number{3});
  CHECK(world.log.batches() == 0);
  CHECK(world.log.bytes() == 0);
  CHECK_FALSE(ask(world, world.executed[2]->requests[0].id));
  // The certified state was that after 1, and 2 and 3 are executed again with other results.
  for (std::uint64_t sequence = 2; sequence <= 4; ++sequence) {
    const auto& body = world.executed[sequence == 4 ? 0 : sequence - 1];
    auto outcome = outcome_of(body->requests[0]);
    world.log.on_executed(sequence_number{sequence}, body, {}, {{0, outcome}});
    CHECK(ask(world, body->requests[0].id).has_value() == (sequence == 4));
  }
}
