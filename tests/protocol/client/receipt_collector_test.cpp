#include <doctest/doctest.h>

#include "actors/protocol/client/receipt_collector.hpp"
#include "messages/codec.hpp"
#include "tests/protocol/receipts/receipt_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr moment start = moment{} + 10s;

/// A client that collects a receipt for the first operation of the second request of batch 1.
struct collecting_world : receipt_world {
  explicit collecting_world(std::uint32_t replicas = 4) : receipt_world(replicas) {
    execute(4);
    asked = {executed[0]->requests[1].id, 0};
    what = receipt_for(1, 1, 0, {0}).what;
    first = collector.collect(7, what, start, start + 5s);
  }

  receipt_collector collector{cluster(), factory.keys_of(client_id{1})};
  receipt_query asked;
  executed_operation what;
  receipt_effects first;

  [[nodiscard]] receipt_reply honest(std::uint32_t replica) {
    auto copy = log;
    return {asked, copy.share_of(asked, cluster().signing, keys(replica))};
  }
  /// The share of a liar: its own signature over the place with a change in it.
  template <class Change>
  [[nodiscard]] receipt_reply lie(std::uint32_t replica, Change change) {
    receipt value{cluster().signing, what, honest(replica).share->place, {}};
    change(value);
    const auto made = signed_again(value, {replica});
    return {asked, receipt_share{made.place, made.signatures[0].by}};
  }
  receipt_effects reply(std::uint32_t replica, const receipt_reply& value) {
    return collector.on_reply(replica_id{replica}, value);
  }
};

}  // namespace

TEST_CASE("a client asks every replica, and has a receipt when a quorum has signed") {
  for (std::uint32_t replicas = 4; replicas <= 13; ++replicas) {
    collecting_world world{replicas};
    CHECK(world.first.sends.size() == replicas);
    for (std::uint32_t replica = 0; replica + 1 < world.group().quorum(); ++replica)
      REQUIRE(world.reply(replica, world.honest(replica)).done.empty());
    const auto done = world.reply(replicas - 1, world.honest(replicas - 1)).done;
    REQUIRE(done.size() == 1);
    CHECK(done[0].token == 7);
    REQUIRE(done[0].proof);
    CHECK(*world.verify(*done[0].proof) == receipt_strength::quorum);
    CHECK(done[0].proof->what == world.what);
    CHECK(world.collector.is_idle());
  }
}

TEST_CASE("a replica counts once, however often it answers") {
  collecting_world world;
  for (int repetition = 0; repetition < 10; ++repetition)
    CHECK(world.reply(2, world.honest(2)).done.empty());
  CHECK_FALSE(world.collector.is_idle());
}

TEST_CASE("shares of liars are counted, and never part of the receipt (attack 44)") {
  collecting_world world;
  // A share of replica 0 that replica 3 sends is not the share of replica 3.
  CHECK(world.reply(3, world.honest(0)).done.empty());
  auto damaged = world.honest(3);
  damaged.share->by.bytes[5] ^= std::byte{1};
  CHECK(world.reply(3, damaged).done.empty());
  auto misplaced = world.honest(3);
  misplaced.share->place.request_path.clear();
  CHECK(world.reply(3, misplaced).done.empty());
  CHECK(world.reply(3, world.lie(3, [](receipt& value) { value.what.result = to_byte_vector("a lie"); })).done.empty());
  CHECK(world.collector.wrong_shares().at(replica_id{3}) == 4);
  // The place is a lie, but the statement is signed: the share is genuine, and of another statement than the others.
  const auto elsewhere = [](receipt& value) { value.place.sequence = sequence_number{99}; };
  CHECK(world.reply(3, world.lie(3, elsewhere)).done.empty());
  for (const std::uint32_t replica : {0U, 1U})
    CHECK(world.reply(replica, world.honest(replica)).done.empty());
  const auto done = world.reply(2, world.honest(2)).done;
  REQUIRE(done.size() == 1);
  REQUIRE(done[0].proof);
  CHECK(done[0].proof->place.sequence == sequence_number{1});
  CHECK(*world.verify(*done[0].proof) == receipt_strength::quorum);
}

TEST_CASE("answers that nobody asked for change nothing") {
  collecting_world world;
  auto other = world.honest(0);
  other.asked.index = 1;
  CHECK(world.reply(0, other).done.empty());
  CHECK(world.reply(9, world.honest(0)).done.empty());
  CHECK(world.reply(0, {world.asked, std::nullopt}).done.empty());
  CHECK(world.collector.wrong_shares().empty());
}

TEST_CASE("at the deadline f + 1 signatures are a receipt, and fewer are none") {
  collecting_world world;
  CHECK(world.reply(1, world.honest(1)).done.empty());
  CHECK(world.reply(3, world.honest(3)).done.empty());
  CHECK(world.collector.on_tick(start + 5s - 1us).done.empty());
  const auto done = world.collector.on_tick(start + 5s).done;
  REQUIRE(done.size() == 1);
  REQUIRE(done[0].proof);
  CHECK(*world.verify(*done[0].proof) == receipt_strength::sufficient);

  collecting_world lonely;
  CHECK(lonely.reply(1, lonely.honest(1)).done.empty());
  const auto none = lonely.collector.on_tick(start + 5s).done;
  REQUIRE(none.size() == 1);
  CHECK_FALSE(none[0].proof);
  CHECK(lonely.collector.is_idle());
}

TEST_CASE("replicas without a share are asked again, less and less often") {
  collecting_world world;
  CHECK(world.reply(1, world.honest(1)).done.empty());
  CHECK(world.reply(0, {world.asked, std::nullopt}).done.empty());
  CHECK(world.collector.on_tick(start + 49ms).sends.empty());
  const auto again = world.collector.on_tick(start + 50ms).sends;
  REQUIRE(again.size() == 3);
  for (const auto& each : again)
    CHECK(each.to != replica_id{1});
  CHECK(world.collector.on_tick(start + 149ms).sends.empty());
  CHECK(world.collector.on_tick(start + 150ms).sends.size() == 3);
}

TEST_CASE("a client that stops gets what was signed until then") {
  collecting_world world;
  CHECK(world.reply(1, world.honest(1)).done.empty());
  CHECK(world.reply(2, world.honest(2)).done.empty());
  const auto done = world.collector.on_stop().done;
  REQUIRE(done.size() == 1);
  CHECK(done[0].proof.has_value());
  CHECK(world.collector.is_idle());
}
