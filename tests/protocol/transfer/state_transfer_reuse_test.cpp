#include <doctest/doctest.h>

#include <algorithm>

#include "actors/protocol/transfer/state_transfer.hpp"
#include "tests/support/donor_crowd.hpp"
#include "tests/support/effect_reader.hpp"

// Tests which parts a fetch does not request because they exist already, and how a fetch switches to a newer
// certificate.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr sequence_number four{4};
constexpr sequence_number eight{8};

const auto silent = [](const state_request&) -> std::optional<state_chunk_message> { return std::nullopt; };

/// A fetch of the state at 4, while the state at 8 becomes stable. Every `every`th chunk of the newer state differs.
struct moving_world : transfer_world {
  std::shared_ptr<const state_snapshot> newer;
  std::shared_ptr<const checkpoint_certificate> newer_certificate;

  explicit moving_world(std::size_t chunks, std::size_t every = 10)
      : transfer_world(chunks),
        newer(changed_state(*snapshot, every, "newer ")),
        newer_certificate(certify(8, *newer)) {}

  /// The number of answered chunks, without the few that are still on their way.
  [[nodiscard]] std::size_t chunks_answered() {
    return crowd.of(0).answered + crowd.of(1).answered + crowd.of(2).answered - 1;
  }
  [[nodiscard]] transfer_effects offer() { return fetcher.on_fetch(newer_certificate, fetch_reason::lag); }
  /// From now on the donor has only the newer state.
  void forget(std::uint32_t number, std::uint64_t pace = 1) { crowd.set(number, honest_donor{eight, newer}, pace); }
};

}  // namespace

TEST_CASE("chunks in the own newest state are not requested") {
  transfer_world world{2'500};
  const auto own = changed_state(*world.snapshot, 100, "old ");
  world.fetcher.on_taken(sequence_number{3}, named_state(2'500, "older still "));
  world.fetcher.on_taken(sequence_number{3}, own);
  world.fetch();
  REQUIRE(world.crowd.run(30));
  CHECK(world.arrived());
  CHECK(world.crowd.questions(state_part::leaves) == 3);
  CHECK(world.crowd.questions(state_part::chunk) == 25);
  // The chunk has the same memory and is not a copy.
  CHECK((*world.crowd.whole()->snapshot)[1].bytes == (*own)[1].bytes);
}

TEST_CASE("a state with all its chunks at hand costs its leaves only") {
  transfer_world world{30};
  world.fetcher.on_taken(sequence_number{3}, world.snapshot);
  world.fetch();
  REQUIRE(world.crowd.run(5));
  CHECK(world.arrived());
  CHECK(world.crowd.questions() == 1);
}

TEST_CASE("an own chunk with other bytes than its leaf names is fetched (attack 27)") {
  transfer_world world{30};
  auto rotten = *world.snapshot;
  auto bytes = *rotten[7].bytes;
  bytes.back() ^= std::byte{1};
  rotten[7].bytes = std::make_shared<const byte_vector>(std::move(bytes));
  world.fetcher.on_taken(sequence_number{3}, std::make_shared<const state_snapshot>(std::move(rotten)));
  world.fetch();
  REQUIRE(world.crowd.run(5));
  CHECK(world.arrived());
  CHECK(world.crowd.questions(state_part::chunk) == 1);
}

TEST_CASE("a transfer with progress is finished although newer certificates come (attack 26)") {
  moving_world world{300};
  world.crowd.on_tick([&] { CHECK(world.offer().sends.empty()); });
  world.fetch();
  REQUIRE(world.crowd.run(60));
  CHECK(world.arrived());
}

TEST_CASE("a transfer switches to a newer certificate when nothing arrives, and keeps the verified chunks") {
  moving_world world{300};
  world.crowd.on_tick([&] { world.crowd.carry_out(world.offer()); });
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(5));
  const auto verified = world.chunks_answered();
  REQUIRE(verified > 100);
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, silent);
  REQUIRE_FALSE(world.crowd.run(20));
  // No donor has answered, but the newer state is requested.
  CHECK(std::ranges::any_of(world.crowd.of(0).asked, [](const auto& each) { return each.sequence == eight; }));
  const auto stalled = world.crowd.questions(state_part::chunk);
  for (std::uint32_t number = 0; number < 3; ++number)
    world.forget(number);
  REQUIRE(world.crowd.run(60));
  CHECK(world.crowd.whole()->certificate == world.newer_certificate);
  CHECK(world.arrived(*world.newer));
  // Only the changed tenth of the received chunks is fetched again, in addition to the rest and a few repeated
  // requests.
  CHECK(world.crowd.questions(state_part::chunk) - stalled <= 300 - verified + verified / 10 + 30);
}

TEST_CASE("a transfer that is interrupted again before it knows the leaves keeps its first verified chunks") {
  moving_world world{300};
  world.crowd.on_tick([&] { world.crowd.carry_out(world.offer()); });
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(5));
  const auto verified = world.chunks_answered();
  REQUIRE(verified > 100);
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, silent);
  // The fetch switches to the state at 8, of which no donor gives a page, and then to the state at 12.
  REQUIRE_FALSE(world.crowd.run(20));
  const sequence_number twelve{12};
  const auto newest = changed_state(*world.newer, 10, "newest ");
  const auto certificate = world.certify(12, *newest);
  world.crowd.on_tick([&] { world.crowd.carry_out(world.fetcher.on_fetch(certificate, fetch_reason::lag)); });
  REQUIRE_FALSE(world.crowd.run(20));
  const auto stalled = world.crowd.questions(state_part::chunk);
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, honest_donor{twelve, newest});
  REQUIRE(world.crowd.run(90));
  CHECK(world.arrived(*newest));
  CHECK(world.crowd.questions(state_part::chunk) - stalled <= 300 - verified + verified / 10 + 30);
}

TEST_CASE(
    "a transfer switches at once when all but f donors have dropped the state, even if one still answers slowly") {
  moving_world world{300};
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(3));
  CHECK(world.offer().sends.empty());
  world.crowd.set(0, honest_donor{four, world.snapshot}, 2 * donor_crowd::moments_per_tick);
  world.forget(1);
  world.forget(2);
  REQUIRE(world.crowd.run(40));
  CHECK(world.crowd.whole()->certificate == world.newer_certificate);
  CHECK(world.arrived(*world.newer));
  // Without the switch, the remaining chunks would arrive at a rate of one in two ticks.
  CHECK(world.crowd.ticks() <= 3 + 300 / 20 + 5);
}

TEST_CASE("one donor that has dropped the state does not end a transfer that others can finish") {
  moving_world world{300};
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(3));
  CHECK(world.offer().sends.empty());
  world.forget(1);
  REQUIRE(world.crowd.run(40));
  CHECK(world.crowd.whole()->certificate == world.certificate);
}

TEST_CASE("a donor that lied about the older state is not asked for the newer one") {
  moving_world world{60};
  world.crowd.set(0, [](const state_request& wanted) -> std::optional<state_chunk_message> {
    return state_chunk_message{wanted, leaf_page{1, {digest{}}, {}}};
  });
  world.crowd.set(1, silent);
  world.crowd.set(2, silent);
  world.crowd.on_tick([&] { world.crowd.carry_out(world.offer()); });
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(20));
  world.forget(1);
  world.forget(2);
  REQUIRE(world.crowd.run(60));
  CHECK(world.arrived(*world.newer));
  CHECK(world.crowd.of(0).asked.size() == 1);
}
