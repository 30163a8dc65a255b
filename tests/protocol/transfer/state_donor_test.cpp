#include "actors/protocol/transfer/state_donor.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/donor_crowd.hpp"
#include "tests/support/effect_reader.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr sequence_number four{4};
constexpr replica_id asker{3};

/// A state of `chunks` chunks of `bytes` bytes each. It shares no memory with other states.
std::shared_ptr<const state_snapshot> sized_state(std::size_t chunks, std::size_t bytes, std::uint8_t filling = 0) {
  auto snapshot = std::make_shared<state_snapshot>();
  for (std::size_t index = 0; index < chunks; ++index) {
    byte_vector content(bytes, static_cast<std::byte>(filling));
    const auto leaf = state_chunk_digest(content);
    snapshot->push_back({std::make_shared<const byte_vector>(std::move(content)), leaf});
  }
  return snapshot;
}

std::optional<state_chunk_message> ask(state_donor& donor, replica_id from, const state_request& wanted) {
  const auto frame = donor.answer(from, wanted);
  if (frame == nullptr) return std::nullopt;
  return std::get<state_chunk_message>(read_frame(frame));
}

bool gives(state_donor& donor, replica_id from, const state_request& wanted) {
  const auto said = ask(donor, from, wanted);
  return said && !std::holds_alternative<state_refusal>(said->content);
}

bool refuses(state_donor& donor, replica_id from, const state_request& wanted, state_refusal why) {
  const auto said = ask(donor, from, wanted);
  const auto* refusal = said ? std::get_if<state_refusal>(&said->content) : nullptr;
  return refusal != nullptr && *refusal == why && said->wanted == wanted;
}

/// Asks in this tick until the donor gives nothing more. Returns the number of answers.
unsigned take_all(state_donor& donor, std::uint32_t from, const state_request& wanted) {
  unsigned given = 0;
  while (given < 100'000 && gives(donor, replica_id{from}, wanted))
    ++given;
  return given;
}

/// A donor in a group of `replicas` with a state of one chunk of 10,000 bytes. It gives 100 such chunks in a tick.
struct sharing_donor {
  state_request chunk{four, 0};
  std::shared_ptr<const state_snapshot> snapshot = sized_state(1, 10'000);
  std::uint64_t cost =
      encode(state_chunk_message{chunk, snapshot->front().bytes})->size() + state_donor::answer_overhead_bytes;
  state_donor donor;

  explicit sharing_donor(std::uint32_t replicas)
      : donor(small_cluster(replicas), donor_settings{100 * cost, 1 << 20U, 1 << 20U}) {
    donor.on_taken(four, snapshot);
  }
  unsigned take(std::uint32_t from) { return take_all(donor, from, chunk); }
};

}  // namespace

// --- What is given ---------------------------------------------------------------

TEST_CASE("a donor gives every chunk and every page of a state that it holds") {
  const auto snapshot = named_state(2 * limits::state_page_leaves + 3, "chunk ");
  state_donor donor{small_cluster(4)};
  donor.on_taken(four, snapshot);
  const auto root = state_root(*snapshot);
  std::vector<digest> leaves;
  for (std::uint64_t page = 0; page < 3; ++page) {
    const auto said = ask(donor, asker, {four, page, state_part::leaves});
    REQUIRE(said);
    const auto& content = std::get<leaf_page>(said->content);
    CHECK(verify_merkle_page(root, content.chunk_count, page, limits::state_page_leaves, content.leaves, content.path));
    leaves.insert(leaves.end(), content.leaves.begin(), content.leaves.end());
  }
  REQUIRE(leaves.size() == snapshot->size());
  for (const std::uint64_t index : {0UL, 1UL, limits::state_page_leaves, snapshot->size() - 1}) {
    const auto said = ask(donor, asker, {four, index});
    REQUIRE(said);
    CHECK(state_chunk_digest(*std::get<chunk_bytes>(said->content)) == leaves[index]);
  }
}

TEST_CASE("a donor refuses the parts that it does not hold") {
  state_donor donor{small_cluster(4)};
  donor.on_taken(four, named_state(3, "chunk "));
  CHECK(gives(donor, asker, {four, 2}));
  CHECK(refuses(donor, asker, {four, 3}, state_refusal::not_held));
  CHECK(refuses(donor, asker, {four, 1, state_part::leaves}, state_refusal::not_held));
  CHECK(refuses(donor, asker, {sequence_number{8}, 0}, state_refusal::not_held));
}

TEST_CASE("refusals are small and bounded: a replica that collects them gets no answer until the next tick") {
  state_donor donor{small_cluster(4)};
  const state_request unknown{four, 0};
  const auto asked = encode(unknown)->size();
  for (unsigned count = 0; count < state_donor::refusals_per_tick_max; ++count) {
    const auto frame = donor.answer(asker, unknown);
    REQUIRE(frame != nullptr);
    CHECK(frame->size() <= asked + 32);
  }
  CHECK(donor.answer(asker, unknown) == nullptr);
  CHECK(donor.answer(replica_id{2}, unknown) != nullptr);
  donor.on_tick();
  CHECK(donor.answer(asker, unknown) != nullptr);
}

// --- Shares (attack 33) ----------------------------------------------------------

TEST_CASE("a single fetcher gets the whole share of a tick, then a pause until the next tick") {
  sharing_donor here{4};
  CHECK(here.take(3) == 100);
  CHECK(refuses(here.donor, asker, here.chunk, state_refusal::busy));
  here.donor.on_tick();
  CHECK(here.take(3) == 100);
}

TEST_CASE("large answers count by their size") {
  state_donor donor{small_cluster(4), donor_settings{1 << 20U, 1 << 24U, 1 << 24U}};
  donor.on_taken(four, sized_state(1, limits::state_chunk_bytes_max));
  CHECK(take_all(donor, 3, {four, 0}) == 4);
}

TEST_CASE("the share of a tick is divided among the replicas that fetch") {
  sharing_donor here{7};
  for (int tick = 0; tick < 2; ++tick) {
    here.donor.on_tick();
    for (int round = 0; round < 200; ++round) {
      for (const std::uint32_t from : {1U, 2U})
        (void)here.donor.answer(replica_id{from}, here.chunk);
    }
  }
  here.donor.on_tick();
  const auto first = here.take(1);
  const auto second = here.take(2);
  CHECK(first == 50);
  CHECK(second == 50);
}

TEST_CASE("f replicas that ask without end leave another one its share, and the donor its bound") {
  for (const std::uint32_t replicas : {4U, 7U, 10U, 31U, 100U}) {
    sharing_donor here{replicas};
    const auto f = small_cluster(replicas).group().faulty_max();
    for (int tick = 0; tick < 5; ++tick) {
      unsigned all = 0;
      for (std::uint32_t flooder = 1; flooder <= f; ++flooder)
        all += here.take(flooder);
      const auto honest = here.take(replicas - 1);
      all += honest;
      INFO(replicas, " replicas, tick ", tick);
      // The share is never less than if all others asked. From the second tick on, it is as much as that of each
      // flooding replica.
      CHECK(honest >= std::max(100 / (replicas - 1), 1U));
      if (tick > 0) CHECK(honest >= 100 / (f + 1));
      CHECK(all <= 2 * 100 + replicas);
      here.donor.on_tick();
    }
  }
}

TEST_CASE("each fetcher gets an answer in each tick, however small the shares are") {
  state_donor donor{small_cluster(100), donor_settings{1'000, 1 << 24U, 1 << 24U}};
  donor.on_taken(four, sized_state(1, limits::state_chunk_bytes_max));
  for (std::uint32_t from = 1; from < 100; ++from)
    CHECK(gives(donor, replica_id{from}, {four, 0}));
}

// --- What is held ----------------------------------------------------------------

TEST_CASE("a donor keeps the stable state while newer ones, up to a whole window, wait for votes") {
  // With L / K = 16, the group stops at H, and the state at h is the only certified state.
  const auto cluster = small_cluster(4, 4, 16, 256);
  state_donor donor{cluster};
  for (std::uint64_t n = 1; n <= 17; ++n)
    donor.on_taken(sequence_number{16 * n}, named_state(2, "state"));
  CHECK(donor.holds(sequence_number{16}));
}

TEST_CASE("a donor holds a bounded number of states and drops the oldest") {
  const auto cluster = small_cluster(4);
  const auto most = cluster.watermark_window / cluster.checkpoint_period + 2;
  state_donor donor{cluster};
  for (std::uint64_t n = 1; n <= 1 + most; ++n)
    donor.on_taken(sequence_number{4 * n}, named_state(2, "state"));
  CHECK_FALSE(donor.holds(four));
  CHECK(donor.holds(sequence_number{8}));
}

TEST_CASE("bytes that several states share are counted once") {
  state_donor donor{small_cluster(4, 4, 4, 64)};
  auto state = *sized_state(10, 1'000);
  for (std::uint64_t n = 1; n <= 5; ++n) {
    state[n] = sized_state(1, 1'000, static_cast<std::uint8_t>(n))->front();
    donor.on_taken(sequence_number{4 * n}, std::make_shared<const state_snapshot>(state));
    CHECK(donor.bytes_held() == 10'000 + (n - 1) * 1'000);
  }
  // An additional chunk in the middle moves the later chunks and copies none.
  state.insert(state.begin() + 3, sized_state(1, 500, 99)->front());
  donor.on_taken(sequence_number{24}, std::make_shared<const state_snapshot>(state));
  CHECK(donor.bytes_held() == 14'500);
}

TEST_CASE("bytes of a dropped state that the next one shares still count") {
  const auto cluster = small_cluster(4);
  const auto most = cluster.watermark_window / cluster.checkpoint_period + 2;
  state_donor donor{cluster};
  auto state = *sized_state(30, 1'000);
  for (std::uint64_t n = 1; n <= 20; ++n) {
    state[n] = sized_state(1, 1'000, static_cast<std::uint8_t>(n))->front();
    donor.on_taken(sequence_number{4 * n}, std::make_shared<const state_snapshot>(state));
    CHECK(donor.bytes_held() == 30'000 + (std::min<std::uint64_t>(n, most) - 1) * 1'000);
  }
}

TEST_CASE("the room for pinned states holds no other states") {
  state_donor donor{small_cluster(4, 4, 4, 64), donor_settings{1 << 20U, 30'000, 1 << 20U}};
  for (std::uint64_t n = 1; n <= 12; ++n) {
    donor.on_taken(sequence_number{4 * n}, sized_state(1, 10'000));
    CHECK(donor.bytes_held() <= 30'000);
  }
}

TEST_CASE("clients that change every chunk in each period cannot make a donor hold more than its bound") {
  // At most 34 states may be held, and each has 100,000 bytes that no other state shares.
  const auto cluster = small_cluster(4, 4, 4, 128);
  state_donor donor{cluster, donor_settings{1 << 20U, 450'000, 0}};
  for (std::uint64_t n = 1; n <= 200; ++n) {
    donor.on_taken(sequence_number{4 * n}, sized_state(10, 10'000));
    if (n % 3 == 0) donor.on_stable(sequence_number{4 * (n - 2)});
    CHECK(donor.bytes_held() <= 450'000);
  }
  // The newest stable state is held, and later states as far as they fit.
  CHECK(donor.holds(sequence_number{4 * 196}));
  CHECK(donor.holds(sequence_number{4 * 200}));
}

TEST_CASE("the newest stable state and the newest state are never dropped for their size") {
  state_donor donor{small_cluster(4, 4, 4, 64), donor_settings{1 << 20U, 10, 0}};
  donor.on_taken(four, sized_state(3, 1'000));
  donor.on_stable(four);
  for (std::uint64_t n = 2; n <= 12; ++n) {
    donor.on_taken(sequence_number{4 * n}, sized_state(3, 1'000));
    CHECK(donor.holds(four));
    CHECK(donor.holds(sequence_number{4 * n}));
    CHECK(donor.bytes_held() == 6'000);
  }
  // The old state is dropped when a newer state is stable.
  donor.on_stable(sequence_number{48});
  CHECK_FALSE(donor.holds(four));
  CHECK(donor.bytes_held() == 3'000);
}

TEST_CASE("a state that was certified before it was taken is the stable one") {
  state_donor donor{small_cluster(4, 4, 4, 64), donor_settings{1 << 20U, 10, 0}};
  donor.on_stable(four);
  donor.on_taken(four, sized_state(1, 1'000));
  donor.on_taken(sequence_number{8}, sized_state(1, 1'000));
  donor.on_taken(sequence_number{12}, sized_state(1, 1'000));
  CHECK(donor.holds(four));
  CHECK_FALSE(donor.holds(sequence_number{8}));
}

// --- Pins (attack 26) ------------------------------------------------------------

TEST_CASE("a state that is being read is kept beside newer checkpoints, for some ticks after the last read") {
  const auto cluster = small_cluster(4);
  state_donor donor{cluster};
  donor.on_taken(four, named_state(2, "state"));
  std::uint64_t n = 1;
  for (unsigned tick = 0; tick < 100; ++tick) {
    if (tick % (state_donor::pin_ticks - 1) == 0) CHECK(gives(donor, asker, {four, 0}));
    donor.on_taken(sequence_number{4 * ++n}, named_state(2, "state"));
    donor.on_tick();
    CHECK(donor.holds(four));
  }
  for (unsigned tick = 0; tick < state_donor::pin_ticks; ++tick)
    donor.on_tick();
  CHECK_FALSE(donor.holds(four));
}

TEST_CASE("a replica pins one state at a time, the last one that it read") {
  const auto cluster = small_cluster(4);
  const auto most = cluster.watermark_window / cluster.checkpoint_period + 2;
  state_donor donor{cluster};
  for (std::uint64_t n = 1; n <= 50; ++n) {
    donor.on_taken(sequence_number{4 * n}, named_state(2, "state"));
    // The replica reads every existing state, the oldest first.
    for (std::uint64_t each = 1; each <= n; ++each)
      (void)donor.answer(asker, {sequence_number{4 * each}, 0});
  }
  std::size_t held = 0;
  for (std::uint64_t n = 1; n <= 50; ++n)
    held += donor.holds(sequence_number{4 * n}) ? 1 : 0;
  CHECK(held <= most + 1);
}

TEST_CASE("pinned states have a bound of their own, above which the oldest are dropped") {
  const auto cluster = small_cluster(10);
  state_donor donor{cluster, donor_settings{1 << 20U, 40'000, 30'000}};
  for (std::uint64_t n = 1; n <= 40; ++n) {
    donor.on_taken(sequence_number{4 * n}, sized_state(1, 10'000));
    donor.on_stable(sequence_number{4 * n});
    // Nine other replicas pin one state each.
    (void)donor.answer(replica_id{static_cast<std::uint32_t>(n % 9 + 1)}, {sequence_number{4 * n}, 0});
    CHECK(donor.bytes_held() <= 70'000);
  }
  CHECK(donor.bytes_held() > 40'000);
  CHECK(donor.holds(sequence_number{160}));
}

// --- Divergence (attack 27) ------------------------------------------------------

TEST_CASE("a donor with a wrong state gives it to no replica, and a snapshot after the repair to all") {
  state_donor donor{small_cluster(4)};
  donor.on_taken(four, named_state(3, "wrong "));
  donor.on_taken(sequence_number{8}, named_state(3, "wrong too "));
  donor.on_diverged();
  for (const sequence_number wrong : {four, sequence_number{8}})
    CHECK(refuses(donor, asker, {wrong, 0}, state_refusal::not_held));
  CHECK(donor.bytes_held() == 0);
  donor.on_taken(four, named_state(3, "right "));
  CHECK(gives(donor, asker, {four, 0}));
}
