#include <doctest/doctest.h>

#include <array>

#include "actors/protocol/transfer/state_transfer.hpp"
#include "tests/support/donor_crowd.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/message_samples.hpp"

// Tests of fetches from donors of every kind, drawn from a seed.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr auto moments_per_tick = donor_crowd::moments_per_tick;

enum class habit : std::uint8_t {
  honest,
  silent,
  forgetful,
  always_busy,
  lies_in_bytes,
  lies_in_place,
  lies_in_count,
  lies_in_path,
  moody,
};
constexpr std::uint64_t habits = 9;

/// A donor that may change its behaviour at any time. Its answers follow its present behaviour.
class random_donor {
 public:
  random_donor(std::vector<honest_donor> states, std::uint64_t seed) : states_(std::move(states)), random_(seed) {
    change();
  }

  void change() { habit_ = static_cast<habit>(random_.below(habits)); }

  std::optional<state_chunk_message> operator()(const state_request& wanted) {
    auto said = truth(wanted);
    switch (habit_ == habit::moody ? static_cast<habit>(random_.below(habits - 1)) : habit_) {
      case habit::honest:
      case habit::moody:
        return said;
      case habit::silent:
        return std::nullopt;
      case habit::forgetful:
        return state_chunk_message{wanted, state_refusal::not_held};
      case habit::always_busy:
        return state_chunk_message{wanted, state_refusal::busy};
      case habit::lies_in_bytes:
        return in_bytes(std::move(said));
      case habit::lies_in_place:
        return in_place(wanted);
      case habit::lies_in_count:
        return in_count(std::move(said));
      case habit::lies_in_path:
        return in_path(std::move(said));
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] state_chunk_message truth(const state_request& wanted) const {
    for (const auto& each : states_) {
      auto said = each(wanted);
      if (!std::holds_alternative<state_refusal>(said.content)) return said;
    }
    return {wanted, state_refusal::not_held};
  }

  state_chunk_message in_bytes(state_chunk_message said) {
    if (auto* page = std::get_if<leaf_page>(&said.content)) {
      page->leaves[random_.below(page->leaves.size())].bytes[3] ^= std::byte{1};
    } else if (auto* chunk = std::get_if<chunk_bytes>(&said.content)) {
      auto bytes = **chunk;
      bytes.resize(random_.below(bytes.size() + 3), std::byte{7});
      if (bytes == **chunk) bytes.push_back(std::byte{7});
      said.content = std::make_shared<const byte_vector>(std::move(bytes));
    }
    return said;
  }

  /// Either another part under the requested place, or the right part under another place.
  state_chunk_message in_place(const state_request& wanted) {
    auto other = wanted;
    other.index += 1 + random_.below(5);
    if (random_.below(3) == 0) other.part = state_part::chunk;
    auto said = truth(other);
    const bool fits = said.wanted.part == wanted.part;
    const auto* page = std::get_if<leaf_page>(&said.content);
    if (!fits || (page != nullptr && page->leaves.size() != state_page_size(page->chunk_count, wanted.index)))
      return said;
    if (random_.below(2) == 0) said.wanted = wanted;
    return said;
  }

  state_chunk_message in_count(state_chunk_message said) {
    auto* page = std::get_if<leaf_page>(&said.content);
    if (page == nullptr) return in_bytes(std::move(said));
    page->chunk_count = said.wanted.index * limits::state_page_leaves + 1 + random_.below(2 * page->leaves.size());
    page->leaves.resize(state_page_size(page->chunk_count, said.wanted.index));
    if (page->chunk_count == 1) page->path.emplace_back();
    return said;
  }

  state_chunk_message in_path(state_chunk_message said) {
    auto* page = std::get_if<leaf_page>(&said.content);
    if (page == nullptr) return in_bytes(std::move(said));
    if (!page->path.empty() && random_.below(2) == 0) {
      page->path.pop_back();
    } else {
      page->path.emplace_back();
    }
    return said;
  }

  std::vector<honest_donor> states_;
  sample_source random_;
  habit habit_ = habit::honest;
};

/// A fetch of a state. One donor is correct throughout, and the behaviour of all others is drawn at random.
struct random_fetch {
  sample_source random;
  std::uint32_t replicas;
  transfer_world world;
  std::shared_ptr<const state_snapshot> newer;
  std::shared_ptr<const checkpoint_certificate> newer_certificate;
  std::vector<honest_donor> states;
  std::vector<std::shared_ptr<random_donor>> others;
  std::uint32_t honest;
  std::uint64_t honest_pace;

  explicit random_fetch(std::uint64_t seed)
      : random(seed),
        replicas(static_cast<std::uint32_t>(4 + 3 * random.below(3))),
        world(named_state(1 + random.below(random.below(4) == 0 ? 2'500 : 120), "chunk "), replicas),
        newer(changed_state(*world.snapshot, 1 + random.below(20), "newer ")),
        newer_certificate(world.certify(8, *newer)),
        states{honest_donor{sequence_number{4}, world.snapshot}, honest_donor{sequence_number{8}, newer}},
        honest(static_cast<std::uint32_t>(random.below(world.donors()))),
        honest_pace(1 + random.below(3)) {
    if (random.below(2) == 0) {
      world.fetcher.on_taken(sequence_number{2}, changed_state(*world.snapshot, 1 + random.below(9), "own "));
    }
    for (std::uint32_t number = 0; number < world.donors(); ++number) {
      if (number == honest) {
        world.crowd.set(
            number, [this](const state_request& wanted) { return truth(wanted); }, honest_pace,
            random.below(2 * moments_per_tick));
        continue;
      }
      const auto other = std::make_shared<random_donor>(states, random.number());
      others.push_back(other);
      world.crowd.set(
          number, [other](const state_request& wanted) { return (*other)(wanted); }, 1 + random.below(40),
          random.below(6 * moments_per_tick));
    }
    // From a random tick on, there is a newer certificate.
    const auto offered_from = random.below(40);
    world.crowd.on_tick([this, offered_from] {
      for (const auto& each : others) {
        if (random.below(8) == 0) each->change();
      }
      if (world.crowd.ticks() >= offered_from)
        world.crowd.carry_out(world.fetcher.on_fetch(newer_certificate, fetch_reason::lag));
    });
  }

  [[nodiscard]] state_chunk_message truth(const state_request& wanted) const {
    auto said = states[0](wanted);
    return std::holds_alternative<state_refusal>(said.content) ? states[1](wanted) : said;
  }
  /// One and a half times the time that the correct donor alone needs, and time to detect each of the other donors.
  [[nodiscard]] std::uint64_t ticks_max() const {
    return 3 * world.snapshot->size() * honest_pace / moments_per_tick / 2 + 10ULL * replicas + 20;
  }
};

}  // namespace

TEST_CASE("a fetch ends with a certified state while one honest donor answers, for many seeds") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    random_fetch fetch{seed};
    auto& world = fetch.world;
    auto& crowd = world.crowd;
    world.fetch();
    CAPTURE(seed);
    REQUIRE(crowd.run(fetch.ticks_max()));
    const bool is_older = crowd.whole()->certificate == world.certificate;
    if (!is_older) REQUIRE(crowd.whole()->certificate == fetch.newer_certificate);
    CHECK(world.arrived(is_older ? *world.snapshot : *fetch.newer));
    // The number of requests is bounded: each part once, or twice when a donor failed, and in each tick one question to
    // each donor that fails.
    const auto parts = state_pages_of(world.snapshot->size()) + world.snapshot->size();
    CHECK(crowd.questions() <= 2 * parts + fetch.replicas * (crowd.ticks() + 1));
    // A donor whose answers are all correct, early or late, is never reported as a liar.
    for (const auto& each : crowd.replaced()) {
      if (each.replica == replica_id{fetch.honest}) CHECK(each.reason == donor_fault::late);
    }
  }
}

TEST_CASE("equal seeds give equal fetches") {
  for (const std::uint64_t seed : {3ULL, 17ULL}) {
    std::array<std::pair<std::uint64_t, std::size_t>, 2> runs;
    for (auto& [ticks, questions] : runs) {
      random_fetch fetch{seed};
      fetch.world.fetch();
      REQUIRE(fetch.world.crowd.run(fetch.ticks_max()));
      ticks = fetch.world.crowd.ticks();
      questions = fetch.world.crowd.questions();
    }
    CHECK(runs[0] == runs[1]);
  }
}
