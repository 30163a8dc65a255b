#include "actors/protocol/admission/request_intake.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto from_client = principal::of(client_id{1});
const auto from_replica = principal::of(replica_id{3});

/// The pool and intake of one replica in view 0 with primary 0.
struct intake_bench {
  request_factory make{small_cluster(4)};
  request_pool pool{batch_settings{}};
  request_intake tested;

  explicit intake_bench(std::uint32_t self)
      : tested(make.cluster(), replica_id{self}, make.keys_of(replica_id{self}), pool) {}

  [[nodiscard]] request ask(std::uint64_t when) const { return make.request_of(client_id{1}, timestamp{when}, "op"); }
  intake_effects receive(std::uint64_t when, principal sender = from_client, moment now = {}) {
    return tested.on_request(sender, ask(when), now);
  }
  void execute(std::uint64_t when) { pool.on_executed({{ask(when).id, true}}, false, moment{}); }
};

}  // namespace

TEST_CASE("the primary proposes a request and forwards nothing") {
  intake_bench bench{0};
  const auto effects = bench.receive(1);
  CHECK(effects.cuts_batches);
  CHECK_FALSE(effects.forwards);
  CHECK_FALSE(effects.looks_again_in);
  CHECK_FALSE(bench.tested.on_waited(bench.ask(1).id, moment{}).forwards);
}

TEST_CASE("a backup waits before it forwards a request, twice, and then forwards only the client's oldest one") {
  intake_bench bench{2};
  for (const std::uint64_t when : {1U, 2U}) {
    const auto effects = bench.receive(when);
    CHECK_FALSE(effects.forwards);
    CHECK_FALSE(effects.cuts_batches);
    CHECK(effects.looks_again_in);
  }
  for (std::size_t look = 0; look < request_intake::forwards_max; ++look) {
    CHECK(bench.tested.on_waited(bench.ask(1).id, moment{}).forwards);
    CHECK(bench.tested.on_waited(bench.ask(2).id, moment{}).forwards);
  }
  const auto oldest = bench.tested.on_waited(bench.ask(1).id, moment{});
  CHECK(oldest.forwards);
  CHECK(oldest.looks_again_in == forwarding_schedule::later_delay);
  const auto behind = bench.tested.on_waited(bench.ask(2).id, moment{});
  CHECK_FALSE(behind.forwards);
  CHECK(behind.looks_again_in == forwarding_schedule::later_delay);
}

TEST_CASE("a request that was executed meanwhile is not forwarded and not checked again") {
  intake_bench bench{2};
  (void)bench.receive(1);
  bench.execute(1);
  const auto look = bench.tested.on_waited(bench.ask(1).id, moment{});
  CHECK_FALSE(look.forwards);
  CHECK_FALSE(look.looks_again_in);
}

TEST_CASE("a repeated request is forwarded at once from its client, and not from a replica (§4.1)") {
  intake_bench bench{2};
  (void)bench.receive(1);
  CHECK_FALSE(bench.receive(1, from_replica).forwards);
  const auto repeated = bench.receive(1);
  CHECK(repeated.forwards);
  CHECK_FALSE(repeated.exceeds_share);
  // A client that repeats faster than this is paused (attack 33).
  const auto again = bench.receive(1);
  CHECK_FALSE(again.forwards);
  CHECK(again.exceeds_share);
}

TEST_CASE("an executed request is answered again on its client's own link only") {
  intake_bench bench{2};
  (void)bench.receive(1);
  bench.execute(1);
  CHECK(bench.receive(1).answer == immediate_answer::earlier_reply);
  CHECK(bench.receive(1, from_replica).answer == immediate_answer::none);
  CHECK_FALSE(bench.receive(1).refused);
}

TEST_CASE("two requests with one timestamp are evidence against the client, whichever member sent them (attack 8)") {
  intake_bench bench{2};
  (void)bench.receive(1);
  const auto other = bench.make.request_of(client_id{1}, timestamp{1}, "another");
  const auto effects = bench.tested.on_request(from_replica, other, moment{});
  REQUIRE(effects.refused);
  CHECK(effects.refused->sender == from_client);
  CHECK(effects.refused->reason == rejection::conflicting_statement);
  REQUIRE(effects.contradiction);
  CHECK(effects.contradiction->items.size() == 2);
}

TEST_CASE("a request that displaces another one of its client exceeds the client's quota") {
  intake_bench bench{2};
  bench.pool.on_rate_limited({client_id{1}});
  (void)bench.receive(2);
  const auto effects = bench.receive(1);
  CHECK(effects.exceeds_share);
  REQUIRE(effects.displaced.size() == 1);
  CHECK(effects.displaced[0].id == bench.ask(2).id);
  // If the displaced request comes again, it is refused and the client gets an answer.
  const auto refused = bench.receive(2);
  REQUIRE(refused.refused);
  CHECK(refused.refused->reason == rejection::client_quota);
  CHECK(refused.answer == immediate_answer::overloaded);
  CHECK(bench.receive(2, from_replica).answer == immediate_answer::none);
}

TEST_CASE("pending requests are forwarded to the primary of a new view, or proposed if this replica is the primary") {
  intake_bench backup{2};
  (void)backup.receive(1);
  CHECK(backup.tested.on_view(view_number{1}, moment{}).requests.size() == 1);
  CHECK(backup.tested.primary() == replica_id{1});
  intake_bench primary{1};
  (void)primary.receive(1);
  CHECK(primary.tested.on_view(view_number{1}, moment{}).requests.empty());
  CHECK(primary.tested.is_primary());
}

TEST_CASE("a former primary looks again at the requests that it hands on, because the next one may have no room") {
  intake_bench former{0};
  CHECK_FALSE(former.receive(1).looks_again_in);
  REQUIRE(former.tested.on_view(view_number{1}, moment{}).requests.size() == 1);
  CHECK(former.tested.watch(former.ask(1).id));
  // One timer is enough.
  CHECK_FALSE(former.tested.watch(former.ask(1).id));
  CHECK(former.tested.on_waited(former.ask(1).id, moment{}).forwards);
}

TEST_CASE("a backup waits before it forwards a system request, and stops when it is executed") {
  intake_bench bench{2};
  const auto first = make_system_request(case_name{8});
  const auto second = make_system_request(case_name{3});
  const auto effects = bench.tested.on_system_request(first, moment{});
  CHECK_FALSE(effects.forwards);
  CHECK_FALSE(effects.cuts_batches);
  CHECK(effects.looks_again_in);
  CHECK(bench.tested.on_system_request(second, moment{}).looks_again_in);
  // The evidence pool submits the request again. A second timer would double the copies, so none is started.
  CHECK_FALSE(bench.tested.on_system_request(first, moment{}).looks_again_in);
  for (std::size_t look = 0; look < request_intake::forwards_max; ++look) {
    CHECK(bench.tested.on_waited(first.name, moment{}).forwards);
    CHECK(bench.tested.on_waited(second.name, moment{}).forwards);
  }
  CHECK(bench.tested.on_waited(first.name, moment{}).forwards);
  CHECK_FALSE(bench.tested.on_waited(second.name, moment{}).forwards);
  bench.pool.on_executed({}, false, moment{}, {first.name});
  CHECK_FALSE(bench.tested.on_waited(first.name, moment{}).looks_again_in);
  CHECK_FALSE(bench.tested.on_system_request(first, moment{}).looks_again_in);
}

TEST_CASE("the primary proposes a system request, and the next primary is given it") {
  intake_bench primary{0};
  const auto wanted = make_system_request(case_name{8});
  const auto effects = primary.tested.on_system_request(wanted, moment{});
  CHECK(effects.cuts_batches);
  CHECK_FALSE(effects.looks_again_in);
  const auto pending = primary.tested.on_view(view_number{1}, moment{});
  CHECK(pending.requests.empty());
  REQUIRE(pending.system_requests.size() == 1);
  CHECK(pending.system_requests.front().name == wanted.name);
}

TEST_CASE("the former primary forwards a client's requests at once for a while, and a replica's never") {
  intake_bench bench{0};
  (void)bench.tested.on_view(view_number{1}, moment{});
  CHECK(bench.receive(1).forwards);
  CHECK_FALSE(bench.receive(2, from_replica).forwards);
  CHECK_FALSE(bench.receive(3, from_client, moment{forwarding_schedule::former_primary_period}).forwards);
}

TEST_CASE("a session opening on its client's link sends the session's results there") {
  intake_bench bench{2};
  const auto opening = bench.make.session_request(client_id{1}, session_id{7}, timestamp{0});
  CHECK_FALSE(bench.tested.on_request(from_replica, opening, moment{}).routes_session);
  CHECK(bench.tested.on_request(from_client, opening, moment{}).routes_session);
  CHECK_FALSE(bench.receive(1).routes_session);
}

TEST_CASE("only the primary cuts batches, with its wall clock and the arrival of the oldest request") {
  constexpr wall_time noon{std::chrono::hours{12}};
  intake_bench primary{0};
  (void)primary.receive(1, from_client, moment{3ms});
  (void)primary.receive(2, from_client, moment{5ms});
  CHECK(primary.tested.awaits_delay());
  const auto cut = primary.tested.cut(true, noon, moment{});
  REQUIRE(cut);
  CHECK(cut->content.requests.size() == 2);
  CHECK(cut->content.proposed_time == noon);
  CHECK(cut->oldest == moment{3ms});
  CHECK_FALSE(primary.tested.awaits_delay());
  CHECK_FALSE(primary.tested.cut(true, noon, moment{}));
  intake_bench backup{1};
  (void)backup.receive(1);
  CHECK_FALSE(backup.tested.cut(true, noon, moment{}));
  CHECK_FALSE(backup.tested.awaits_delay());
}

TEST_CASE("a batch of an earlier view neither leaves the pipeline of a backup nor counts for the present primary") {
  intake_bench bench{0};
  (void)bench.receive(1);
  REQUIRE(bench.tested.cut(true, wall_time{}, moment{}));
  const std::vector<executed_request> done{{bench.ask(1).id, true}};
  SUBCASE("of another primary") {
    bench.tested.on_executed({view_number{1}, done, {}, duration{1h}}, moment{1ms});
    CHECK(bench.pool.in_flight() == 1);
    CHECK_FALSE(bench.pool.service(moment{1ms}).last_time);
  }
  SUBCASE("of this view") {
    bench.tested.on_executed({view_number{0}, done, {}, duration{2s}}, moment{1ms});
    CHECK(bench.pool.in_flight() == 0);
    REQUIRE(bench.pool.service(moment{1ms}).last_time);
    CHECK(bench.pool.service(moment{1ms}).last_time->behind == 2s);
    CHECK(bench.pool.service(moment{1ms}).last_time->at == moment{1ms});
  }
}

TEST_CASE("a primary whose batches take long has one in flight, even if the batch delay has passed") {
  intake_bench bench{0};
  const auto propose = [&](std::uint64_t when, moment now) {
    (void)bench.receive(when, from_client, now);
    return bench.tested.cut(true, wall_time{}, now).has_value();
  };
  const auto execute = [&](std::uint64_t when, moment now) {
    const std::vector<executed_request> done{{bench.ask(when).id, true}};
    bench.tested.on_executed({view_number{0}, done, {}, std::nullopt}, now);
  };
  REQUIRE(propose(1, moment{1ms}));
  execute(1, moment{3ms});
  REQUIRE(propose(2, moment{3ms}));
  CHECK(propose(3, moment{3ms}));
  execute(2, moment{203ms});
  // One batch took 2 ms and one 200 ms, so the batch that is in flight is the only one.
  CHECK_FALSE(propose(4, moment{203ms}));
  CHECK_FALSE(bench.tested.awaits_delay());
  execute(3, moment{203ms});
  CHECK(bench.tested.cut(true, wall_time{}, moment{203ms}).has_value());
}
