#include "actors/state_transfer.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::chrono::milliseconds period{200};
constexpr sequence_number four{4};

/// The state transfer of replica 3, which fetches what 0, 1 and 2 certified.
struct transfer_bench : virtual_bench {
  state_transfer_actor tested = connect(system().spawn(state_transfer, identity(), period));
  std::shared_ptr<const state_snapshot> snapshot =
      std::make_shared<const state_snapshot>(counting_machine{}.snapshot());
  std::shared_ptr<const checkpoint_certificate> certificate = make().certificate_of(four, state_root(*snapshot));
  state_donor donor{identity().cluster};

  struct question {
    std::uint32_t donor = 0;
    std::uint64_t index = 0;
    friend bool operator==(const question&, const question&) = default;
  };
  using questions = std::vector<question>;

  transfer_bench() : virtual_bench(replica_id{3}) { donor.on_taken(four, snapshot); }

  /// Whom the journal was given to ask for which chunk.
  questions asked() {
    questions all;
    for (const auto& each : take<persist_and_send>("journal")) {
      for (const auto& sent : *each.sends) {
        const auto decoded = std::get<message>(decode(sent.frame));
        all.push_back({sent.to->value, std::get<state_request>(decoded).index});
      }
    }
    return all;
  }
  void answer(std::uint32_t from, std::uint64_t index) {
    donor.on_tick();
    const auto frame = donor.answer(replica_id{3}, {four, index});
    give_verified(tested, principal::of(replica_id{from}), std::get<message>(decode(frame)));
  }
  void lie(std::uint32_t from, std::uint64_t index) {
    state_chunk_message chunk{
        four, index, snapshot->size(), std::make_shared<const byte_vector>(to_byte_vector("garbage")), {}};
    give_verified(tested, principal::of(replica_id{from}), std::move(chunk));
  }
};

}  // namespace

TEST_CASE_FIXTURE(transfer_bench,
                  "the first chunk tells how many there are, and the rest is asked of all donors in turn") {
  give(tested, fetch_state{certificate});
  CHECK(asked() == questions{{0, 0}});
  answer(0, 0);
  const auto rest = asked();
  REQUIRE(rest.size() == snapshot->size() - 1);
  for (std::size_t place = 0; place < rest.size(); ++place) {
    CHECK(rest[place] == question{static_cast<std::uint32_t>((place + 1) % 3), place + 1});
  }
}

TEST_CASE_FIXTURE(transfer_bench, "a state whose chunks are all verified is handed over once") {
  give(tested, fetch_state{certificate});
  answer(0, 0);
  for (const auto& each : asked()) {
    if (each.index > 0) answer(each.donor, each.index);
  }
  const auto handed = take<install_state>("executor");
  REQUIRE(handed.size() == 1);
  CHECK(state_root(*handed.front().snapshot) == state_root(*snapshot));
  answer(1, 1);
  CHECK(take<install_state>("executor").empty());
}

TEST_CASE_FIXTURE(transfer_bench, "a chunk that does not fit the root is asked of another donor") {
  give(tested, fetch_state{certificate});
  forget();
  lie(0, 0);
  CHECK(asked() == questions{{1, 0}});
  const auto counted = take_observed<frame_rejected>();
  REQUIRE(counted.size() == 1);
  CHECK(counted.front().sender == principal::of(replica_id{0}));
  CHECK(counted.front().reason == rejection::wrong_digest);
  answer(1, 0);
  for (const auto& each : asked())
    CHECK(each.donor != 0);
}

TEST_CASE_FIXTURE(transfer_bench, "a donor that lies twice at once is only asked no more") {
  give(tested, fetch_state{certificate});
  answer(0, 0);
  forget();
  // Replica 0 was asked for the chunks 3 and 6.
  lie(0, 3);
  lie(0, 6);
  CHECK(take_observed<frame_rejected>().size() == 2);
  CHECK(asked().size() == 2);
}

TEST_CASE_FIXTURE(transfer_bench, "chunks that nobody asked for are refused") {
  answer(0, 0);
  give(tested, fetch_state{certificate});
  answer(0, 5);
  const auto counted = take_observed<frame_rejected>();
  REQUIRE(counted.size() == 2);
  for (const auto& each : counted)
    CHECK(each.reason == rejection::unsolicited);
}

TEST_CASE_FIXTURE(transfer_bench, "a chunk that does not arrive is asked of another donor after three periods") {
  give(tested, fetch_state{certificate});
  forget();
  advance(2 * period);
  CHECK(asked().empty());
  advance(period);
  CHECK(asked() == questions{{1, 0}});
}

TEST_CASE_FIXTURE(transfer_bench,
                  "a donor answers over the link that asked, and is silent about states it does not hold") {
  give(tested, checkpoint_taken{four, state_root(*snapshot), snapshot});
  give_verified(tested, principal::of(replica_id{2}), state_request{four, 1}, link("asker"));
  const auto answers = take_frames("asker");
  REQUIRE(answers.size() == 1);
  const auto& chunk = std::get<state_chunk_message>(answers.front());
  CHECK(verify_merkle_path(state_root(*snapshot), chunk.chunk_count, chunk.index, state_chunk_digest(*chunk.bytes),
                           chunk.path));
  give_verified(tested, principal::of(replica_id{2}), state_request{sequence_number{8}, 0}, link("asker"));
  give_verified(tested, principal::of(replica_id{2}), state_request{four, 1'000}, link("asker"));
  CHECK(take_frames("asker").empty());
}

TEST_CASE_FIXTURE(transfer_bench, "a fetch that execution has overtaken asks no more") {
  give(tested, fetch_state{certificate});
  give(tested, state_installed{four, std::make_shared<const std::vector<request_id>>()});
  forget();
  advance(10 * period);
  CHECK(asked().empty());
}
