#include <doctest/doctest.h>

#include <algorithm>

#include "actors/protocol/admission/request_pool.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using admission = request_pool::admission;

struct builder_world {
  request_factory factory{small_cluster(4, 16)};
  request_pool builder;

  explicit builder_world(batch_settings settings = {}) : builder(settings) {}

  [[nodiscard]] request ask(std::uint32_t client, std::uint64_t when, std::string_view operation = "op") const {
    return factory.request_of(client_id{client}, timestamp{when}, operation);
  }
  admission admit(std::uint32_t client, std::uint64_t when) { return builder.admit(ask(client, when), moment{}); }
  void execute(const batch& content, bool own = true) {
    std::vector<executed_request> done;
    for (const auto& each : content.requests)
      done.push_back({each.id, true});
    std::vector<case_name> cases;
    for (const auto& each : content.system_requests)
      cases.push_back(each.name);
    builder.on_executed(done, own, moment{}, cases);
  }
};

request_id id_of(std::uint32_t client, std::uint64_t when) { return {client_id{client}, timestamp{when}}; }

/// Session 0 in which everything through `floor` is past and these requests are done.
client_sessions sessions_of(std::uint64_t floor, std::set<std::uint64_t> done) {
  client_sessions::open_session always_open;
  std::set<timestamp> times;
  for (const auto each : done)
    times.insert(timestamp{each});
  always_open.window.assign(timestamp{floor}, std::move(times));
  client_sessions sessions;
  sessions.assign(0, session_id{0}, {}, {{session_id{0}, always_open}});
  return sessions;
}

std::vector<request_id> ids_in(const std::optional<cut_batch>& cut) {
  std::vector<request_id> ids;
  if (!cut) return ids;
  for (const auto& each : cut->content.requests)
    ids.push_back(each.id);
  return ids;
}

}  // namespace

TEST_CASE("a request is pending, then done, and never admitted again") {
  builder_world world;
  CHECK(world.admit(0, 1) == admission::accepted);
  CHECK(world.admit(0, 1) == admission::already_pending);
  const auto next = world.builder.cut(false);
  REQUIRE(next);
  CHECK(world.admit(0, 1) == admission::already_pending);
  world.execute(next->content);
  CHECK(world.admit(0, 1) == admission::done);
  CHECK(world.builder.requests_pending() == 0);
  CHECK(world.builder.bytes_pending() == 0);
}

TEST_CASE("a pending request below its client's window gives its place back") {
  builder_world world;
  REQUIRE(world.admit(0, 1) == admission::accepted);
  for (std::uint64_t when = 2; when <= 2 + limits::requests_in_flight_max; ++when)
    world.builder.on_executed({{id_of(0, when), true}}, false, moment{});
  CHECK(world.builder.requests_pending() == 0);
  CHECK(world.builder.bytes_pending() == 0);
  CHECK_FALSE(world.builder.has_waiting());
}

TEST_CASE("a client's large requests leave room for those of others") {
  batch_settings settings;
  settings.bytes_pending_max = 4'000;
  settings.bytes_per_client_max = 1'000;
  builder_world world{settings};
  const std::string large(600, 'x');
  CHECK(world.builder.admit(world.ask(0, 1, large), moment{}) == admission::accepted);
  CHECK(world.builder.admit(world.ask(0, 2, large), moment{}) == admission::client_quota);
  CHECK(world.builder.admit(world.ask(1, 1, large), moment{}) == admission::accepted);
}

TEST_CASE("a request below the client's window is refused as past") {
  builder_world world;
  for (std::uint64_t when = 2; when <= 2 + limits::requests_in_flight_max; ++when)
    world.builder.on_executed({{id_of(0, when), true}}, false, moment{});
  CHECK(world.admit(0, 2) == admission::past);
  CHECK(world.admit(0, 1) == admission::past);
  CHECK(world.admit(0, 3) == admission::done);
  CHECK(world.admit(1, 1) == admission::accepted);
}

TEST_CASE("clients take turns, so that a flood of one does not delay another") {
  batch_settings settings;
  settings.requests_per_batch_max = 4;
  builder_world world{settings};
  for (std::uint64_t when = 1; when <= 100; ++when)
    REQUIRE(world.admit(0, when) == admission::accepted);
  CHECK(world.admit(1, 1) == admission::accepted);
  CHECK(world.admit(2, 1) == admission::accepted);
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(0, 1), id_of(1, 1), id_of(2, 1), id_of(0, 2)});
}

TEST_CASE("the oldest waiting requests of a client are proposed first, in whatever order they came") {
  batch_settings settings;
  settings.requests_per_batch_max = 2;
  builder_world world{settings};
  for (const std::uint64_t when : {5U, 3U, 9U, 4U})
    REQUIRE(world.admit(0, when) == admission::accepted);
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(0, 3), id_of(0, 4)});
  REQUIRE(world.admit(0, 2) == admission::accepted);
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(0, 2), id_of(0, 5)});
  // In a new view, the primary proposes the waiting requests again from the first one.
  world.builder.on_view(moment{});
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(0, 2), id_of(0, 3)});
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(0, 4), id_of(0, 5)});
}

TEST_CASE("a client has a quota, and other clients are admitted when it is used up") {
  builder_world world;
  for (std::uint64_t when = 1; when <= limits::requests_pending_per_client_max; ++when)
    REQUIRE(world.admit(0, when) == admission::accepted);
  CHECK(world.admit(0, 5'000) == admission::client_quota);
  CHECK(world.admit(1, 1) == admission::accepted);
}

TEST_CASE("the pool holds a bounded number of requests and of bytes") {
  batch_settings few;
  few.requests_pending_max = 3;
  builder_world by_count{few};
  for (std::uint32_t client = 0; client < 3; ++client)
    CHECK(by_count.admit(client, 1) == admission::accepted);
  CHECK(by_count.admit(3, 1) == admission::overloaded);
  batch_settings small;
  builder_world measure;
  small.bytes_pending_max = 2 * measure.ask(0, 1).raw.view.size();
  builder_world by_bytes{small};
  CHECK(by_bytes.admit(0, 1) == admission::accepted);
  CHECK(by_bytes.admit(1, 1) == admission::accepted);
  CHECK(by_bytes.admit(2, 1) == admission::overloaded);
  by_bytes.execute(by_bytes.builder.cut(true)->content);
  CHECK(by_bytes.admit(2, 1) == admission::accepted);
}

TEST_CASE("a batch respects its bounds, and a request larger than the bound has a batch to itself") {
  builder_world measure;
  batch_settings settings;
  settings.bytes_per_batch_max = 2 * measure.ask(0, 1).raw.view.size();
  builder_world world{settings};
  for (std::uint32_t client = 0; client < 5; ++client)
    REQUIRE(world.admit(client, 1) == admission::accepted);
  REQUIRE(world.builder.admit(world.ask(5, 1, std::string(4'000, 'x')), moment{}) == admission::accepted);
  std::vector<std::size_t> sizes;
  while (const auto next = world.builder.cut(true)) {
    std::size_t bytes = 0;
    const auto& content = next->content;
    for (const auto& each : content.requests)
      bytes += each.raw.view.size();
    CHECK(content.bytes == bytes);
    CHECK((content.requests.size() == 1 || content.bytes <= settings.bytes_per_batch_max));
    sizes.push_back(content.requests.size());
  }
  CHECK(sizes == std::vector<std::size_t>{2, 2, 1, 1});
}

TEST_CASE("the pipeline is never deeper than allowed, and every executed batch makes room") {
  batch_settings settings;
  settings.pipeline_depth = 2;
  settings.requests_per_batch_max = 1;
  builder_world world{settings};
  for (std::uint64_t when = 1; when <= 4; ++when)
    REQUIRE(world.admit(0, when) == admission::accepted);
  const auto first = world.builder.cut(true);
  REQUIRE(world.builder.cut(true));
  CHECK(world.builder.in_flight() == 2);
  CHECK_FALSE(world.builder.cut(true));
  world.execute(first->content);
  CHECK(world.builder.cut(true));
  CHECK_FALSE(world.builder.cut(true));
}

TEST_CASE("an idle pipeline takes a request at once, and a busy one waits for the target or the delay") {
  batch_settings settings;
  settings.requests_per_batch_target = 3;
  builder_world world{settings};
  REQUIRE(world.admit(0, 1) == admission::accepted);
  CHECK(world.builder.cut(false));
  REQUIRE(world.admit(0, 2) == admission::accepted);
  CHECK_FALSE(world.builder.cut(false));
  REQUIRE(world.admit(0, 3) == admission::accepted);
  CHECK_FALSE(world.builder.cut(false));
  REQUIRE(world.admit(0, 4) == admission::accepted);
  CHECK(ids_in(world.builder.cut(false)).size() == 3);
  REQUIRE(world.admit(0, 5) == admission::accepted);
  CHECK_FALSE(world.builder.cut(false));
  CHECK(ids_in(world.builder.cut(true)).size() == 1);
}

TEST_CASE("an empty queue gives no batch") {
  builder_world world;
  CHECK_FALSE(world.builder.has_waiting());
  CHECK_FALSE(world.builder.cut(true));
}

TEST_CASE("a backup drops the requests that another primary's batch executed, and never proposes them") {
  builder_world world;
  REQUIRE(world.admit(0, 1) == admission::accepted);
  REQUIRE(world.admit(1, 1) == admission::accepted);
  world.builder.on_executed({{id_of(0, 1), true}}, false, moment{});
  CHECK(world.builder.requests_pending() == 1);
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(1, 1)});
}

TEST_CASE("a transferred state frees the places of the batches that it covers") {
  batch_settings settings;
  settings.pipeline_depth = 3;
  settings.requests_per_batch_max = 1;
  builder_world world{settings};
  for (std::uint64_t when = 1; when <= 6; ++when)
    REQUIRE(world.admit(0, when) == admission::accepted);
  for (int number = 0; number < 3; ++number)
    REQUIRE(world.builder.cut(true));
  world.builder.on_installed({{client_id{0}, sessions_of(0, {1, 2})}}, moment{});
  CHECK(world.builder.in_flight() == 1);
  CHECK(world.builder.requests_pending() == 4);
  // The state did not cover the third batch, so this batch is executed later and counted once.
  world.builder.on_executed({{id_of(0, 3), true}}, true, moment{});
  CHECK(world.builder.in_flight() == 0);
  CHECK(ids_in(world.builder.cut(true)) == std::vector{id_of(0, 4)});
}

TEST_CASE("a transferred state drops past requests, proposed or not") {
  builder_world world;
  for (std::uint64_t when = 1; when <= 10; ++when)
    REQUIRE(world.admit(0, when) == admission::accepted);
  REQUIRE(world.admit(1, 1) == admission::accepted);
  REQUIRE(world.builder.cut(true));
  for (std::uint64_t when = 11; when <= 20; ++when)
    REQUIRE(world.admit(0, when) == admission::accepted);
  world.builder.on_installed({{client_id{0}, sessions_of(15, {17})}, {client_id{1}, {}}}, moment{});
  CHECK(world.builder.requests_pending() == 5);
  CHECK(world.admit(0, 12) == admission::past);
  CHECK(world.admit(0, 17) == admission::done);
  CHECK(world.admit(0, 16) == admission::already_pending);
  CHECK(world.admit(1, 1) == admission::already_pending);
}

TEST_CASE("the counts match the content after any mixture of events") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    sample_source random{seed};
    batch_settings settings;
    settings.requests_per_batch_max = 1 + random.below(6);
    settings.pipeline_depth = 1 + random.below(5);
    builder_world world{settings};
    std::vector<batch> open;
    for (int step = 0; step < 500; ++step) {
      const auto client = static_cast<std::uint32_t>(random.below(4));
      switch (random.below(4)) {
        case 0:
        case 1:
          (void)world.admit(client, 1 + random.below(600));
          break;
        case 2:
          if (auto next = world.builder.cut(random.below(2) == 0)) open.push_back(std::move(next->content));
          break;
        default:
          if (open.empty()) break;
          world.execute(open.front());
          open.erase(open.begin());
      }
      REQUIRE(world.builder.in_flight() == open.size());
    }
    for (const auto& each : open)
      world.execute(each);
    while (const auto next = world.builder.cut(true))
      world.execute(next->content);
    CAPTURE(seed);
    CHECK(world.builder.requests_pending() == 0);
    CHECK(world.builder.bytes_pending() == 0);
    CHECK_FALSE(world.builder.has_waiting());
  }
}

TEST_CASE("a refused request starts no wait (attack 32)") {
  batch_settings settings;
  settings.requests_pending_max = 1;
  builder_world world{settings};
  CHECK(world.admit(0, 1) == admission::accepted);
  CHECK(world.admit(1, 1) == admission::overloaded);
  world.execute(world.builder.cut(true)->content);
  CHECK(world.admit(0, 1) == admission::done);
  CHECK(world.builder.service(moment{10s}).clients_waiting == 0);
}

TEST_CASE("system requests are admitted by their names, in any order, and executed once") {
  builder_world world;
  const auto ask = [](std::uint64_t name) { return make_system_request(case_name{name}); };
  CHECK(world.builder.admit(ask(9'000'000'000'000'000'000ULL), moment{}) == admission::accepted);
  CHECK(world.builder.admit(ask(5), moment{}) == admission::accepted);
  CHECK(world.builder.admit(ask(5), moment{}) == admission::already_pending);
  const auto first = world.builder.cut(true);
  REQUIRE(first);
  CHECK(first->content.system_requests.size() == 2);
  world.execute(first->content);
  CHECK(world.builder.requests_pending() == 0);
  CHECK(world.builder.admit(ask(5), moment{}) == admission::done);
  // A system request with a lower name than an executed one is still fresh.
  CHECK(world.builder.admit(ask(3), moment{}) == admission::accepted);
  CHECK(world.builder.service(moment{1ms}).clients_waiting == 1);
}

TEST_CASE("a batch holds at most eight system requests beside its other requests (attack 33)") {
  builder_world world;
  for (std::uint64_t name = 1; name <= 20; ++name)
    CHECK(world.builder.admit(make_system_request(case_name{name}), moment{}) == admission::accepted);
  for (std::uint64_t when = 1; when <= 12; ++when)
    CHECK(world.admit(3, when) == admission::accepted);
  const auto first = world.builder.cut(true);
  REQUIRE(first);
  CHECK(first->content.system_requests.size() == 8);
  CHECK(first->content.requests.size() == 12);
  CHECK(world.builder.cut(true)->content.system_requests.size() == 8);
  CHECK(world.builder.cut(true)->content.system_requests.size() == 4);
  CHECK_FALSE(world.builder.cut(true));
}

TEST_CASE("a system request that the guard withdraws does not wait any more") {
  builder_world world;
  CHECK(world.builder.admit(make_system_request(case_name{7}), moment{}) == admission::accepted);
  CHECK(world.builder.service(moment{1ms}).clients_waiting == 1);
  world.builder.on_dropped({case_name{7}, case_name{8}}, moment{2ms});
  CHECK(world.builder.service(moment{3ms}).clients_waiting == 0);
  CHECK_FALSE(world.builder.cut(true));
}

TEST_CASE("a pool that stops admitting refuses new requests and keeps the pending ones") {
  builder_world world;
  CHECK(world.admit(0, 1) == admission::accepted);
  world.builder.stop_admitting();
  CHECK(world.admit(0, 2) == admission::overloaded);
  CHECK(world.admit(1, 1) == admission::overloaded);
  CHECK(world.admit(0, 1) == admission::already_pending);
  const auto pending = world.builder.cut(true);
  CHECK(ids_in(pending) == std::vector<request_id>{id_of(0, 1)});
  world.execute(pending->content);
  CHECK(world.admit(0, 1) == admission::done);
  CHECK(world.builder.requests_pending() == 0);
}

TEST_CASE("a batch says when its oldest request or system request became pending") {
  batch_settings settings;
  settings.requests_per_batch_max = 2;
  builder_world world{settings};
  for (const std::uint64_t when : {3U, 1U, 2U})
    REQUIRE(world.builder.admit(world.ask(0, when), moment{when * 1ms}) == admission::accepted);
  CHECK(world.builder.cut(true)->oldest == moment{1ms});
  REQUIRE(world.builder.admit(make_system_request(case_name{7}), moment{2ms}) == admission::accepted);
  CHECK(world.builder.cut(true)->oldest == moment{2ms});
}
