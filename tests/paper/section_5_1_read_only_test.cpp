#include <doctest/doctest.h>

#include <memory>

#include "actors/protocol/client/query_collector.hpp"
#include "actors/protocol/execution/held_queries.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/replica_world.hpp"
#include "tests/support/request_factory.hpp"

// Castro & Liskov, OSDI '99, §5.1 "Reducing Communication", and TOCS '02 §5.1.3 "Read-Only Operations". Each test
// quotes the words that it tests, or says where this protocol differs.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id self{0};
constexpr sequence_number at(std::uint64_t value) { return sequence_number{value}; }

/// Three of four replicas, each with its state and its queries. Replica 3 is faulty.
struct three_replicas {
  struct member {
    replicated_state state{std::make_unique<counting_machine>(), small_cluster(4)};
    held_queries<query> held;
  };

  request_factory factory{small_cluster(4)};
  std::array<member, 3> members;

  void execute(std::size_t number, std::uint64_t sequence) {
    (void)members.at(number).state.execute(at(sequence), *factory.batch_number(sequence));
  }
  /// The answer of a replica; nothing while it holds the query.
  std::optional<query_reply> ask(std::size_t number, query asked) {
    auto& of = members.at(number);
    const auto id = asked.id;
    const auto size = asked.operation.size();
    if (of.held.admit(self, size, of.state.last_executed(), asked) != query_admission::answer) return std::nullopt;
    auto result = of.state.query(asked.operation).value();
    return query_reply{id, of.state.last_executed(), static_cast<std::uint8_t>(result.status), result.payload};
  }
};

}  // namespace

// "waits for 2f + 1 replies from different replicas with the same result"
TEST_CASE("5.1: a read has its result with 2f + 1 equal answers and not with 2f") {
  const request_factory factory{small_cluster(7)};
  query_collector client{factory.cluster(), self, {}};
  const auto asked = sent<query>(client.on_query(to_byte_vector("count"), 1, read_mode::linearizable, moment{}).sends);
  REQUIRE(!asked.empty());
  for (std::uint32_t from = 0; from < 4; ++from)
    CHECK(client.on_reply(replica_id{from}, {asked[0].id, at(1), 0, to_byte_vector("1")}, moment{}).done.empty());
  CHECK(client.on_reply(replica_id{4}, {asked[0].id, at(1), 0, to_byte_vector("1")}, moment{}).done.size() == 1);
}

// "retransmits the request as a regular read-write request"
TEST_CASE("5.1: a read without 2f + 1 equal answers becomes a request that is ordered") {
  const request_factory factory{small_cluster(4)};
  query_collector client{factory.cluster(), self, {}};
  const auto asked = sent<query>(client.on_query(to_byte_vector("count"), 1, read_mode::linearizable, moment{}).sends);
  for (std::uint32_t from = 0; from < 3; ++from) {
    const auto heard =
        client.on_reply(replica_id{from}, {asked[0].id, at(1), 0, to_byte_vector(std::to_string(from))}, moment{});
    CHECK(heard.done.empty());
  }
  CHECK(client.on_reply(replica_id{3}, {asked[0].id, at(1), 0, to_byte_vector("3")}, moment{}).to_order.size() == 1);
}

// "only after all requests reflected in the tentative state have committed": no state here is tentative, and a replica
// executes only what is committed. What it has prepared is the counterpart.
TEST_CASE("5.1.3: a replica that lags behind what it prepared does not answer, so a liar completes no old quorum") {
  three_replicas group;
  for (auto& each : group.members)
    each.held.on_prepared(at(0));
  query_collector client{group.factory.cluster(), self, {}};
  // Batch 1 is prepared at replicas 0, 1 and 2. Replica 0 executes it and replies, and so does the faulty replica 3. So
  // the client of the batch has f + 1 replies. The COMMITs to replicas 1 and 2 are late.
  for (auto& each : group.members)
    each.held.on_prepared(at(1));
  group.execute(0, 1);
  const auto first = sent<query>(client.on_query(to_byte_vector("count"), 1, read_mode::linearizable, moment{}).sends);
  REQUIRE(!first.empty());
  const auto& asked = first.front();
  // Replica 3 answers from the state before the batch, and would agree with 1 and 2.
  (void)client.on_reply(replica_id{3}, {asked.id, at(0), 0, to_byte_vector("0")}, moment{});
  for (std::size_t number = 0; number < group.members.size(); ++number) {
    if (const auto answer = group.ask(number, asked)) {
      CHECK(client.on_reply(replica_id{static_cast<std::uint32_t>(number)}, *answer, moment{}).done.empty());
    }
  }
  CHECK(client.pending() == 1);
  for (std::size_t number = 1; number < group.members.size(); ++number) {
    group.execute(number, 1);
    for (const auto& each : group.members.at(number).held.release(at(1))) {
      const auto heard =
          client.on_reply(replica_id{static_cast<std::uint32_t>(number)}, *group.ask(number, each), moment{});
      if (number == 1) CHECK(heard.done.empty());
      if (number == 2) {
        REQUIRE(heard.done.size() == 1);
        CHECK(as_text(std::get<operation_result>(heard.done.front().outcome).payload) == "1");
      }
    }
  }
  CHECK(client.pending() == 0);
}

// §4.2: a replica sends its COMMIT "when prepared(m, v, n, i) becomes true". From this moment others may execute the
// batch.
TEST_CASE("5.1.3: a replica reports a slot as prepared in the step that sends its COMMIT") {
  replica_world world{4, 1};
  CHECK(world.core.on_start().prepared_through == at(0));
  const auto proposal = world.proposal(1);
  CHECK_FALSE(world.hear(0, proposal).prepared_through);
  const auto prepared = world.hear_prepare(2, proposal);
  REQUIRE(sent<commit>(prepared.sends).size() == 1);
  CHECK(prepared.prepared_through == at(1));
}
