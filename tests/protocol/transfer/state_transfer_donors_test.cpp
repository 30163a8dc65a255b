#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "actors/protocol/transfer/state_transfer.hpp"
#include "tests/support/donor_crowd.hpp"
#include "tests/support/effect_reader.hpp"

// Tests of fetches from donors that are slow or silent, refuse, or answer in drips.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr sequence_number four{4};
constexpr auto moments_per_tick = donor_crowd::moments_per_tick;

const auto silent = [](const state_request&) -> std::optional<state_chunk_message> { return std::nullopt; };
const auto refuses = [](const state_request& wanted) -> std::optional<state_chunk_message> {
  return state_chunk_message{wanted, state_refusal::not_held};
};

bool was_replaced(const donor_crowd& crowd, std::uint32_t number, donor_fault why) {
  return std::ranges::any_of(crowd.replaced(), [&](const donor_replaced& each) {
    return each.replica == replica_id{number} && each.reason == why;
  });
}

}  // namespace

TEST_CASE("a silent donor is replaced and reported after its patience, and the transfer does not wait for it") {
  transfer_world world{300};
  world.crowd.set(0, silent);
  world.fetch();
  REQUIRE(world.crowd.run(40));
  CHECK(world.arrived());
  CHECK(was_replaced(world.crowd, 0, donor_fault::late));
  CHECK(world.crowd.replaced().size() == 1);
  // The donor was asked for the first page and for at most one window of chunks.
  CHECK(world.crowd.of(0).asked.size() <= 1 + donor_roster::window_initial);
}

TEST_CASE("a throttled donor is asked for nothing as long as others serve") {
  transfer_world world{300};
  world.fetcher.on_trust({replica_id{0}});
  world.fetch();
  REQUIRE(world.crowd.run(40));
  CHECK(world.arrived());
  CHECK(world.crowd.of(0).asked.empty());
}

TEST_CASE("a throttled donor serves where no other does") {
  transfer_world world{4};
  world.fetcher.on_trust({replica_id{0}});
  for (std::uint32_t number = 1; number < world.donors(); ++number)
    world.crowd.set(number, silent);
  world.fetch();
  REQUIRE(world.crowd.run(100));
  CHECK(world.arrived());
}

TEST_CASE("the first page is asked of a second donor after one tick") {
  transfer_world world{4};
  world.crowd.set(0, silent);
  world.fetch();
  REQUIRE(world.crowd.run(4));
  CHECK(world.crowd.ticks() <= 2);
}

TEST_CASE("a late answer of a replaced donor is used and brings the donor back") {
  transfer_world world{4};
  // Every answer takes longer than the patience for any donor.
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, honest_donor{four, world.snapshot}, 1, 8 * moments_per_tick);
  world.fetch();
  REQUIRE(world.crowd.run(60));
  CHECK(world.arrived());
  CHECK(was_replaced(world.crowd, 0, donor_fault::late));
}

TEST_CASE("a transfer ends also on links that are slower than any patience") {
  transfer_world world{12};
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, honest_donor{four, world.snapshot}, 13 * moments_per_tick, 1);
  world.fetch();
  // There are 13 answers of 13 ticks each from three donors, and some parts are given twice.
  REQUIRE(world.crowd.run(2 * 13 * 13));
  CHECK(world.arrived());
}

TEST_CASE("a fast donor gives more than a slow one, and the slow one does not set the rate") {
  transfer_world world{600};
  world.crowd.set(0, honest_donor{four, world.snapshot}, 5);
  world.fetch();
  REQUIRE(world.crowd.run(60));
  // Each of the two fast donors gives ten chunks in a tick, and the slow donor gives two.
  CHECK(world.crowd.ticks() <= 600 / 20 + 4);
  CHECK(world.crowd.of(0).answered > 20);
  CHECK(world.crowd.of(1).answered > 3 * world.crowd.of(0).answered);
  CHECK(world.crowd.of(2).answered > 3 * world.crowd.of(0).answered);
  CHECK(world.crowd.replaced().empty());
}

TEST_CASE("a donor that answers just within the patience does not hold up the transfer") {
  const auto ticks_with = [](std::uint64_t pace) {
    transfer_world world{400};
    world.crowd.set(0, honest_donor{four, world.snapshot}, pace);
    world.fetch();
    REQUIRE(world.crowd.run(200));
    REQUIRE(world.arrived());
    return world.crowd.ticks();
  };
  // With two ticks for each answer, the donor is never late.
  CHECK(ticks_with(2 * moments_per_tick) <= 400 / 20 + 4);
  transfer_world world{400};
  world.crowd.set(0, honest_donor{four, world.snapshot}, 2 * moments_per_tick);
  world.fetch();
  REQUIRE(world.crowd.run(200));
  // The donor's first page came after another donor's page, which looked like silence. After that it was never late.
  CHECK(world.crowd.replaced().size() <= 1);
  CHECK(world.crowd.of(0).asked.size() <= 40);
}

TEST_CASE("two slow donors of three do not hold up the transfer") {
  transfer_world world{300};
  for (const std::uint32_t number : {0U, 1U})
    world.crowd.set(number, honest_donor{four, world.snapshot}, 2 * moments_per_tick);
  world.fetch();
  REQUIRE(world.crowd.run(200));
  CHECK(world.crowd.ticks() <= 300 / 10 + 6);
}

TEST_CASE("a donor that becomes slow is not asked a second time for the parts that it still owes") {
  transfer_world world{300};
  for (const std::uint32_t number : {1U, 2U})
    world.crowd.set(number, refuses);
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(8));
  world.crowd.of(0).pace = 5;
  REQUIRE(world.crowd.run(200));
  std::set<std::uint64_t> once;
  for (const auto& each : world.crowd.of(0).asked) {
    if (each.part == state_part::chunk) CHECK(once.insert(each.index).second);
  }
}

TEST_CASE("a donor that becomes very slow gives back its parts, so that others have room for them") {
  // With chunks of 256 KiB there are 64 questions in all. The fast donor has most of them when it becomes slow.
  state_snapshot large;
  for (std::size_t index = 0; index < 300; ++index) {
    byte_vector bytes(limits::state_chunk_bytes_max);
    bytes[0] = static_cast<std::byte>(index);
    bytes[1] = static_cast<std::byte>(index >> 8U);
    const auto leaf = state_chunk_digest(bytes);
    large.push_back({std::make_shared<const byte_vector>(std::move(bytes)), leaf});
  }
  transfer_world world{std::make_shared<const state_snapshot>(std::move(large))};
  world.crowd.of(0).at_once = 4;
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(3));
  const auto held = world.crowd.of(0).queue.size();
  world.crowd.of(0).at_once = 1;
  world.crowd.of(0).pace = 2 * moments_per_tick;
  const auto others = [&] { return world.crowd.of(1).answered + world.crowd.of(2).answered; };
  const auto before = others();
  CHECK(held > 30);
  (void)world.crowd.run(5);
  // Two donors give ten chunks each in a tick. For two ticks it is not yet clear that the third donor has become slow.
  CHECK(others() - before >= 55);
}

TEST_CASE("a part that a donor skips while it gives others is requested from another donor") {
  transfer_world world{300};
  const honest_donor honest{four, world.snapshot};
  world.crowd.set(0, [honest](const state_request& wanted) -> std::optional<state_chunk_message> {
    if (wanted.part == state_part::chunk && wanted.index % 4 == 0) return std::nullopt;
    return honest(wanted);
  });
  world.fetch();
  REQUIRE(world.crowd.run(60));
  CHECK(world.arrived());
}

TEST_CASE("a donor without the state refuses and is replaced at once") {
  transfer_world world{4};
  world.crowd.set(0, refuses);
  world.fetch();
  REQUIRE(world.crowd.run(2));
  CHECK(world.crowd.ticks() == 0);
  CHECK(was_replaced(world.crowd, 0, donor_fault::refused));
  CHECK(world.crowd.of(0).asked.size() == 1);
}

TEST_CASE("refusals of all donors are not answered by requests at the speed of the network") {
  transfer_world world{4};
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, refuses);
  world.fetch();
  CHECK_FALSE(world.crowd.run(100));
  CHECK(world.crowd.questions() <= 100 + 3);
  // At least one donor is asked at any time, so a donor with the state is found.
  world.crowd.set(1, honest_donor{four, world.snapshot});
  CHECK(world.crowd.run(20));
}

TEST_CASE("a donor that asks for a pause is not asked in the same tick again, and is not replaced") {
  transfer_world world{200};
  const honest_donor honest{four, world.snapshot};
  std::map<std::uint64_t, unsigned> asked;
  std::map<std::uint64_t, unsigned> refused;
  world.crowd.set(0, [&](const state_request& wanted) -> std::optional<state_chunk_message> {
    // The donor gives two answers in a tick and refuses the rest.
    if (++asked[world.crowd.ticks()] <= 2) return honest(wanted);
    ++refused[world.crowd.ticks()];
    return state_chunk_message{wanted, state_refusal::busy};
  });
  world.fetch();
  REQUIRE(world.crowd.run(40));
  CHECK(world.arrived());
  CHECK(world.crowd.replaced().empty());
  // When the window has adapted to the donor, there are few refusals.
  for (const auto& [tick, count] : refused)
    CHECK(count <= (tick < 2 ? 8 : 4));
}

TEST_CASE("a donor that is always busy is late") {
  transfer_world world{100};
  world.crowd.set(0, [](const state_request& wanted) -> std::optional<state_chunk_message> {
    return state_chunk_message{wanted, state_refusal::busy};
  });
  world.fetch();
  REQUIRE(world.crowd.run(40));
  CHECK(was_replaced(world.crowd, 0, donor_fault::late));
}

TEST_CASE("the other replicas are asked when all signers have failed, and not before") {
  transfer_world world{named_state(50, "chunk "), 7};
  // Replicas 0 … 4 have signed. Replica 5 has the state too, and replica 6 fetches it.
  for (std::uint32_t number = 0; number < 5; ++number)
    world.crowd.set(number, number % 2 == 0 ? donor_crowd::answer{refuses} : donor_crowd::answer{silent});
  world.fetch();
  while (world.crowd.of(5).asked.empty() && world.crowd.ticks() < 50)
    (void)world.crowd.run(1);
  for (std::uint32_t number = 0; number < 5; ++number)
    CHECK(was_replaced(world.crowd, number, number % 2 == 0 ? donor_fault::refused : donor_fault::late));
  REQUIRE(world.crowd.run(50));
  CHECK(world.arrived());
}

TEST_CASE("donors that recover are asked again") {
  transfer_world world{50};
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, silent);
  world.fetch();
  CHECK_FALSE(world.crowd.run(100));
  world.crowd.set(2, honest_donor{four, world.snapshot});
  REQUIRE(world.crowd.run(3 * donor_roster::patience_max));
  CHECK(world.arrived());
}

TEST_CASE("a liar is not asked as long as another donor is there, however the others fail") {
  transfer_world world{30};
  const honest_donor honest{four, world.snapshot};
  world.crowd.set(0, [](const state_request& wanted) -> std::optional<state_chunk_message> {
    if (wanted.part == state_part::leaves) return state_chunk_message{wanted, leaf_page{1, {digest{}}, {}}};
    return state_chunk_message{wanted, std::make_shared<const byte_vector>(3)};
  });
  world.crowd.set(1, silent);
  world.crowd.set(2, [&](const state_request& wanted) -> std::optional<state_chunk_message> {
    if (world.crowd.ticks() % 20 > 3) return std::nullopt;
    return honest(wanted);
  });
  world.fetch();
  (void)world.crowd.run(200);
  CHECK(world.arrived());
  CHECK(world.crowd.of(0).asked.size() == 1);
}
