#include <doctest/doctest.h>

#include <algorithm>

#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/transfer/state_donor.hpp"
#include "actors/protocol/transfer/state_transfer.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/donor_crowd.hpp"

// Castro & Liskov, TOCS '02, §5.3 "Checkpoint Management": the parts about state transfer. Each test states its claim
// in our words, because the section is paraphrased and not quoted. f = 1, K = 4, L = 8 unless a test says otherwise.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr sequence_number four{4};

/// Whether the whole state has the certified root.
bool is_certified(const verified_state& whole) {
  return state_root(*whole.snapshot) == whole.certificate->votes.front().content.value;
}

}  // namespace

// A replica starts a transfer when it learns of a stable checkpoint that it cannot reach by executing, because the
// others have discarded the messages before this checkpoint.
TEST_CASE(
    "5.3: a replica that missed what is discarded fetches the stable checkpoint, and then the messages after it") {
  core_cluster_options options;
  options.batching.requests_per_batch_max = 1;
  core_cluster cluster{options};
  cluster.isolate(replica_id{3});
  for (int number = 0; number < 19; ++number)
    cluster.submit(client_id{0}, "op " + std::to_string(number));
  cluster.run(500);
  REQUIRE(cluster.checker().last_committed() == sequence_number{19});
  cluster.heal();
  REQUIRE(cluster.settle(2'000));
  CHECK(cluster.node(3).installs() == 1);
  // The state at 16 is stable. The batches 17, 18 and 19 came as messages.
  CHECK(cluster.node(3).state().last_executed() == sequence_number{19});
  CHECK(cluster.node(3).root() == cluster.node(0).root());
}

// A replica that can reach the checkpoint by executing starts no transfer.
TEST_CASE("5.3: a replica that lacks messages the others still have fetches no state") {
  core_cluster_options options;
  options.batching.requests_per_batch_max = 1;
  core_cluster cluster{options};
  cluster.isolate(replica_id{3});
  for (int number = 0; number < 3; ++number)
    cluster.submit(client_id{0}, "op " + std::to_string(number));
  cluster.run(200);
  cluster.heal();
  REQUIRE(cluster.settle(2'000));
  CHECK(cluster.node(3).installs() == 0);
}

// The state is a tree of partitions with digests. The fetcher descends from the digest that the certificate proves, and
// compares the received digests with its own. So it fetches only partitions that are out of date.
TEST_CASE("5.3: only what is out of date is fetched") {
  transfer_world world{500};
  world.fetcher.on_taken(sequence_number{2}, changed_state(*world.snapshot, 50, "out of date "));
  world.fetch();
  REQUIRE(world.crowd.run(10));
  CHECK(world.arrived());
  CHECK(world.crowd.questions(state_part::leaves) == 1);
  CHECK(world.crowd.questions(state_part::chunk) == 10);
}

// A reply is accepted only when it matches a digest that is known to be right. So one replica suffices to give a part,
// and no replica can give a false part.
TEST_CASE("5.3: f faulty donors change nothing of the state that is fetched, whatever they send") {
  for (const std::uint32_t replicas : {4U, 7U, 10U}) {
    transfer_world world{named_state(120, "partition "), replicas};
    const auto f = world.factory.cluster().group().faulty_max();
    for (std::uint32_t faulty = 0; faulty < f; ++faulty) {
      world.crowd.set(faulty, [faulty](const state_request& wanted) -> std::optional<state_chunk_message> {
        if (wanted.part == state_part::chunk)
          return state_chunk_message{wanted, std::make_shared<const byte_vector>(9)};
        return state_chunk_message{wanted, leaf_page{1 + faulty, std::vector<digest>(1 + faulty), {}}};
      });
    }
    world.fetch();
    REQUIRE(world.crowd.run(40));
    CHECK(is_certified(*world.crowd.whole()));
    CHECK(world.arrived());
  }
}

// The data of a partition comes from one designated replier. If this replier does not answer, another one is
// designated.
TEST_CASE("5.3: a donor that does not answer is replaced until one does") {
  for (std::uint32_t alive = 0; alive < 3; ++alive) {
    transfer_world world{60};
    for (std::uint32_t number = 0; number < 3; ++number) {
      if (number == alive) continue;
      world.crowd.set(number, [](const state_request&) -> std::optional<state_chunk_message> { return std::nullopt; });
    }
    world.fetch();
    REQUIRE(world.crowd.run(40));
    CHECK(world.arrived());
    for (const auto& each : world.crowd.replaced())
      CHECK(each.replica != replica_id{alive});
  }
}

// While a replica fetches a checkpoint, the others continue and discard this checkpoint. Partitions that were already
// fetched and have not changed since then need not be fetched again for the newer checkpoint.
TEST_CASE("5.3: a transfer goes on with a newer checkpoint when the older one is discarded") {
  transfer_world world{400};
  const auto newer = changed_state(*world.snapshot, 40, "newer ");
  world.fetch();
  REQUIRE_FALSE(world.crowd.run(5));
  const auto before = world.crowd.questions(state_part::chunk);
  for (std::uint32_t number = 0; number < 3; ++number)
    world.crowd.set(number, honest_donor{sequence_number{8}, newer});
  world.crowd.carry_out(world.fetcher.on_fetch(world.certify(8, *newer), fetch_reason::lag));
  REQUIRE(world.crowd.run(60));
  CHECK(world.arrived(*newer));
  CHECK(is_certified(*world.crowd.whole()));
  // Some requested chunks were still on their way, and a tenth of the fetched tenth has changed.
  CHECK(world.crowd.questions(state_part::chunk) < before + 400);
}

// A replica that compares its own state with the certified state finds the corrupt parts and fetches only those.
TEST_CASE("5.3: a replica whose own state is corrupt fetches what is corrupt and nothing else") {
  transfer_world world{200};
  auto own = *world.snapshot;
  for (const std::size_t index : {3UL, 77UL}) {
    auto bytes = *own[index].bytes;
    bytes.front() ^= std::byte{1};
    own[index].bytes = std::make_shared<const byte_vector>(std::move(bytes));
  }
  // The leaves are still the digests of the bytes before the corruption.
  world.fetcher.on_taken(four, std::make_shared<const state_snapshot>(std::move(own)));
  world.fetch(fetch_reason::own_state_wrong);
  REQUIRE(world.crowd.run(10));
  CHECK(world.arrived());
  CHECK(world.crowd.questions(state_part::chunk) == 2);
}

// The service state is copied only where it changes, so an old checkpoint costs only the differences.
TEST_CASE("5.3: a checkpoint costs a donor what changed since the one before") {
  state_donor donor{small_cluster(4, 4, 4, 64)};
  auto state = *named_state(1'000, "partition with some content in it, number ");
  donor.on_taken(four, std::make_shared<const state_snapshot>(state));
  const auto whole = donor.bytes_held();
  for (std::uint64_t n = 2; n <= 10; ++n) {
    state[n] = named_state(1, "another content ")->front();
    donor.on_taken(sequence_number{4 * n}, std::make_shared<const state_snapshot>(state));
  }
  CHECK(donor.bytes_held() < whole + 9 * 60);
}
