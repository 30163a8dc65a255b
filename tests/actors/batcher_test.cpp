#include "actors/batcher.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/support/message_samples.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr duration delay = 2ms;

/// The batcher of one replica; replica 0 is the primary of view 0.
struct batcher_bench : virtual_bench {
  batcher_actor tested;

  explicit batcher_bench(std::uint32_t self = 0, batch_settings settings = {}) : virtual_bench(replica_id{self}) {
    tested = connect(system().spawn(batcher, identity(), settings, delay));
  }

  void request_from(principal sender, std::uint32_t client, std::uint64_t when) {
    give_verified(tested, sender, make().request_of(client_id{client}, timestamp{when}, "o"));
  }
  void request(std::uint32_t client, std::uint64_t when) {
    request_from(principal::of(client_id{client}), client, when);
  }
  void executed(std::uint32_t client, std::uint64_t when) {
    auto done = std::make_shared<std::vector<executed_request>>();
    done->push_back({{client_id{client}, timestamp{when}}, true});
    give(tested, batch_executed{sequence_number{1}, view_number{0}, done, nullptr});
  }
  /// The sizes of the batches that were cut.
  std::vector<std::size_t> batches() {
    std::vector<std::size_t> sizes;
    for (const auto& each : take<batch_cut>("replica"))
      sizes.push_back(each.content->requests.size());
    return sizes;
  }
};

using sizes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a lone request is proposed at once") {
  batcher_bench bench;
  bench.request(0, 1);
  CHECK(bench.batches() == sizes{1});
  CHECK(bench.is_quiet());
}

TEST_CASE("each batch has the reading of the wall clock at the time of its cut (attack 42)") {
  batcher_bench bench;
  bench.advance(20ms);
  bench.request(0, 1);
  bench.clock().step(1h);
  bench.request(0, 2);
  bench.executed(0, 1);
  const auto cut = bench.take<batch_cut>("replica");
  REQUIRE(cut.size() == 2);
  CHECK(cut[0].content->proposed_time == simulated_wall_clock::begin + 20ms);
  CHECK(cut[1].content->proposed_time == simulated_wall_clock::begin + 20ms + 1h);
}

TEST_CASE("a wall clock outside of the range of a time is moved into it (attack 42)") {
  batcher_bench bench;
  bench.clock().step(-100 * 366 * 24h);
  bench.request(0, 1);
  CHECK(bench.take<batch_cut>("replica").at(0).content->proposed_time == wall_time{});
}

TEST_CASE("the report on the primary has the lateness of the last batch of this view (attack 42)") {
  batcher_bench bench{1};
  const auto reported = [&] {
    bench.give(bench.tested, service_wanted{});
    return bench.take<service_measured>("coordinator").at(0).report.last_time;
  };
  const auto executed = [&](std::uint64_t view, std::optional<duration> lateness) {
    const auto none = std::make_shared<const std::vector<executed_request>>();
    const auto body = bench.make().batch_number(1);
    bench.give(bench.tested, batch_executed{sequence_number{1}, view_number{view}, none, body, lateness});
  };
  CHECK_FALSE(reported());
  bench.advance(5ms);
  executed(0, 3s);
  REQUIRE(reported());
  CHECK(reported()->behind == 3s);
  const auto first = reported()->at;
  bench.advance(5ms);
  executed(0, 3s);
  CHECK(reported()->at - first == 5ms);
  // A batch whose time was not measured tells nothing.
  executed(0, std::nullopt);
  CHECK(reported()->behind == 3s);
  bench.give(bench.tested, view_entered{view_number{4}});
  CHECK_FALSE(reported());
  // Replica 0 led view 0 too, but the report is about view 4.
  executed(0, 1h);
  CHECK_FALSE(reported());
  executed(4, -2s);
  REQUIRE(reported());
  CHECK(reported()->behind == -2s);
}

TEST_CASE("requests are gathered while the pipeline is busy, until the delay passes") {
  batcher_bench bench;
  bench.request(0, 1);
  CHECK(bench.batches() == sizes{1});
  bench.request(0, 2);
  bench.request(1, 1);
  bench.advance(delay - 1us);
  CHECK(bench.batches().empty());
  bench.advance(1us);
  CHECK(bench.batches() == sizes{2});
}

TEST_CASE("requests that were gathered are proposed together when the pipeline is empty") {
  batcher_bench bench;
  bench.request(0, 1);
  bench.request(0, 2);
  bench.request(0, 3);
  CHECK(bench.batches() == sizes{1});
  bench.executed(0, 1);
  CHECK(bench.batches() == sizes{2});
}

TEST_CASE("an outdated delay tick closes no batch") {
  batcher_bench bench;
  bench.request(0, 1);
  bench.request(0, 2);
  // The delay of the second request is running. Its batch leaves earlier, because the first batch is executed.
  bench.executed(0, 1);
  CHECK(bench.batches() == sizes{1, 1});
  bench.request(0, 3);
  bench.give(bench.tested, tick{0});
  bench.give(bench.tested, tick{7});
  CHECK(bench.batches().empty());
  bench.advance(delay);
  CHECK(bench.batches() == sizes{1});
}

TEST_CASE("the batches that wait for execution are never more than the pipeline depth") {
  batch_settings settings;
  settings.pipeline_depth = 2;
  settings.requests_per_batch_max = 1;
  settings.requests_per_batch_target = 1;
  batcher_bench bench{0, settings};
  for (std::uint64_t when = 1; when <= 4; ++when)
    bench.request(0, when);
  bench.advance(10 * delay);
  CHECK(bench.batches() == sizes{1, 1});
  bench.executed(0, 1);
  CHECK(bench.batches() == sizes{1});
}

TEST_CASE("a backup forwards a pending request repeatedly, and at once when its client repeats it") {
  batcher_bench bench{2};
  bench.request(0, 1);
  // The primary has most likely received the request from the client, and a copy could overtake an earlier request.
  CHECK(bench.take_frames("peer-0").empty());
  bench.advance(50ms);
  const auto forwarded = bench.take_frames("peer-0");
  REQUIRE(forwarded.size() == 1);
  const auto& sent = std::get<request>(forwarded.front());
  CHECK(sent.id == request_id{client_id{0}, timestamp{1}});
  // The forwarded bytes are the client's bytes, so the client's signature is valid.
  const auto original = bench.make().request_of(client_id{0}, timestamp{1}, "o");
  CHECK(std::ranges::equal(sent.raw.view, original.raw.view));
  // If the client repeats its request, the backup forwards it again, because the first copy may have been lost.
  bench.request(0, 1);
  CHECK(bench.take_frames("peer-0").size() == 1);
  CHECK(bench.take<quota_exceeded>("client-ingress").empty());
  // A third copy within a short time would be useless, so the backup does not forward it.
  bench.request(0, 1);
  CHECK(bench.take_frames("peer-0").empty());
  CHECK(bench.take<quota_exceeded>("client-ingress").size() == 1);
  bench.advance(400ms);
  CHECK(bench.take_frames("peer-0").size() == 1);
  // The backup continues to forward, because the primary may have had no room for the request.
  bench.advance(2s);
  CHECK(bench.take_frames("peer-0").size() == 5);
  bench.executed(0, 1);
  bench.forget();
  bench.advance(5s);
  CHECK(bench.is_quiet());
}

TEST_CASE("a system request of the fault detector is proposed by a primary and forwarded by a backup") {
  for (const std::uint32_t self : {0U, 2U}) {
    batcher_bench bench{self};
    const auto wanted = make_system_request(case_name{6});
    bench.give_verified(bench.tested, principal::of(replica_id{self}), wanted);
    if (self == 0) {
      const auto cut = bench.take<batch_cut>("replica");
      REQUIRE(cut.size() == 1);
      CHECK(cut.front().content->requests.empty());
      CHECK(cut.front().content->system_requests.size() == 1);
      continue;
    }
    bench.advance(400ms);
    const auto forwarded = bench.take_frames("peer-0");
    REQUIRE_FALSE(forwarded.empty());
    CHECK(std::get<system_request>(forwarded.front()).name == wanted.name);
    bench.give(bench.tested, cases_dropped{std::make_shared<const std::vector<case_name>>(1, wanted.name)});
    bench.forget();
    bench.advance(2s);
    CHECK(bench.take_frames("peer-0").empty());
  }
}

TEST_CASE("a backup forwards a request behind another one of its client at most twice") {
  batcher_bench bench{2};
  bench.request(0, 1);
  bench.request(0, 2);
  // Of the second request, this backup is not the first to forward.
  bench.advance(50ms);
  CHECK(bench.take_frames("peer-0").size() == 1);
  bench.advance(400ms);
  CHECK(bench.take_frames("peer-0").size() == 2);
  bench.advance(400ms);
  CHECK(bench.take_frames("peer-0").size() == 2);
  bench.advance(400ms);
  const auto again = bench.take_frames("peer-0");
  REQUIRE(again.size() == 1);
  CHECK(std::get<request>(again.front()).id.when == timestamp{1});
}

TEST_CASE(
    "a request that another replica forwarded is forwarded before the primary could be suspected for it (attack 32)") {
  batcher_bench bench{2};
  bench.request_from(principal::of(replica_id{3}), 1, 1);
  CHECK(bench.take_frames("peer-0").empty());
  bench.advance(50ms);
  CHECK(bench.take_frames("peer-0").size() == 1);
  // A repetition by a replica is not forwarded, because two replicas could repeat a request to each other for ever.
  bench.request_from(principal::of(replica_id{1}), 1, 1);
  CHECK(bench.take_frames("peer-0").empty());
}

TEST_CASE("a request that is executed meanwhile is not forwarded") {
  batcher_bench bench{2};
  bench.request(0, 1);
  bench.executed(0, 1);
  bench.forget();
  bench.advance(1s);
  CHECK(bench.take_frames("peer-0").empty());
}

TEST_CASE("a backup proposes its pending requests when it becomes primary") {
  batcher_bench bench{1};
  bench.request(0, 1);
  bench.request(1, 1);
  CHECK(bench.batches().empty());
  bench.give(bench.tested, view_entered{view_number{1}});
  CHECK(bench.batches() == sizes{2});
}

TEST_CASE("an executed request is answered from the client table") {
  batcher_bench bench;
  bench.request(0, 1);
  bench.executed(0, 1);
  bench.forget();
  bench.request(0, 1);
  const auto again = bench.take<reply_again>("executor");
  REQUIRE(again.size() == 1);
  CHECK(again.front().asked.id == request_id{client_id{0}, timestamp{1}});
  CHECK(bench.is_quiet());
}

TEST_CASE("a client beyond its quota is refused and counted, and other clients are not") {
  batcher_bench bench{2};
  for (std::uint64_t when = 1; when <= limits::requests_pending_per_client_max; ++when)
    bench.request(0, when);
  bench.forget();
  bench.request(0, limits::requests_pending_per_client_max + 1);
  const auto refused = bench.take<refuse>("executor");
  REQUIRE(refused.size() == 1);
  CHECK(refused.front().status == reply_status::overloaded);
  const auto counted = bench.take_observed<frame_rejected>();
  REQUIRE(counted.size() == 1);
  CHECK(counted.front().reason == rejection::client_quota);
  // No request of this client is verified for a short time (attack 33).
  CHECK(bench.take<quota_exceeded>("client-ingress").size() == 1);
  CHECK(bench.is_quiet());
  bench.request(1, 1);
  CHECK(bench.take<refuse>("executor").empty());
}

TEST_CASE("a client whose requests were displaced is notified on all its links") {
  batch_settings settings;
  settings.requests_pending_max = 3;
  batcher_bench bench{2, settings};
  for (std::uint64_t when = 1; when <= 3; ++when)
    bench.request(0, when);
  bench.forget();
  bench.request(1, 1);
  const auto refused = bench.take<refuse>("executor");
  REQUIRE(refused.size() == 1);
  CHECK(refused.front().asked.id == request_id{client_id{0}, timestamp{3}});
  CHECK_FALSE(refused.front().via);
}

TEST_CASE("two requests with one timestamp go to the fault detector, whether received or ordered (attack 8)") {
  batcher_bench bench{2};
  bench.request(0, 1);
  bench.forget();
  const auto other = bench.make().request_of(client_id{0}, timestamp{1}, "another");
  SUBCASE("both are received") {
    bench.give_verified(bench.tested, principal::of(client_id{0}), other);
    CHECK(bench.take<proof_found>("fault-detector").size() == 1);
    CHECK(bench.take_observed<frame_rejected>().size() == 1);
    CHECK(bench.is_quiet());
  }
  SUBCASE("another one was ordered") {
    auto done = std::make_shared<std::vector<executed_request>>();
    done->push_back({other.id, true});
    const auto body = bench.make().batch_of({other});
    bench.give(bench.tested, batch_executed{sequence_number{1}, view_number{0}, done, body});
    CHECK(bench.take<proof_found>("fault-detector").size() == 1);
  }
}

TEST_CASE("an installed state frees the pipeline of the batches that it covers") {
  batch_settings settings;
  settings.pipeline_depth = 1;
  batcher_bench bench{0, settings};
  bench.request(0, 1);
  bench.request(0, 2);
  CHECK(bench.batches() == sizes{1});
  // The list has the order of the client table: for each client, its largest past timestamp comes first.
  client_sessions done;
  done.mark_done(session_id{0}, timestamp{1});
  const sessions_by_client all{{client_id{0}, done}};
  bench.give(bench.tested, state_installed{sequence_number{4}, std::make_shared<const sessions_by_client>(all)});
  CHECK(bench.batches() == sizes{1});
}

TEST_CASE("a backup forwards pending requests to the primary of a new view, and the new primary proposes them") {
  batcher_bench backup{2};
  backup.request_from(principal::of(replica_id{1}), 3, 1);
  backup.forget();
  backup.give(backup.tested, view_entered{view_number{1}});
  CHECK(backup.take_frames("peer-1").size() == 1);
  CHECK(backup.batches().empty());
  batcher_bench primary{1};
  primary.request_from(principal::of(replica_id{2}), 3, 1);
  primary.forget();
  primary.give(primary.tested, view_entered{view_number{1}});
  const auto cut = primary.take<batch_cut>("replica");
  REQUIRE(cut.size() == 1);
  CHECK(cut.front().view == view_number{1});
}

TEST_CASE("a former primary forwards a request again if the next one does not order it") {
  batcher_bench former{0};
  former.request(0, 1);
  former.give(former.tested, view_entered{view_number{1}});
  CHECK(former.take_frames("peer-1").size() == 1);
  former.advance(forwarding_schedule::later_delay);
  CHECK_FALSE(former.take_frames("peer-1").empty());
}

TEST_CASE("the coordinator gets a report on how clients are served when it asks") {
  batcher_bench bench{2};
  bench.request(0, 1);
  bench.forget();
  bench.advance(300us);
  bench.give(bench.tested, service_wanted{});
  const auto told = bench.take<service_measured>("coordinator");
  REQUIRE(told.size() == 1);
  CHECK(told.front().report.clients_waiting == 1);
  CHECK(told.front().report.longest_wait == 300us);
}

TEST_CASE("a coordinator that rests hears of the first request that waits, once") {
  batcher_bench bench{2};
  bench.give(bench.tested, service_wanted{true});
  CHECK(bench.take<service_measured>("coordinator").at(0).report.clients_waiting == 0);
  bench.forget();
  bench.request(0, 1);
  const auto told = bench.take<service_measured>("coordinator");
  REQUIRE(told.size() == 1);
  CHECK(told.front().report.clients_waiting == 1);
  bench.forget();
  bench.request(0, 2);
  CHECK(bench.take<service_measured>("coordinator").empty());
}

TEST_CASE("a rate-limited client has one pending request until its term is over") {
  batcher_bench bench;
  const auto agree = [&](std::uint64_t until) {
    agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
    agreed.clients[client_id{1}].rate_limited_until = sequence_number{until};
    bench.give(bench.tested, reputation_agreed{std::make_shared<const agreed_reputation>(agreed)});
  };
  agree(40);
  bench.request(1, 1);
  bench.request(1, 2);
  CHECK(bench.take<quota_exceeded>("client-ingress").size() == 1);
  agree(0);
  bench.request(1, 2);
  CHECK(bench.take<quota_exceeded>("client-ingress").empty());
}

TEST_CASE("the former primary forwards requests of clients at once, and no other replica does") {
  batcher_bench former{0};
  former.give(former.tested, view_entered{view_number{1}});
  former.forget();
  former.request(0, 1);
  CHECK(former.take_frames("peer-1").size() == 1);
  // If a replica forwarded the request, this does not show which primary the client expects.
  former.request_from(principal::of(replica_id{3}), 1, 1);
  CHECK(former.take_frames("peer-1").empty());
  batcher_bench backup{2};
  backup.give(backup.tested, view_entered{view_number{1}});
  backup.forget();
  backup.request(0, 1);
  CHECK(backup.take_frames("peer-1").empty());
  // After some time the clients know the new primary.
  former.advance(forwarding_schedule::former_primary_period);
  former.forget();
  former.request(2, 1);
  CHECK(former.take_frames("peer-1").empty());
}

TEST_CASE("a displaced request that comes back is forwarded on one schedule only (attack 33)") {
  const auto forwarded = [](bool displaced) {
    batcher_bench bench{2};
    agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
    agreed.clients[client_id{1}].rate_limited_until = sequence_number{40};
    bench.give(bench.tested, reputation_agreed{std::make_shared<const agreed_reputation>(agreed)});
    if (displaced) {
      bench.request(1, 2);
      bench.request(1, 1);
      bench.executed(1, 1);
    }
    bench.forget();
    bench.request(1, 2);
    bench.advance(10 * forwarding_schedule::later_delay);
    return bench.take_frames("peer-0").size();
  };
  CHECK(forwarded(true) <= forwarded(false) + 1);
}

TEST_CASE("a batcher that is drained refuses new requests and reports when none is left") {
  batcher_bench bench;
  bench.request(0, 1);
  CHECK(bench.batches() == sizes{1});
  bench.give(bench.tested, stop_admitting{});
  const auto before = bench.take_observed<batcher_progress>();
  REQUIRE_FALSE(before.empty());
  CHECK_FALSE(before.back().is_admitting);
  CHECK(before.back().requests_pending == 1);
  bench.request(1, 1);
  CHECK(bench.batches().empty());
  const auto refused = bench.take<refuse>("executor");
  REQUIRE(refused.size() == 1);
  CHECK(refused.front().status == reply_status::overloaded);
  bench.executed(0, 1);
  const auto after = bench.take_observed<batcher_progress>();
  REQUIRE_FALSE(after.empty());
  CHECK(after.back().requests_pending == 0);
}
