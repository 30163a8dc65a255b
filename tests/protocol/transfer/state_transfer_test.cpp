#include "actors/protocol/transfer/state_transfer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/support/donor_crowd.hpp"
#include "tests/support/effect_reader.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr sequence_number four{4};
constexpr sequence_number eight{8};

using questions = std::vector<std::pair<replica_id, state_request>>;

/// The requests of the fetcher, by donor.
questions asked_in(const transfer_effects& effects) {
  questions all;
  for (const auto& each : effects.sends)
    all.emplace_back(*each.to, std::get<state_request>(read_frame(each.frame)));
  return all;
}

state_chunk_message chunk_answer(sequence_number sequence, std::uint64_t index, std::string_view text) {
  return {{sequence, index}, std::make_shared<const byte_vector>(to_byte_vector(text))};
}

/// A fetcher that knows all leaves of a state of `chunks` chunks and has requested chunks.
struct asking_world : transfer_world {
  honest_donor donor{four, snapshot};
  questions open;

  explicit asking_world(std::size_t chunks) : transfer_world(chunks) {
    const auto first = asked_in(fetcher.on_fetch(certificate, fetch_reason::lag));
    open = asked_in(fetcher.on_chunk(first.at(0).first, donor(first.at(0).second)));
  }
  [[nodiscard]] std::vector<rejection> hear(replica_id from, const state_chunk_message& said) {
    return rejections_in(fetcher.on_chunk(from, said).observations);
  }
};

}  // namespace

TEST_CASE("a state of any number of chunks arrives complete and under its certificate") {
  const auto page = limits::state_page_leaves;
  for (const std::size_t chunks : {1UL, 2UL, 3UL, 17UL, 100UL, page - 1, page, page + 1, 2 * page, 3 * page + 5}) {
    transfer_world world{chunks};
    world.fetch();
    CAPTURE(chunks);
    REQUIRE(world.crowd.run(500));
    CHECK(world.crowd.whole()->certificate == world.certificate);
    CHECK(world.arrived());
    CHECK(world.crowd.observations().empty());
    CHECK(world.crowd.questions(state_part::leaves) == state_pages_of(chunks));
    CHECK(world.crowd.questions(state_part::chunk) == chunks);
  }
}

TEST_CASE("the leaves come first, and until the first page is proven only that page is requested") {
  transfer_world world{3 * limits::state_page_leaves};
  const honest_donor donor{four, world.snapshot};
  const auto first = asked_in(world.fetcher.on_fetch(world.certificate, fetch_reason::lag));
  REQUIRE(first.size() == 1);
  CHECK(first[0].second == state_request{four, 0, state_part::leaves});
  auto open = asked_in(world.fetcher.on_chunk(first[0].first, donor(first[0].second)));
  REQUIRE(open.size() == 2);
  for (const auto& [to, wanted] : open)
    CHECK(wanted.part == state_part::leaves);
  CHECK(world.fetcher.on_chunk(open[0].first, donor(open[0].second)).sends.empty());
  for (const auto& [to, wanted] : asked_in(world.fetcher.on_chunk(open[1].first, donor(open[1].second))))
    CHECK(wanted.part == state_part::chunk);
}

TEST_CASE("chunks are requested from all signers at once, and never from the fetcher itself") {
  transfer_world world{100};
  const honest_donor donor{four, world.snapshot};
  const auto self_signed = world.factory.certificate_of(four, state_root(*world.snapshot), {0, 2, 3});
  const auto first = asked_in(world.fetcher.on_fetch(self_signed, fetch_reason::lag));
  REQUIRE(first.size() == 1);
  const auto more = asked_in(world.fetcher.on_chunk(first[0].first, donor(first[0].second)));
  std::map<replica_id, unsigned> asked;
  for (const auto& [to, wanted] : more)
    ++asked[to];
  CHECK(asked == std::map<replica_id, unsigned>{{replica_id{0}, donor_roster::window_initial},
                                                {replica_id{2}, donor_roster::window_initial}});
}

TEST_CASE("the requests in flight stay below 16 MiB, whatever the donors announce") {
  state_snapshot large;
  for (std::size_t index = 0; index < 150; ++index) {
    byte_vector bytes(limits::state_chunk_bytes_max);
    bytes[0] = static_cast<std::byte>(index);
    const auto leaf = state_chunk_digest(bytes);
    large.push_back({std::make_shared<const byte_vector>(std::move(bytes)), leaf});
  }
  transfer_world world{std::make_shared<const state_snapshot>(large)};
  const honest_donor donor{four, world.snapshot};
  auto open = asked_in(world.fetcher.on_fetch(world.certificate, fetch_reason::lag));
  std::size_t most = 0;
  while (!open.empty()) {
    const auto [to, wanted] = open.front();
    open.erase(open.begin());
    const auto more = asked_in(world.fetcher.on_chunk(to, donor(wanted)));
    open.insert(open.end(), more.begin(), more.end());
    most = std::max(most, open.size());
  }
  CHECK(most == (16ULL << 20U) / limits::state_chunk_bytes_max - 1);
}

TEST_CASE(
    "a corrupt chunk is refused, its donor excluded and reported, and the chunk requested from another (attack 24)") {
  asking_world world{30};
  const auto [liar, wanted] = world.open.front();
  const auto effects = world.fetcher.on_chunk(liar, chunk_answer(four, wanted.index, "something else"));
  CHECK(rejections_in(effects.observations) == std::vector{rejection::wrong_digest});
  const auto replaced = observed_in<donor_replaced>(effects.observations);
  REQUIRE(replaced.size() == 1);
  CHECK(replaced[0].replica == liar);
  CHECK(replaced[0].reason == donor_fault::lied);
  // All requests to the liar are given to others as far as they have room, and the liar gets no further request.
  for (const auto& [to, again] : asked_in(effects))
    CHECK(to != liar);
  world.crowd.carry_out(effects);
  for (const auto& [to, each] : world.open) {
    if (to != liar) world.crowd.of(to.value).queue.push_back(each);
  }
  REQUIRE(world.crowd.run(20));
  CHECK(world.arrived());
  CHECK(world.crowd.of(liar.value).asked.empty());
}

TEST_CASE("a donor that lies about several chunks in flight is excluded once and crashes nothing") {
  asking_world world{60};
  const auto liar = world.open.front().first;
  std::size_t lies = 0;
  for (const auto& [to, wanted] : world.open) {
    if (to != liar) continue;
    const auto effects = world.fetcher.on_chunk(liar, chunk_answer(four, wanted.index, "a lie"));
    CHECK(rejections_in(effects.observations) == std::vector{rejection::wrong_digest});
    CHECK(observed_in<donor_replaced>(effects.observations).size() == (lies == 0 ? 1 : 0));
    ++lies;
  }
  CHECK(lies > 1);
}

TEST_CASE("every false page is refused before it costs memory") {
  transfer_world world{5};
  const honest_donor donor{four, world.snapshot};
  const state_request first{four, 0, state_part::leaves};
  const auto lies = [&](const auto& change) {
    auto said = donor(first);
    change(std::get<leaf_page>(said.content));
    return said;
  };
  const std::vector<state_chunk_message> all = {
      lies([](leaf_page& page) { page.leaves[3].bytes[5] ^= std::byte{1}; }),
      lies([](leaf_page& page) { std::swap(page.leaves[0], page.leaves[1]); }),
      lies([](leaf_page& page) { page.path.emplace_back(); }), lies([](leaf_page& page) {
        page.chunk_count = 4;
        page.leaves.pop_back();
      }),
      lies([](leaf_page& page) {
        page.chunk_count = 6;
        page.leaves.push_back(page.leaves.back());
      }),
      // The page claims the largest possible state.
      lies([](leaf_page& page) {
        page.chunk_count = limits::state_chunks_max;
        page.leaves.resize(limits::state_page_leaves);
        page.path.resize(limits::page_path_max);
      })};
  for (const auto& lie : all) {
    state_fetcher fetcher{world.factory.cluster(), replica_id{3}};
    const auto asked = asked_in(fetcher.on_fetch(world.certificate, fetch_reason::lag));
    const auto effects = fetcher.on_chunk(asked.at(0).first, lie);
    CHECK(rejections_in(effects.observations) == std::vector{rejection::wrong_digest});
    const auto again = asked_in(effects);
    REQUIRE(again.size() == 1);
    CHECK(again[0].first != asked[0].first);
    CHECK(again[0].second == first);
  }
}

TEST_CASE("another chunk's bytes under a requested index are refused") {
  asking_world world{8};
  const auto [to, wanted] = world.open.front();
  auto swapped = world.donor({four, wanted.index + 1});
  swapped.wanted.index = wanted.index;
  CHECK(world.hear(to, swapped) == std::vector{rejection::wrong_digest});
}

TEST_CASE("an unrequested answer is refused, correct or not, and costs its sender's donors nothing") {
  transfer_world idle{4};
  const honest_donor donor{four, idle.snapshot};
  CHECK(rejections_in(idle.fetcher.on_chunk(replica_id{0}, donor({four, 0})).observations) ==
        std::vector{rejection::unsolicited});

  asking_world world{40};
  const auto [to, wanted] = world.open.front();
  const replica_id stranger{to.value == 2 ? 1U : 2U};
  const std::vector unsolicited{rejection::unsolicited};
  CHECK(world.hear(stranger, world.donor(wanted)) == unsolicited);
  CHECK(world.hear(stranger, chunk_answer(four, wanted.index, "a lie")) == unsolicited);
  CHECK(world.hear(stranger, {wanted, state_refusal::not_held}) == unsolicited);
  CHECK(world.hear(to, world.donor({four, 39})) == unsolicited);
  CHECK(world.hear(to, chunk_answer(eight, wanted.index, "another state")) == unsolicited);
  CHECK(world.hear(to, world.donor({four, 0, state_part::leaves})) == unsolicited);
  CHECK(world.hear(to, {{four, wanted.index, state_part::leaves}, state_refusal::not_held}) == unsolicited);
  // The question is still open, so its answer is accepted once.
  CHECK(world.hear(to, world.donor(wanted)).empty());
  CHECK(world.hear(to, world.donor(wanted)) == unsolicited);
}

TEST_CASE("no donor is asked twice for one part while others serve") {
  transfer_world world{200};
  world.crowd.set(1, honest_donor{four, world.snapshot}, 3);
  world.fetch();
  REQUIRE(world.crowd.run(100));
  for (std::uint32_t number = 0; number < 3; ++number) {
    std::set<std::uint64_t> once;
    for (const auto& each : world.crowd.of(number).asked) {
      if (each.part == state_part::chunk) CHECK(once.insert(each.index).second);
    }
  }
}

TEST_CASE("a state that arrived is handed over once, and nothing is requested or accepted after it") {
  transfer_world world{20};
  world.fetch();
  REQUIRE(world.crowd.run(20));
  CHECK(world.fetcher.is_active());
  const auto before = world.crowd.questions();
  const honest_donor donor{four, world.snapshot};
  CHECK(rejections_in(world.fetcher.on_chunk(replica_id{0}, donor({four, 3})).observations) ==
        std::vector{rejection::unsolicited});
  for (int tick = 0; tick < 50; ++tick)
    world.crowd.carry_out(world.fetcher.on_tick());
  CHECK(world.crowd.questions() == before);
}

TEST_CASE("a state with all its chunks at hand requests nothing more") {
  transfer_world world{20};
  world.fetcher.on_taken(sequence_number{3}, world.snapshot);
  world.fetch();
  REQUIRE(world.crowd.run(20));
  for (int tick = 0; tick < 50; ++tick)
    CHECK(world.fetcher.on_tick().sends.empty());
}

TEST_CASE("the same or an older certificate does not disturb a fetch") {
  transfer_world world{4};
  world.fetch();
  CHECK(world.fetcher.on_fetch(world.certificate, fetch_reason::lag).sends.empty());
  CHECK(world.fetcher.is_active());
}

TEST_CASE("an installed state ends its fetch and no newer one") {
  transfer_world world{4};
  world.fetch();
  world.fetcher.on_installed(sequence_number{3});
  CHECK(world.fetcher.is_active());
  world.fetcher.on_installed(four);
  CHECK_FALSE(world.fetcher.is_active());
  CHECK(world.fetcher.on_tick().sends.empty());
}

TEST_CASE("execution that reaches the certified sequence ends the fetch, unless its own state is wrong") {
  for (const bool is_wrong : {false, true}) {
    transfer_world world{4};
    world.fetch(is_wrong ? fetch_reason::own_state_wrong : fetch_reason::lag);
    // The executor does not know of the divergence yet, so it goes on.
    world.fetcher.on_taken(four, named_state(4, "own "));
    CHECK(world.fetcher.is_active() == is_wrong);
    world.fetcher.on_taken(eight, named_state(4, "own "));
    CHECK(world.fetcher.is_active() == is_wrong);
  }
}

TEST_CASE("a repair ends when the state is installed, or when the executor does not need it") {
  transfer_world world{4};
  world.fetch(fetch_reason::own_state_wrong);
  REQUIRE(world.crowd.run(20));
  world.fetcher.on_taken(eight, named_state(4, "own "));
  CHECK(world.fetcher.is_active());
  SUBCASE("installed") { world.fetcher.on_installed(four); }
  SUBCASE("not needed") { CHECK(world.fetcher.on_install_refused(four, false).sends.empty()); }
  CHECK_FALSE(world.fetcher.is_active());
  // The next transfer is no repair.
  static_cast<void>(world.fetcher.on_fetch(world.certify(12, *named_state(4, "newer ")), fetch_reason::lag));
  REQUIRE(world.fetcher.is_active());
  world.fetcher.on_taken(sequence_number{12}, named_state(4, "own "));
  CHECK_FALSE(world.fetcher.is_active());
}

TEST_CASE("a state that the own one has reached is fetched only to replace a wrong one (attack 27)") {
  transfer_world world{4};
  world.fetcher.on_taken(eight, named_state(4, "wrong "));
  world.fetch(fetch_reason::lag);
  CHECK_FALSE(world.fetcher.is_active());
  world.fetch(fetch_reason::own_state_wrong);
  CHECK(world.fetcher.is_active());
}

TEST_CASE("a transfer to a replica that lags becomes the repair of a wrong state, and never the other way round") {
  transfer_world world{4};
  world.fetch(fetch_reason::lag);
  world.fetch(fetch_reason::own_state_wrong);
  world.fetch(fetch_reason::lag);
  world.fetcher.on_taken(eight, named_state(4, "wrong "));
  CHECK(world.fetcher.is_active());
}

TEST_CASE("a wish for a repair that comes after the repair starts no fetch that goes on for ever") {
  transfer_world world{4};
  world.fetch(fetch_reason::own_state_wrong);
  world.fetcher.on_installed(four);
  // The checkpointer sent this request before it learned of the installation.
  const auto newer = world.certify(8, *named_state(4, "newer "));
  const auto window = small_cluster(4).watermark_window;
  SUBCASE("the executor does not need the state") {
    for (std::uint32_t number = 0; number < 3; ++number)
      world.crowd.set(number, honest_donor{eight, named_state(4, "newer ")});
    world.crowd.carry_out(world.fetcher.on_fetch(newer, fetch_reason::own_state_wrong));
    REQUIRE(world.fetcher.is_active());
    world.fetcher.on_taken(eight, named_state(4, "newer "));
    REQUIRE(world.crowd.run(20));
    CHECK(world.fetcher.on_install_refused(eight, false).sends.empty());
  }
  SUBCASE("the donors have no such state any more, and the own states move on") {
    static_cast<void>(world.fetcher.on_fetch(newer, fetch_reason::own_state_wrong));
    world.fetcher.on_taken(eight.plus(window), named_state(4, "later "));
    CHECK(world.fetcher.is_active());
    world.fetcher.on_taken(eight.plus(window + 4), named_state(4, "later "));
  }
  SUBCASE("the own states have moved on before") {
    world.fetcher.on_taken(eight.plus(window + 4), named_state(4, "later "));
    static_cast<void>(world.fetcher.on_fetch(newer, fetch_reason::own_state_wrong));
  }
  CHECK_FALSE(world.fetcher.is_active());
}

TEST_CASE("an installed state is not fetched again, whatever the reason, and own states count again after it") {
  transfer_world world{4};
  world.fetch(fetch_reason::own_state_wrong);
  world.fetcher.on_installed(four);
  world.fetch(fetch_reason::own_state_wrong);
  CHECK_FALSE(world.fetcher.is_active());
  static_cast<void>(world.fetcher.on_fetch(world.certify(8, *named_state(4, "newer ")), fetch_reason::lag));
  CHECK(world.fetcher.is_active());
  world.fetcher.on_taken(eight, named_state(4, "newer "));
  CHECK_FALSE(world.fetcher.is_active());
}

TEST_CASE("a state that the executor does not need ends its fetch, and may be wanted again") {
  transfer_world world{4};
  world.fetch();
  REQUIRE(world.crowd.run(20));
  CHECK(world.fetcher.on_install_refused(four, false).sends.empty());
  CHECK_FALSE(world.fetcher.is_active());
  CHECK(world.fetcher.on_fetch(world.certificate, fetch_reason::lag).sends.size() == 1);
}

TEST_CASE("a state that cannot be restored ends its fetch for good, and the next one fetches only changed chunks") {
  transfer_world world{60};
  world.fetch();
  REQUIRE(world.crowd.run(20));
  (void)world.fetcher.on_install_refused(four, true);
  CHECK_FALSE(world.fetcher.is_active());
  CHECK(world.fetcher.on_fetch(world.certificate, fetch_reason::lag).sends.empty());
  CHECK_FALSE(world.fetcher.is_active());

  const auto next = changed_state(*world.snapshot, 20, "changed ");
  donor_crowd crowd{world.fetcher};
  for (std::uint32_t number = 0; number < 3; ++number)
    crowd.set(number, honest_donor{eight, next});
  crowd.carry_out(world.fetcher.on_fetch(world.certify(8, *next), fetch_reason::lag));
  REQUIRE(crowd.run(20));
  CHECK(crowd.questions(state_part::chunk) == 3);
  CHECK(state_root(*crowd.whole()->snapshot) == state_root(*next));
}

TEST_CASE("the executor's verdict on another state than the one handed over changes nothing") {
  transfer_world world{4};
  world.fetch();
  (void)world.fetcher.on_install_refused(four, true);
  CHECK(world.fetcher.is_active());
  REQUIRE(world.crowd.run(20));
  (void)world.fetcher.on_install_refused(sequence_number{3}, true);
  CHECK(world.fetcher.is_active());
}

TEST_CASE("a certificate that came while the executor refused the state is fetched at once") {
  transfer_world world{4};
  world.fetch();
  REQUIRE(world.crowd.run(20));
  CHECK(world.fetcher.on_fetch(world.certify(8, *named_state(4, "newer ")), fetch_reason::lag).sends.empty());
  const auto effects = world.fetcher.on_install_refused(four, true);
  const auto asked = asked_in(effects);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].second == state_request{eight, 0, state_part::leaves});
}
