#include "actors/protocol/client/query_collector.hpp"

#include <doctest/doctest.h>

#include <set>

#include "actors/protocol/client/client_core.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id self{1};

/// The queries of client 1 in a group of `replicas`.
struct reader {
  request_factory factory;
  client_settings settings;
  query_collector tested;

  explicit reader(std::uint32_t replicas = 4, client_settings with = {})
      : factory(small_cluster(replicas)), settings(with), tested(factory.cluster(), self, settings) {}

  query_effects read(operation_token token, moment now = {}, read_mode mode = read_mode::linearizable) {
    auto effects = tested.on_query(to_byte_vector("get"), token, mode, now);
    const auto asked = sent<query>(effects.sends);
    if (!asked.empty()) id = asked.front().id;
    return effects;
  }
  query_effects answer(std::uint32_t from, std::string_view result, moment now = {}) {
    return tested.on_reply(replica_id{from}, {id, sequence_number{9}, 0, to_byte_vector(result)}, now);
  }

  /// The last query that was sent.
  request_id id;
};

std::vector<std::uint32_t> receivers(const query_effects& effects) {
  std::vector<std::uint32_t> all;
  for (const auto& each : effects.sends)
    all.push_back(each.to.value().value);
  return all;
}

std::string result_in(const query_effects& effects) {
  if (effects.done.size() != 1) return "none";
  return std::string{as_text(std::get<operation_result>(effects.done.front().outcome).payload)};
}

using numbers = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("a linearizable read needs a quorum of equal answers, for every size of a group") {
  for (const std::uint32_t replicas : {4U, 5U, 6U, 7U, 10U}) {
    reader client{replicas};
    const auto quorum = client.factory.cluster().group().quorum();
    const auto asked = client.read(1);
    CAPTURE(replicas);
    CHECK(receivers(asked).size() == quorum);
    CHECK(sent<query>(asked.sends).front().is_linearizable);
    for (std::uint32_t from = 0; from + 1 < quorum; ++from)
      REQUIRE(client.answer(from, "new").done.empty());
    CHECK(result_in(client.answer(quorum - 1, "new")) == "new");
    CHECK(client.tested.pending() == 0);
  }
}

TEST_CASE("one replica that answers often is not a quorum, and its latest answer counts") {
  reader client;
  (void)client.read(1);
  for (int time = 0; time < 5; ++time)
    CHECK(client.answer(0, "new").done.empty());
  (void)client.answer(1, "old");
  (void)client.answer(2, "new");
  CHECK(result_in(client.answer(1, "new")) == "new");
  CHECK(client.answer(3, "new").done.empty());
}

TEST_CASE("answers to other clients, to other queries and from no member are ignored") {
  reader client;
  (void)client.read(1);
  const auto right = client.id;
  (void)client.answer(0, "new");
  (void)client.answer(1, "new");
  client.id = {client_id{2}, right.when};
  CHECK(client.answer(2, "new").done.empty());
  client.id = {self, right.when.next()};
  CHECK(client.answer(2, "new").done.empty());
  client.id = right;
  CHECK(client.answer(4, "new").done.empty());
  CHECK(result_in(client.answer(2, "new")) == "new");
}

TEST_CASE("linearizable reads ask one quorum in turns") {
  reader client;
  CHECK(receivers(client.read(1)) == numbers{0, 1, 2});
  CHECK(receivers(client.read(2)) == numbers{1, 2, 3});
  CHECK(receivers(client.read(3)) == numbers{2, 3, 0});
}

TEST_CASE("the others are asked at once when the first ones disagree, and a liar is asked last for a while") {
  reader client;
  (void)client.read(1);
  CHECK(client.answer(0, "new").sends.empty());
  CHECK(receivers(client.answer(1, "lie")) == numbers{3});
  CHECK(client.answer(2, "new").sends.empty());
  CHECK(result_in(client.answer(3, "new")) == "new");
  for (operation_token token = 2; token < 8; ++token) {
    for (const auto each : receivers(client.read(token)))
      CHECK(each != 1);
  }
  std::set<std::uint32_t> asked;
  for (operation_token token = 8; token < 12; ++token) {
    for (const auto each : receivers(client.read(token, moment{query_collector::rest})))
      asked.insert(each);
  }
  CHECK(asked.contains(1));
}

TEST_CASE("a read on which all replicas disagree is ordered at once, and once only") {
  reader client;
  (void)client.read(7);
  (void)client.answer(0, "a");
  (void)client.answer(1, "b");
  (void)client.answer(2, "a");
  const auto last = client.answer(3, "b");
  REQUIRE(last.to_order.size() == 1);
  CHECK(last.to_order.front().token == 7);
  CHECK(as_text(last.to_order.front().operation) == "get");
  CHECK(client.tested.pending() == 0);
  CHECK(client.answer(3, "a").to_order.empty());
  CHECK(client.tested.on_tick(moment{60s}).to_order.empty());
}

TEST_CASE("the others are asked after half of the wait when a replica is silent, and the next reads ask them first") {
  reader client;
  (void)client.read(1);
  (void)client.answer(0, "new");
  (void)client.answer(1, "new");
  const auto half = client.tested.wait() / 2;
  CHECK(client.tested.on_tick(moment{half - 1us}).sends.empty());
  CHECK(receivers(client.tested.on_tick(moment{half})) == numbers{3});
  CHECK(client.tested.on_tick(moment{half + 1us}).sends.empty());
  CHECK(result_in(client.answer(3, "new", moment{half})) == "new");
  for (operation_token token = 2; token < 6; ++token) {
    for (const auto each : receivers(client.read(token, moment{half})))
      CHECK(each != 2);
  }
}

TEST_CASE("a read without a quorum of answers is ordered after the wait, however many replicas were asked") {
  reader client;
  (void)client.read(1);
  (void)client.answer(0, "new");
  const auto wait = client.tested.wait();
  CHECK(client.tested.on_tick(moment{wait / 2}).to_order.empty());
  CHECK(client.tested.on_tick(moment{wait - 1us}).to_order.empty());
  CHECK(client.tested.on_tick(moment{wait}).to_order.size() == 1);
  CHECK(client.tested.pending() == 0);
  // A client whose ticks are late orders the read at once.
  (void)client.read(2, moment{wait});
  CHECK(client.tested.on_tick(moment{10s}).to_order.size() == 1);
}

TEST_CASE("a read that writes disturb does not wait for a silent replica, and lets no other read wait longer") {
  reader client;
  const auto wait = client.tested.wait();
  (void)client.read(1);
  (void)client.answer(0, "old");
  CHECK(receivers(client.answer(1, "new")) == numbers{3});
  (void)client.answer(3, "old");
  CHECK(client.tested.on_tick(moment{wait / 2 - 1us}).to_order.empty());
  CHECK(client.tested.on_tick(moment{wait / 2}).to_order.size() == 1);
  CHECK(client.tested.wait() == wait);
}

TEST_CASE("one of many reads that were sent together is ordered, and the others wait twice as long") {
  reader client;
  const auto wait = client.tested.wait();
  for (operation_token token = 1; token <= 100; ++token)
    (void)client.read(token);
  CHECK(client.tested.on_tick(moment{wait}).to_order.size() == 1);
  CHECK(client.tested.wait() == 2 * wait);
  CHECK(client.tested.on_tick(moment{2 * wait - 1us}).to_order.empty());
  CHECK(client.tested.on_tick(moment{2 * wait}).to_order.size() == 1);
  // The wait is bounded, so no read waits for ever.
  CHECK(client.tested.on_tick(moment{2s}).to_order.size() == 98);
}

TEST_CASE("the wait follows the usual time of a read, within its bounds") {
  reader client;
  const auto first = client.tested.wait();
  moment now{};
  for (operation_token token = 1; token <= 100; ++token) {
    (void)client.read(token, now);
    now += 100us;
    for (std::uint32_t from = 0; from < 4; ++from)
      (void)client.answer(from, "new", now);
  }
  CHECK(client.tested.wait() == query_collector::wait_min);
  CHECK(client.tested.wait() < first);
  // Under a load for which the wait is too short it grows, so that reads are not ordered for ever.
  for (operation_token token = 101; token <= 130; ++token) {
    (void)client.read(token, now);
    now += client.tested.wait();
    REQUIRE(client.tested.on_tick(now).to_order.size() == 1);
  }
  CHECK(client.tested.wait() == query_collector::waits_factor * client.settings.retransmit_after);
}

TEST_CASE("replicas without a link are asked last, and again when the link opens") {
  reader client;
  client.tested.on_link_down(replica_id{1});
  CHECK(receivers(client.read(1)) == numbers{0, 2, 3});
  CHECK(client.tested.on_link_up(replica_id{1}).sends.empty());
  client.tested.on_link_down(replica_id{0});
  client.tested.on_link_down(replica_id{1});
  CHECK(receivers(client.read(2)) == numbers{2, 3, 1});
  CHECK(receivers(client.tested.on_link_up(replica_id{1})) == numbers{1});
}

TEST_CASE("a committed read asks all, accepts f + 1 equal answers, and is repeated instead of ordered") {
  reader client;
  const auto asked = client.read(1, {}, read_mode::committed);
  REQUIRE(asked.sends.size() == 1);
  CHECK_FALSE(asked.sends.front().to);
  CHECK_FALSE(sent<query>(asked.sends).front().is_linearizable);
  for (std::uint32_t from = 0; from < 4; ++from) {
    const auto heard = client.answer(from, std::to_string(from));
    CHECK(heard.done.empty());
    CHECK(heard.to_order.empty());
  }
  const auto again = client.tested.on_tick(moment{client.settings.retransmit_after});
  CHECK(again.sends.size() == 1);
  CHECK(again.to_order.empty());
  (void)client.answer(0, "same");
  CHECK(result_in(client.answer(3, "same")) == "same");
}

TEST_CASE("a read whose deadline is shorter than the wait fails at its deadline") {
  client_settings settings;
  settings.deadline = 5ms;
  reader client{4, settings};
  (void)client.read(3);
  const auto ended = client.tested.on_tick(moment{5ms});
  REQUIRE(ended.done.size() == 1);
  CHECK(std::get<client_error>(ended.done.front().outcome) == client_error::timed_out);
  CHECK(ended.to_order.empty());
}

// --- In a client ------------------------------------------------------------------

namespace {

/// Client 1 in an ordered session that is open. The first operation has its result.
struct session_reader {
  request_factory factory{small_cluster(4)};
  client_core core{factory.cluster(), self, factory.keys_of(self), unsampled(), timestamp{1}, session_id{7}};

  session_reader() {
    (void)core.on_submit(to_byte_vector("first"), 1, moment{});
    (void)give(0);
    (void)give(1);
  }
  static client_settings unsampled() {
    client_settings settings;
    settings.sampled_one_in = 0;
    return settings;
  }
  /// Two equal replies to the request with this timestamp.
  client_effects give(std::uint64_t when, moment now = {}) {
    reply value{{self, timestamp{when}, core.session()}, {}, {}, core.content_of(timestamp{when}).value_or(digest{})};
    value.outcome.append(0, as_byte_span("done"));
    (void)core.on_reply(replica_id{0}, value, now);
    return core.on_reply(replica_id{1}, value, now);
  }
  client_effects read(operation_token token, bool sees_unfinished = true, moment now = {}) {
    return core.on_query(to_byte_vector("get"), token, read_mode::linearizable, sees_unfinished, now);
  }
};

}  // namespace

TEST_CASE("a client sees its own unfinished writes, because its read is ordered behind them") {
  session_reader client;
  CHECK(sent<query>(client.read(2).sends).size() == 3);
  (void)client.core.on_submit(to_byte_vector("write"), 3, moment{});
  const auto behind = client.read(4);
  CHECK(sent<query>(behind.sends).empty());
  const auto asked = sent<request>(behind.sends);
  REQUIRE(asked.size() == 1);
  CHECK(as_text(asked.front().operation(0)) == "get");
  CHECK(asked.front().id.when == timestamp{3});
  CHECK(client.core.reads_ordered() == 1);
  // A host that keeps the order itself is not delayed by the write of another user of the session.
  CHECK(sent<query>(client.read(5, false).sends).size() == 3);
  // Ordered reads alone keep no later read from the fast path.
  REQUIRE(client.give(2).done.size() == 1);
  CHECK(sent<query>(client.read(6).sends).size() == 3);
}

TEST_CASE("a read that is ordered has one result, and its place in the session") {
  session_reader client;
  (void)client.read(2);
  CHECK(client.core.operations_pending() == 1);
  const auto late = client.core.on_tick(moment{1s});
  const auto asked = sent<request>(late.sends);
  REQUIRE(asked.size() == 1);
  CHECK(client.core.tokens_of(asked.front().id.when) == std::vector<operation_token>{2});
  CHECK(client.core.operations_pending() == 1);
  const auto ended = client.give(2, moment{1s});
  REQUIRE(ended.done.size() == 1);
  CHECK(ended.done.front().token == 2);
  CHECK(as_text(std::get<operation_result>(ended.done.front().outcome).payload) == "done");
  CHECK(client.core.operations_pending() == 0);
  CHECK(client.core.is_idle());
}
