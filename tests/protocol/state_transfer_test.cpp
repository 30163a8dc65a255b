#include <doctest/doctest.h>

#include <map>
#include <set>

#include "actors/protocol/state_transfer.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::shared_ptr<const state_snapshot> snapshot_of(std::size_t chunks, std::string_view name) {
  auto snapshot = std::make_shared<state_snapshot>();
  for (std::size_t index = 0; index < chunks; ++index) {
    auto bytes = to_byte_vector(std::string{name} + std::to_string(index));
    const auto leaf = state_chunk_digest(bytes);
    snapshot->push_back({std::make_shared<const byte_vector>(std::move(bytes)), leaf});
  }
  return snapshot;
}

/// Replica 3 fetches; 0, 1 and 2 have the state.
struct transfer_world {
  request_factory factory{small_cluster(4)};
  std::shared_ptr<const state_snapshot> snapshot;
  std::shared_ptr<const checkpoint_certificate> certificate;
  state_donor donor{factory.cluster()};
  state_fetcher fetcher{factory.cluster(), replica_id{3}};

  explicit transfer_world(std::size_t chunks)
      : snapshot(snapshot_of(chunks, "chunk ")),
        certificate(factory.certificate_of(sequence_number{4}, state_root(*snapshot), {0, 1, 2})) {
    donor.on_taken(sequence_number{4}, snapshot);
  }

  [[nodiscard]] state_chunk_message chunk(std::uint64_t index) {
    donor.on_tick();
    return std::get<state_chunk_message>(read_frame(donor.answer(replica_id{3}, {sequence_number{4}, index})));
  }
};

/// Who was asked for which chunk.
std::map<std::uint64_t, replica_id> asked_in(const transfer_effects& effects) {
  std::map<std::uint64_t, replica_id> asked;
  for (const auto& each : effects.sends) {
    asked[std::get<state_request>(read_frame(each.frame)).index] = *each.to;
  }
  return asked;
}

/// Has the donors answer, honestly, until the state is whole.
std::shared_ptr<const verified_state> finish(transfer_world& world, std::map<std::uint64_t, replica_id> open) {
  for (int step = 0; step < 10'000 && !open.empty(); ++step) {
    const auto [index, donor] = *open.begin();
    open.erase(open.begin());
    const auto effects = world.fetcher.on_chunk(donor, world.chunk(index));
    if (effects.install != nullptr) return effects.install;
    open.merge(asked_in(effects));
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a state of any number of chunks arrives whole and under its certificate") {
  for (const std::size_t chunks : {1UL, 2UL, 3UL, 15UL, 16UL, 17UL, 18UL, 33UL, 100UL}) {
    transfer_world world{chunks};
    const auto first = asked_in(world.fetcher.on_fetch(world.certificate));
    CHECK(first.size() == 1);
    const auto whole = finish(world, first);
    CAPTURE(chunks);
    REQUIRE(whole != nullptr);
    CHECK(whole->certificate == world.certificate);
    REQUIRE(whole->snapshot->size() == chunks);
    CHECK(state_root(*whole->snapshot) == state_root(*world.snapshot));
    for (std::size_t index = 0; index < chunks; ++index) {
      CHECK(*(*whole->snapshot)[index].bytes == *(*world.snapshot)[index].bytes);
    }
  }
}

TEST_CASE("chunks are asked from all signers in turn, never from the fetcher itself, and at most sixteen at once") {
  transfer_world world{100};
  const auto self_signed = world.factory.certificate_of(sequence_number{4}, state_root(*world.snapshot), {0, 2, 3});
  const auto first = asked_in(world.fetcher.on_fetch(self_signed));
  REQUIRE(first.size() == 1);
  const auto more = asked_in(world.fetcher.on_chunk(first.at(0), world.chunk(0)));
  CHECK(more.size() == 16);
  std::set<replica_id> donors;
  for (const auto& [index, donor] : more)
    donors.insert(donor);
  CHECK(donors == std::set{replica_id{0}, replica_id{2}});
}

TEST_CASE("a corrupt chunk is refused and asked from another donor") {
  transfer_world world{3};
  const auto asked = asked_in(world.fetcher.on_fetch(world.certificate));
  auto wrong = world.chunk(0);
  wrong.bytes = std::make_shared<const byte_vector>(to_byte_vector("something else"));
  const auto effects = world.fetcher.on_chunk(asked.at(0), wrong);
  CHECK(rejections_in(effects.observations) == std::vector{rejection::wrong_digest});
  const auto again = asked_in(effects);
  REQUIRE(again.size() == 1);
  CHECK(again.at(0) != asked.at(0));
  CHECK(finish(world, again) != nullptr);
}

TEST_CASE("a donor that lies about several chunks under way is dropped once and crashes nothing") {
  transfer_world world{60};
  const auto first = asked_in(world.fetcher.on_fetch(world.certificate));
  auto open = asked_in(world.fetcher.on_chunk(first.at(0), world.chunk(0)));
  const replica_id liar{1};
  for (const auto& [index, donor] : std::map{open}) {
    if (donor != liar) continue;
    auto wrong = world.chunk(index);
    wrong.path.clear();
    const auto effects = world.fetcher.on_chunk(liar, wrong);
    CHECK(rejections_in(effects.observations) == std::vector{rejection::wrong_digest});
    open.erase(index);
    for (const auto& [again, other] : asked_in(effects)) {
      CHECK(other != liar);
      open[again] = other;
    }
  }
  CHECK(finish(world, open) != nullptr);
}

TEST_CASE("every lie about a chunk's place is refused") {
  transfer_world world{5};
  const auto lies = [&](std::uint64_t index, std::uint64_t count) {
    auto chunk = world.chunk(0);
    chunk.index = index;
    chunk.chunk_count = count;
    return chunk;
  };
  // The first chunk tells the count, which is where a lie would cost memory.
  const std::vector<state_chunk_message> all = {lies(0, 4), lies(0, 6), lies(0, 1), lies(0, limits::state_chunks_max),
                                                lies(1, 5), lies(4, 5)};
  for (const auto& lie : all) {
    state_fetcher fetcher{world.factory.cluster(), replica_id{3}};
    const auto asked = asked_in(fetcher.on_fetch(world.certificate));
    const auto effects = fetcher.on_chunk(asked.at(0), lie);
    CAPTURE(lie.index);
    CAPTURE(lie.chunk_count);
    CHECK(rejections_in(effects.observations).size() == 1);
    CHECK(effects.install == nullptr);
    CHECK(asked_in(effects).size() <= 1);
  }
}

TEST_CASE("another chunk's bytes under an asked index are refused") {
  transfer_world world{8};
  const auto asked = asked_in(world.fetcher.on_fetch(world.certificate));
  auto swapped = world.chunk(1);
  swapped.index = 0;
  CHECK(rejections_in(world.fetcher.on_chunk(asked.at(0), swapped).observations) ==
        std::vector{rejection::wrong_digest});
}

TEST_CASE("chunks that nobody asked for are refused") {
  transfer_world world{4};
  CHECK(rejections_in(world.fetcher.on_chunk(replica_id{0}, world.chunk(0)).observations) ==
        std::vector{rejection::unsolicited});
  const auto asked = asked_in(world.fetcher.on_fetch(world.certificate));
  CHECK(rejections_in(world.fetcher.on_chunk(asked.at(0), world.chunk(2)).observations) ==
        std::vector{rejection::unsolicited});
  auto other_state = world.chunk(0);
  other_state.sequence = sequence_number{8};
  CHECK(rejections_in(world.fetcher.on_chunk(asked.at(0), other_state).observations) ==
        std::vector{rejection::unsolicited});
}

TEST_CASE("a lie of a replica that was not asked costs the donor that was nothing") {
  transfer_world world{4};
  const auto asked = asked_in(world.fetcher.on_fetch(world.certificate));
  const replica_id stranger{asked.at(0).value == 2 ? 1U : 2U};
  auto wrong = world.chunk(0);
  wrong.bytes = std::make_shared<const byte_vector>();
  const auto effects = world.fetcher.on_chunk(stranger, wrong);
  CHECK(rejections_in(effects.observations) == std::vector{rejection::unsolicited});
  CHECK(effects.sends.empty());
  CHECK(finish(world, asked) != nullptr);
}

TEST_CASE("a silent donor is replaced after a few ticks, and its late true answer still counts") {
  transfer_world world{4};
  const auto asked = asked_in(world.fetcher.on_fetch(world.certificate));
  std::map<std::uint64_t, replica_id> again;
  int ticks = 0;
  while (again.empty() && ticks < 10) {
    again = asked_in(world.fetcher.on_tick());
    ++ticks;
  }
  CHECK(ticks == 3);
  REQUIRE(again.size() == 1);
  CHECK(again.at(0) != asked.at(0));
  const auto late = world.fetcher.on_chunk(asked.at(0), world.chunk(0));
  CHECK(rejections_in(late.observations).empty());
  CHECK(finish(world, asked_in(late)) != nullptr);
}

TEST_CASE("a transfer that moves is let finish although newer certificates come (attack 26)") {
  transfer_world world{40};
  auto open = asked_in(world.fetcher.on_fetch(world.certificate));
  const auto newer_state = snapshot_of(2, "newer ");
  const auto newer = world.factory.certificate_of(sequence_number{8}, state_root(*newer_state));
  std::shared_ptr<const verified_state> whole;
  for (int step = 0; step < 1'000 && whole == nullptr; ++step) {
    REQUIRE(!open.empty());
    const auto [index, donor] = *open.begin();
    open.erase(open.begin());
    const auto effects = world.fetcher.on_chunk(donor, world.chunk(index));
    for (const auto& [next, asked] : asked_in(effects)) open[next] = asked;
    CHECK(world.fetcher.on_fetch(newer).sends.empty());
    (void)world.fetcher.on_tick();
    whole = effects.install;
  }
  REQUIRE(whole != nullptr);
  CHECK(state_root(*whole->snapshot) == state_root(*world.snapshot));
}

TEST_CASE("a transfer that stands still starts over for a newer certificate and refuses the older one's chunks") {
  transfer_world world{4};
  const auto asked = asked_in(world.fetcher.on_fetch(world.certificate));
  const auto newer_state = snapshot_of(2, "newer ");
  const auto newer = world.factory.certificate_of(sequence_number{8}, state_root(*newer_state));
  for (int tick = 0; tick < 12; ++tick) {
    CHECK(world.fetcher.on_fetch(newer).sends.empty());
    (void)world.fetcher.on_tick();
  }
  const auto restarted = world.fetcher.on_fetch(newer);
  REQUIRE(restarted.sends.size() == 1);
  CHECK(std::get<state_request>(read_frame(restarted.sends[0].frame)).sequence == sequence_number{8});
  CHECK(rejections_in(world.fetcher.on_chunk(asked.at(0), world.chunk(0)).observations) ==
        std::vector{rejection::unsolicited});
}

TEST_CASE("the same or an older certificate does not disturb a fetch") {
  transfer_world world{4};
  (void)world.fetcher.on_fetch(world.certificate);
  CHECK(world.fetcher.on_fetch(world.certificate).sends.empty());
  CHECK(world.fetcher.is_active());
}

TEST_CASE("an installed state ends its fetch and no newer one") {
  transfer_world world{4};
  (void)world.fetcher.on_fetch(world.certificate);
  world.fetcher.on_installed(sequence_number{3});
  CHECK(world.fetcher.is_active());
  world.fetcher.on_installed(sequence_number{4});
  CHECK_FALSE(world.fetcher.is_active());
  CHECK(world.fetcher.on_tick().sends.empty());
}

TEST_CASE("a donor answers for what it holds and for nothing else") {
  transfer_world world{3};
  const replica_id asker{3};
  CHECK(world.donor.answer(asker, {sequence_number{4}, 2}) != nullptr);
  CHECK(world.donor.answer(asker, {sequence_number{4}, 3}) == nullptr);
  CHECK(world.donor.answer(asker, {sequence_number{8}, 0}) == nullptr);
}

TEST_CASE("a replica that asks without end gets its share in each tick, and others theirs") {
  transfer_world world{3};
  const auto ask = [&](std::uint32_t asker) { return world.donor.answer(replica_id{asker}, {sequence_number{4}, 0}); };
  for (unsigned count = 0; count < state_donor::chunks_per_tick_max; ++count) CHECK(ask(3) != nullptr);
  CHECK(ask(3) == nullptr);
  CHECK(ask(2) != nullptr);
  world.donor.on_tick();
  CHECK(ask(3) != nullptr);
}

TEST_CASE("a donor keeps the stable state while a whole window of newer ones waits for votes") {
  // L / K = 16: the group stops at H, and the state at h is the only one that is certified.
  const auto cluster = small_cluster(4, 4, 16, 256);
  state_donor donor{cluster};
  for (std::uint64_t n = 1; n <= 17; ++n) donor.on_taken(sequence_number{16 * n}, snapshot_of(2, "state"));
  CHECK(donor.answer(replica_id{3}, {sequence_number{16}, 0}) != nullptr);
}

TEST_CASE("a donor whose state is wrong gives it to nobody") {
  transfer_world world{3};
  world.donor.stop();
  CHECK(world.donor.answer(replica_id{3}, {sequence_number{4}, 0}) == nullptr);
  world.donor.on_taken(sequence_number{8}, snapshot_of(2, "state"));
  CHECK(world.donor.answer(replica_id{3}, {sequence_number{8}, 0}) == nullptr);
}

TEST_CASE("a donor holds a bounded number of states and drops the oldest") {
  transfer_world world{2};
  const auto& cluster = world.factory.cluster();
  const auto most = cluster.watermark_window / cluster.checkpoint_period + 2;
  for (std::uint64_t n = 2; n <= 1 + most; ++n) world.donor.on_taken(sequence_number{4 * n}, snapshot_of(2, "state"));
  CHECK(world.donor.answer(replica_id{3}, {sequence_number{4}, 0}) == nullptr);
  CHECK(world.donor.answer(replica_id{3}, {sequence_number{8}, 0}) != nullptr);
}

TEST_CASE("a fetch among honest, lying, silent and forgetful donors ends with the true state, for many seeds") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    sample_source random{seed};
    transfer_world world{1 + random.below(70)};
    auto open = asked_in(world.fetcher.on_fetch(world.certificate));
    std::shared_ptr<const verified_state> whole;
    const replica_id liar{static_cast<std::uint32_t>(random.below(3))};
    for (int step = 0; step < 5'000 && whole == nullptr; ++step) {
      if (open.empty() || random.below(5) == 0) {
        for (const auto& [index, donor] : asked_in(world.fetcher.on_tick()))
          open[index] = donor;
        continue;
      }
      auto place = open.begin();
      std::advance(place, random.below(open.size()));
      const auto [index, donor] = *place;
      open.erase(place);
      auto chunk = world.chunk(index);
      if (donor == liar && random.below(3) != 0) {
        if (random.below(2) == 0) continue;
        chunk.path.push_back(named_digest("a step too many"));
      }
      const auto effects = world.fetcher.on_chunk(donor, chunk);
      whole = effects.install;
      for (const auto& [next, other] : asked_in(effects))
        open[next] = other;
    }
    CAPTURE(seed);
    REQUIRE(whole != nullptr);
    CHECK(state_root(*whole->snapshot) == state_root(*world.snapshot));
  }
}
