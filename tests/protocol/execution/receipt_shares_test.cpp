#include <doctest/doctest.h>

#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/receipts/receipt_judge.hpp"
#include "actors/protocol/receipts/receipt_verifier.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto cluster = small_cluster(4);

/// A replica with its state.
struct signing_replica {
  const request_factory& factory;
  replica_id self;
  replicated_state state{std::make_unique<counting_machine>(), cluster};

  std::vector<replicated_state::answered_request> execute(std::vector<request> requests) {
    return state.execute(state.last_executed().next(), request_factory::batch_of(std::move(requests)));
  }
  [[nodiscard]] std::optional<receipt_share> share(const request& asked, std::uint32_t index = 0) {
    return state.receipt_for({asked.id, index}, factory.keys_of(self)).share;
  }
  installation install(std::uint64_t sequence, const state_snapshot& snapshot) {
    return state.install(sequence_number{sequence}, state_root(snapshot), snapshot).what;
  }
};

struct signing_world {
  request_factory factory{cluster};
  signing_replica one{factory, replica_id{1}};
  signing_replica two{factory, replica_id{2}};

  [[nodiscard]] request ask(std::uint64_t when, std::string_view operation = "op") const {
    return factory.request_of(client_id{0}, timestamp{when}, operation);
  }
};

/// The receipt of both shares for this operation and this result.
receipt receipt_of(const request& asked, const request_outcome& outcome, const receipt_share& one,
                   const receipt_share& two) {
  const auto operation = asked.operation(0);
  const auto result = outcome.result(0);
  return {cluster.signing,
          {asked.id,
           digest_of_request(asked),
           0,
           {operation.begin(), operation.end()},
           static_cast<operation_status>(outcome.statuses[0]),
           {result.begin(), result.end()}},
          one.place,
          {{replica_id{1}, one.by}, {replica_id{2}, two.by}}};
}

}  // namespace

TEST_CASE("replicas that executed the same batches sign the same statement, which verifies with the machine's result") {
  signing_world world;
  for (std::uint64_t when = 1; when <= 12; when += 3) {
    const std::vector asked{world.ask(when), world.ask(when + 1, "!refused"), world.ask(when + 2)};
    const auto answers = world.one.execute(asked);
    (void)world.two.execute(asked);
    for (std::size_t number = 0; number < asked.size(); ++number) {
      const auto here = world.one.share(asked[number]);
      const auto there = world.two.share(asked[number]);
      REQUIRE(here);
      REQUIRE(there);
      CHECK(here->place == there->place);
      const auto made = receipt_of(asked[number], *answers[number].answer.outcome, *here, *there);
      const auto strength = verify_receipt(made, cluster, world.factory.keys_of(client_id{0}));
      REQUIRE(strength);
      CHECK(*strength == receipt_strength::sufficient);
    }
  }
}

TEST_CASE("a request that is ordered again keeps its first place in a receipt (attacks 18 and 44)") {
  signing_world world;
  const auto asked = world.ask(1);
  (void)world.one.execute({asked});
  (void)world.one.execute({world.ask(2), asked});
  const auto share = world.one.share(asked);
  REQUIRE(share);
  CHECK(share->place.sequence == sequence_number{1});
  const auto other = world.one.share(world.ask(2));
  REQUIRE(other);
  CHECK(other->place.sequence == sequence_number{2});
  CHECK(other->place.request_count == 1);
}

TEST_CASE("openings, refused and unknown requests have no receipt") {
  signing_world world;
  const auto opening = world.factory.session_request(client_id{0}, session_id{5}, timestamp{0});
  const auto early = world.factory.session_request(client_id{0}, session_id{5}, timestamp{2});
  const auto first = world.factory.session_request(client_id{0}, session_id{5}, timestamp{1});
  (void)world.one.execute({opening, early, first});
  CHECK_FALSE(world.one.share(opening));
  CHECK_FALSE(world.one.share(early));
  CHECK(world.one.share(first));
  CHECK_FALSE(world.one.share(world.ask(77)));
}

TEST_CASE("a replica signs nothing that a transferred state contains (attacks 24 and 44)") {
  signing_world world;
  const auto early = world.ask(1);
  const auto missed = world.ask(2);
  (void)world.one.execute({early});
  (void)world.two.execute({early});
  (void)world.two.execute({missed});
  REQUIRE(world.one.install(2, world.two.state.snapshot()) == installation::installed);
  // The reply is in the transferred client table. The receipt is a statement about an execution, and there was none.
  CHECK(world.one.state.answer_to(reference_of(missed)).outcome != nullptr);
  CHECK_FALSE(world.one.share(missed));
  CHECK(world.two.share(missed));
  const auto later = world.ask(3);
  (void)world.one.execute({later});
  (void)world.two.execute({later});
  REQUIRE(world.one.share(later));
  CHECK(world.one.share(later)->place == world.two.share(later)->place);
}

TEST_CASE(
    "a diverged replica signs nothing, and after its repair nothing that it may have signed (attacks 27 and 44)") {
  signing_world world;
  // Replica 1 executes 2 wrongly, and signs it before anybody notices.
  const auto asked = world.ask(2);
  (void)world.one.execute({world.ask(1)});
  (void)world.two.execute({world.ask(1)});
  (void)world.one.execute({world.ask(2, "wrong")});
  (void)world.two.execute({asked});
  (void)world.one.execute({world.ask(3)});
  REQUIRE(world.one.share(asked));
  CHECK(world.one.state.on_disproven(sequence_number{2}));
  CHECK_FALSE(world.one.share(asked));
  CHECK_FALSE(world.one.share(world.ask(3)));
  REQUIRE(world.one.install(2, world.two.state.snapshot()) == installation::installed);
  // Batch 3 is executed again. Its results may differ from those that were signed, so it stays unsigned.
  for (const std::uint64_t when : {3ULL, 4ULL}) {
    (void)world.one.execute({world.ask(when)});
    (void)world.two.execute({world.ask(when)});
    CHECK(world.one.share(world.ask(when)).has_value() == (when == 4));
    CHECK(world.two.share(world.ask(when)));
  }
}
