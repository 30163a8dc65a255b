#include <doctest/doctest.h>

#include "actors/protocol/admission/request_pool.hpp"
#include "actors/protocol/client/client_core.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/effect_reader.hpp"

// Castro & Liskov, OSDI '99, §4.1 "The Client". Each test quotes the sentence that it tests.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id self{0};

reply reply_with(const client_core& client, std::uint64_t when, std::string_view result) {
  reply value{{self, timestamp{when}}, view_number{0}, {}, client.content_of(timestamp{when}).value()};
  value.outcome.append(0, as_byte_span(result));
  return value;
}

}  // namespace

// "A client c requests the execution of state machine operation o by sending a ⟨REQUEST, o, t, c⟩σc message to the
// primary."
TEST_CASE("4.1: a request is sent to the primary alone") {
  const request_factory factory{small_cluster(4)};
  client_core client{factory.cluster(), self, factory.keys_of(self), {}, timestamp{1}};
  const auto effects = client.on_submit(to_byte_vector("o"), 1, moment{});
  REQUIRE(effects.sends.size() == 1);
  CHECK(effects.sends[0].to == factory.cluster().group().primary_of(view_number{0}));
}

// "Timestamp t is used to ensure exactly-once semantics for the execution of client requests."
TEST_CASE("4.1: a request that arrives many times at every replica is executed once") {
  core_cluster_options options;
  options.faults.duplicate_percent = 60;
  options.faults.delay_max = 6;
  options.clients.retransmit_after = 3ms;
  options.clients.retransmit_max = 3ms;
  core_cluster cluster{options};
  for (int number = 0; number < 5; ++number)
    cluster.submit(self, "op " + std::to_string(number));
  const bool settled = cluster.settle(10'000);
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.checker().requests_executed() == 5);
  CHECK(as_text(cluster.node(2).state().query(as_byte_span("count"))->payload) == "5");
}

// "Timestamps for c's requests are totally ordered such that later requests have higher timestamps than earlier ones".
TEST_CASE("4.1: every request of a client has a higher timestamp than the one before") {
  const request_factory factory{small_cluster(4)};
  client_core client{factory.cluster(), self, factory.keys_of(self), {}, timestamp{41}};
  timestamp last{40};
  for (operation_token token = 1; token <= send_window::least; ++token) {
    const auto asked = sent<request>(client.on_submit(to_byte_vector("o"), token, moment{}).sends);
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].id.when > last);
    last = asked[0].id.when;
  }
}

// "The client waits for f + 1 replies with valid signatures from different replicas, and with the same t and r,
// before accepting the result r."
TEST_CASE("4.1: f + 1 replicas with the same t and r make a result, f do not") {
  for (const std::uint32_t replicas : {4U, 7U, 10U}) {
    const request_factory factory{small_cluster(replicas)};
    const auto f = factory.cluster().group().faulty_max();
    client_core client{factory.cluster(), self, factory.keys_of(self), {}, timestamp{1}};
    (void)client.on_submit(to_byte_vector("o"), 1, moment{});
    for (std::uint32_t liar = 0; liar < f; ++liar)
      CHECK(client.on_reply(replica_id{liar}, reply_with(client, 1, "a lie"), moment{}).done.empty());
    for (std::uint32_t correct = f; correct < 2 * f; ++correct)
      CHECK(client.on_reply(replica_id{correct}, reply_with(client, 1, "r"), moment{}).done.empty());
    const auto accepted = client.on_reply(replica_id{2 * f}, reply_with(client, 1, "r"), moment{});
    REQUIRE(accepted.done.size() == 1);
    CHECK(as_text(std::get<operation_result>(accepted.done[0].outcome).payload) == "r");
  }
}

// "If the client does not receive replies soon enough, it broadcasts the request to all replicas."
TEST_CASE("4.1: a request without replies is broadcast") {
  const request_factory factory{small_cluster(4)};
  client_settings settings;
  client_core client{factory.cluster(), self, factory.keys_of(self), settings, timestamp{1}};
  const auto first = client.on_submit(to_byte_vector("o"), 1, moment{});
  CHECK(client.on_tick(moment{settings.retransmit_after - 1us}).sends.empty());
  const auto later = client.on_tick(moment{settings.retransmit_after});
  REQUIRE(later.sends.size() == 1);
  CHECK_FALSE(later.sends[0].to);
  CHECK(*later.sends[0].frame == *first.sends[0].frame);
}

// "If the request has already been processed, the replicas simply re-send the reply".
TEST_CASE("4.1: a request that was processed is answered again from the table, without being ordered") {
  const request_factory factory{small_cluster(4)};
  replicated_state state{std::make_unique<counting_machine>(), cluster_parameters{}};
  request_pool builder{{}};
  const auto asked = factory.request_of(self, timestamp{1}, "o");
  REQUIRE(builder.admit(asked, moment{}) == request_pool::admission::accepted);
  const auto answers = state.execute(sequence_number{1}, builder.cut(true)->content);
  builder.on_executed({answers[0].request}, true, moment{});
  CHECK(builder.admit(asked, moment{}) == request_pool::admission::done);
  CHECK_FALSE(builder.cut(true));
  CHECK(state.answer_to(reference_of(asked)).outcome == answers[0].answer.outcome);
}

// "Otherwise, if the replica is not the primary, it relays the request to the primary."
TEST_CASE("4.1: a request that reaches backups only is executed") {
  core_cluster cluster{core_cluster_options{}};
  cluster.cut_link(principal::of(self), principal::of(replica_id{0}));
  cluster.submit(self, "o");
  const bool settled = cluster.settle(1'000);
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.checker().requests_executed() == 1);
}
