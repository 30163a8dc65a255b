#include "actors/checkpointer.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::chrono::milliseconds period{500};
constexpr sequence_number four{4};

/// The checkpointer of replica 1.
struct checkpointer_bench : virtual_bench {
  checkpointer_actor tested =
      connect(system().spawn(checkpointer, identity(), period, std::make_shared<const recovered_node>()));
  digest root = named_digest("root");

  checkpointer_bench() : virtual_bench(replica_id{1}) {}

  void taken(const digest& own) {
    const auto snapshot = std::make_shared<const state_snapshot>();
    give(tested, taken_at(four, own, snapshot));
  }
  void hear(std::uint32_t sender, const digest& value) {
    const replica_id id{sender};
    give_verified(tested, principal::of(id), make().checkpoint_of(id, four, value));
  }
  std::size_t votes_sent() {
    std::size_t count = 0;
    for (const auto& each : take<persist_and_send>("journal"))
      count += each.sends->size();
    return count;
  }
};

}  // namespace

TEST_CASE_FIXTURE(checkpointer_bench,
                  "a replica's own checkpoint is handed to the journal as a record and a message at once") {
  taken(root);
  const auto handed = take<persist_and_send>("journal");
  REQUIRE(handed.size() == 1);
  REQUIRE(handed.front().records->size() == 1);
  REQUIRE(handed.front().sends->size() == 1);
  CHECK(handed.front().records->front().kind == record_kind::checkpoint);
  CHECK(handed.front().records->front().bytes == handed.front().sends->front().frame);
}

TEST_CASE_FIXTURE(checkpointer_bench, "a quorum of equal votes makes a checkpoint stable, once") {
  taken(root);
  hear(0, root);
  CHECK(take<checkpoint_stable>("replica").empty());
  hear(2, named_digest("another"));
  CHECK(take<checkpoint_stable>("replica").empty());
  hear(3, root);
  const auto stable = take<checkpoint_stable>("replica");
  REQUIRE(stable.size() == 1);
  CHECK(stable.front().certificate->votes.size() == 3);
  CHECK(stable.front().certificate->sequence() == four);
  give_verified(tested, principal::of(replica_id{0}), checkpoint_proof{*make().certificate_of(four, root)});
  CHECK(take<checkpoint_stable>("replica").empty());
}

TEST_CASE_FIXTURE(checkpointer_bench, "a proof makes a checkpoint stable without the replica's own state") {
  give_verified(tested, principal::of(replica_id{3}), checkpoint_proof{*make().certificate_of(four, root)});
  CHECK(take<checkpoint_stable>("replica").size() == 1);
  CHECK(take_observed<checkpoint_became_stable>().size() == 1);
}

TEST_CASE_FIXTURE(
    checkpointer_bench,
    "a certificate that contradicts the own state goes to the executor, and to the replica only after the repair") {
  taken(named_digest("mine"));
  forget();
  for (const auto sender : {0U, 2U, 3U})
    hear(sender, root);
  const auto disproven = take<own_root_disproven>("executor");
  REQUIRE(disproven.size() == 1);
  CHECK(disproven.front().sequence == four);
  CHECK(take<checkpoint_stable>("replica").empty());
  give(tested, checkpoint_installed{four, root, std::make_shared<const state_snapshot>()});
  CHECK(take<checkpoint_stable>("replica").size() == 1);
  CHECK(take<checkpoint_stable>("state-transfer").size() == 1);
}

TEST_CASE_FIXTURE(checkpointer_bench, "a snapshot goes to the journal unless a certificate contradicts it") {
  SUBCASE("it is the certified state") {
    give_verified(tested, principal::of(replica_id{3}), checkpoint_proof{*make().certificate_of(four, root)});
    taken(root);
    CHECK(take<checkpoint_taken>("journal").size() == 1);
  }
  SUBCASE("it is another state") {
    give_verified(tested, principal::of(replica_id{3}), checkpoint_proof{*make().certificate_of(four, root)});
    taken(named_digest("mine"));
    CHECK(take<checkpoint_taken>("journal").empty());
  }
  SUBCASE("nothing is certified yet") {
    taken(root);
    CHECK(take<checkpoint_taken>("journal").size() == 1);
  }
}

TEST_CASE_FIXTURE(checkpointer_bench, "a wrong state is to be replaced by the certified one until that is installed") {
  taken(named_digest("mine"));
  for (const auto sender : {0U, 2U, 3U})
    hear(sender, root);
  const auto wanted = take<fetch_state>("state-transfer");
  REQUIRE(wanted.size() == 1);
  CHECK(wanted.front().why == fetch_reason::own_state_wrong);
  CHECK(wanted.front().certificate->sequence() == four);
  CHECK(wanted.front().certificate->votes.front().content.value == root);
  advance(2 * period);
  CHECK(take<fetch_state>("state-transfer").size() == 2);
  give(tested, checkpoint_installed{four, root, std::make_shared<const state_snapshot>()});
  advance(2 * period);
  CHECK(take<fetch_state>("state-transfer").empty());
}

TEST_CASE_FIXTURE(checkpointer_bench, "the donor of states learns which state is stable") {
  give_verified(tested, principal::of(replica_id{3}), checkpoint_proof{*make().certificate_of(four, root)});
  const auto told = take<checkpoint_stable>("state-transfer");
  REQUIRE(told.size() == 1);
  CHECK(told.front().certificate->sequence() == four);
}

TEST_CASE_FIXTURE(checkpointer_bench, "an own checkpoint is sent again every period until it is stable") {
  taken(root);
  CHECK(votes_sent() == 1);
  advance(period);
  CHECK(votes_sent() == 1);
  advance(period);
  CHECK(votes_sent() == 1);
  hear(0, root);
  hear(2, root);
  advance(4 * period);
  CHECK(votes_sent() == 0);
}
