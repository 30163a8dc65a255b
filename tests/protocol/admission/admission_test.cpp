#include <doctest/doctest.h>

#include "actors/protocol/admission/request_pool.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

// Tests displacement when the pool is full (attacks 31 to 33), and the conviction of clients (attack 8).

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using admission = request_pool::admission;

struct admission_world {
  request_factory factory{small_cluster(4, 16)};
  validator checks{factory.cluster(), factory.keys_of(replica_id{1})};
  batch_settings settings;
  std::optional<request_pool> built;

  [[nodiscard]] request_pool& builder() {
    if (!built) built.emplace(settings);
    return *built;
  }
  [[nodiscard]] request ask(std::uint32_t client, std::uint64_t when, std::string_view operation = "op") const {
    return factory.request_of(client_id{client}, timestamp{when}, operation);
  }
  admission admit(std::uint32_t client, std::uint64_t when, moment now = {}) {
    return builder().admit(ask(client, when), now);
  }
  /// The names of the requests that were displaced since the last call.
  std::vector<request_id> displaced() {
    std::vector<request_id> names;
    for (const auto& each : builder().take_displaced())
      names.push_back(each.id);
    return names;
  }
  admission admit_case(std::uint64_t name, moment now) {
    return builder().admit(make_system_request(case_name{name}), now);
  }
};

request_id id_of(std::uint32_t client, std::uint64_t when) { return {client_id{client}, timestamp{when}}; }

}  // namespace

TEST_CASE_FIXTURE(admission_world,
                  "a full pool displaces the newest requests of the client with the most (attack 32)") {
  settings.requests_pending_max = 10;
  for (std::uint64_t when = 1; when <= 10; ++when)
    REQUIRE(admit(0, when) == admission::accepted);
  CHECK(admit(1, 1) == admission::accepted);
  CHECK(displaced() == std::vector{id_of(0, 10)});
  CHECK(builder().take_displaced().empty());
  CHECK(builder().requests_pending() == 10);
  CHECK_FALSE(builder().is_pending(id_of(0, 10)));
  // A client with an equally long or a longer queue displaces no request.
  for (std::uint64_t when = 2; when <= 5; ++when)
    CHECK(admit(1, when) == admission::accepted);
  CHECK(admit(1, 6) == admission::overloaded);
  CHECK(admit(0, 11) == admission::overloaded);
}

TEST_CASE_FIXTURE(admission_world, "a request that is in a batch already is not displaced") {
  settings.requests_pending_max = 4;
  for (std::uint64_t when = 1; when <= 4; ++when)
    REQUIRE(admit(0, when) == admission::accepted);
  REQUIRE(builder().cut(true));
  CHECK(admit(1, 1) == admission::overloaded);
}

TEST_CASE_FIXTURE(admission_world, "large requests weigh more than many small ones") {
  const std::string large(40'000, 'x');
  settings.bytes_pending_max = 100'000;
  REQUIRE(builder().admit(ask(0, 1, large), moment{}) == admission::accepted);
  REQUIRE(builder().admit(ask(0, 2, large), moment{}) == admission::accepted);
  for (std::uint64_t when = 1; when <= 20; ++when)
    REQUIRE(admit(1, when) == admission::accepted);
  CHECK(builder().admit(ask(2, 1, large), moment{}) == admission::accepted);
  CHECK(displaced() == std::vector{id_of(0, 2)});
}

TEST_CASE_FIXTURE(admission_world,
                  "the oldest requests of a client beyond its quota are kept, in whatever order they come") {
  for (std::uint64_t when = 1; when <= limits::requests_pending_per_client_max; ++when)
    REQUIRE(admit(0, 1'000 + when) == admission::accepted);
  CHECK(admit(0, 5'000) == admission::client_quota);
  // A request that a backup waits for and forwards keeps its place, so no client can make it suspect a primary (attack
  // 32).
  CHECK(admit(0, 5) == admission::accepted);
  CHECK(displaced() == std::vector{id_of(0, 1'000 + limits::requests_pending_per_client_max)});
  CHECK(builder().requests_pending() == limits::requests_pending_per_client_max);
}

TEST_CASE_FIXTURE(admission_world,
                  "a client with displaced requests does not wait for them, and does not count as served") {
  settings.requests_pending_max = 2;
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  REQUIRE(admit(0, 2, moment{}) == admission::accepted);
  REQUIRE(admit(1, 1, moment{500us}) == admission::accepted);
  CHECK(displaced() == std::vector{id_of(0, 2)});
  CHECK(builder().service(moment{1ms}).clients_waiting == 2);
  CHECK(builder().service(moment{1ms}).waits.empty());
  CHECK(builder().service(moment{1ms}).longest_wait == 1ms);
  // The dropped request may come again.
  builder().on_executed({{id_of(0, 1), true}}, false, moment{1'500us});
  CHECK(admit(0, 2, moment{2ms}) == admission::accepted);
}

TEST_CASE_FIXTURE(admission_world,
                  "each request waits from its own arrival, or from the beginning of the view (attack 29)") {
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  REQUIRE(admit(0, 2, moment{100us}) == admission::accepted);
  REQUIRE(admit(0, 3, moment{200us}) == admission::accepted);
  builder().on_executed({{id_of(0, 1), true}, {id_of(0, 2), true}, {id_of(0, 3), true}}, false, moment{1ms});
  // The second and third request were never the oldest request for any time.
  CHECK(weighted_median_of(builder().service(moment{1ms}).waits) == 1ms);
  CHECK(median_of(builder().service(moment{5s}).stays) == 900us);
  CHECK(builder().service(moment{1ms}).stays.size() == 3);
  REQUIRE(admit(0, 4, moment{1'100us}) == admission::accepted);
  builder().on_view(moment{2ms});
  CHECK(builder().service(moment{2ms}).stays.empty());
  builder().on_executed({{id_of(0, 4), true}}, false, moment{2'500us});
  CHECK(median_of(builder().service(moment{5s}).stays) == 500us);
}

TEST_CASE_FIXTURE(admission_world, "system requests have room where requests of clients have none, and displace none") {
  settings.requests_pending_max = 2;
  REQUIRE(admit_case(7, moment{}) == admission::accepted);
  REQUIRE(admit_case(8, moment{}) == admission::accepted);
  CHECK(admit(0, 1) == admission::overloaded);
  CHECK(admit_case(9, moment{}) == admission::accepted);
}

TEST_CASE_FIXTURE(admission_world, "a system request waits from its arrival, whatever its name (attack 31)") {
  REQUIRE(admit_case(9, moment{1ms}) == admission::accepted);
  REQUIRE(admit_case(3, moment{2ms}) == admission::accepted);
  CHECK(builder().service(moment{10ms}).longest_wait == 9ms);
  // Executing later system requests does not hide that the first one is censored.
  builder().on_executed({}, false, moment{5ms}, {case_name{3}});
  CHECK(builder().service(moment{10ms}).longest_wait == 9ms);
}

TEST_CASE_FIXTURE(admission_world,
                  "every system request waits again after an installed state, and none is in the pipeline") {
  settings.pipeline_depth = 1;
  REQUIRE(admit_case(9, moment{}) == admission::accepted);
  REQUIRE(builder().cut(true));
  REQUIRE(admit_case(3, moment{}) == admission::accepted);
  builder().on_installed({}, moment{1ms});
  CHECK(builder().in_flight() == 0);
  CHECK(builder().service(moment{2ms}).clients_waiting == 1);
  CHECK(builder().service(moment{2ms}).longest_wait == 1ms);
  // System requests are proposed in the order of their arrival.
  const auto next = builder().cut(true);
  REQUIRE(next);
  REQUIRE(next->content.system_requests.size() == 2);
  CHECK(next->content.system_requests[0].name == case_name{9});
  CHECK(next->content.system_requests[1].name == case_name{3});
  builder().on_executed({}, true, moment{2ms}, {case_name{9}, case_name{3}});
  CHECK(builder().in_flight() == 0);
  CHECK(builder().requests_pending() == 0);
  CHECK_FALSE(builder().has_waiting());
}

TEST_CASE_FIXTURE(admission_world, "the wait of a request starts when the primary certainly has it (attack 32)") {
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  REQUIRE(admit(0, 2, moment{}) == admission::accepted);
  builder().on_forwarded(id_of(0, 1), moment{50ms});
  CHECK(builder().service(moment{60ms}).longest_wait == 10ms);
  // Only the first forwarding counts, because the primary has the request from then on.
  builder().on_forwarded(id_of(0, 1), moment{400ms});
  CHECK(builder().service(moment{410ms}).longest_wait == 360ms);
  // A request that is not the oldest does not count in the wait.
  builder().on_forwarded(id_of(0, 2), moment{410ms});
  CHECK(builder().service(moment{410ms}).longest_wait == 360ms);
  builder().on_executed({{id_of(0, 1), true}}, false, moment{450ms});
  CHECK(weighted_median_of(builder().service(moment{450ms}).waits) == 400ms);
  CHECK(median_of(builder().service(moment{5s}).stays) == 400ms);
}

TEST_CASE_FIXTURE(admission_world,
                  "a request that the primary may have received only now is no evidence against it (attack 32)") {
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  REQUIRE(admit(1, 1, moment{}) == admission::accepted);
  builder().on_executed({{id_of(0, 1), true}}, false, moment{primary_monitor::wait_floor - 1us});
  CHECK(builder().service(moment{100ms}).waits.size() == 1);
  // Another backup may have forwarded the request, or its client was late.
  builder().on_executed({{id_of(1, 1), true}}, false, moment{400ms});
  CHECK(builder().service(moment{400ms}).waits.size() == 1);
  CHECK(builder().service(moment{400ms}).stays.size() == 1);
}

TEST_CASE_FIXTURE(admission_world,
                  "a request that was forwarded to the last primary was not forwarded to the next one (attack 32)") {
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  builder().on_forwarded(id_of(0, 1), moment{});
  builder().on_view(moment{1ms});
  builder().on_executed({{id_of(0, 1), true}}, false, moment{900ms});
  CHECK(builder().service(moment{900ms}).waits.empty());
  CHECK(builder().service(moment{900ms}).stays.empty());
}

TEST_CASE_FIXTURE(admission_world, "a client that sends ever older requests waits for the oldest alone (attack 32)") {
  moment now{};
  REQUIRE(admit(0, 1'000, now) == admission::accepted);
  for (std::uint64_t when = 999; when > 900; --when) {
    now += 40ms;
    REQUIRE(admit(0, when, now) == admission::accepted);
    builder().on_executed({{id_of(0, when + 1), true}}, false, now + 10ms);
    REQUIRE(builder().service(now + 20ms).longest_wait <= 20ms);
  }
}

TEST_CASE_FIXTURE(admission_world, "the wait of a client restarts when older requests of it are executed (attack 32)") {
  // The other replicas know the older requests, but this replica knows only the newest request.
  REQUIRE(admit(0, 1'000, moment{}) == admission::accepted);
  builder().on_executed({{id_of(0, 10), true}}, false, moment{900ms});
  CHECK(builder().service(moment{1s}).longest_wait == 100ms);
  // A repeated execution of an old request, or of requests of others, does not restart the wait.
  builder().on_executed({{id_of(0, 10), false}, {id_of(1, 5), true}}, false, moment{1'500ms});
  CHECK(builder().service(moment{2s}).longest_wait == 1'100ms);
  builder().on_executed({{id_of(0, 2'000), true}}, false, moment{2s});
  CHECK(builder().service(moment{2s}).longest_wait == 1'100ms);
}

TEST_CASE_FIXTURE(admission_world,
                  "requests that are executed together do not hide how long their client waited (attack 29)") {
  for (int round = 0; round < 4; ++round) {
    const moment now{round * 900ms};
    std::vector<executed_request> done;
    for (std::uint64_t index = 0; index < 16; ++index) {
      const auto when = static_cast<std::uint64_t>(round) * 16 + index + 1;
      REQUIRE(admit(0, when, now) == admission::accepted);
      builder().on_forwarded(id_of(0, when), now);
      done.push_back({id_of(0, when), true});
    }
    builder().on_executed(done, false, now + 900ms);
  }
  CHECK(weighted_median_of(builder().service(moment{3'600ms}).waits) == 900ms);
}

TEST_CASE_FIXTURE(admission_world, "large requests do not count in the measured delay of a primary") {
  REQUIRE(builder().admit(ask(0, 1, std::string(40'000, 'x')), moment{}) == admission::accepted);
  builder().on_forwarded(id_of(0, 1), moment{});
  builder().on_executed({{id_of(0, 1), true}}, false, moment{900ms});
  CHECK(builder().service(moment{900ms}).stays.empty());
  CHECK(builder().service(moment{900ms}).waits.size() == 1);
}

TEST_CASE_FIXTURE(admission_world, "two requests with one timestamp convict their client (attack 8)") {
  REQUIRE(admit(0, 1) == admission::accepted);
  CHECK_FALSE(builder().contradiction_with(ask(0, 1)));
  const auto other = ask(0, 1, "another");
  CHECK(builder().admit(other, moment{}) == admission::contradicting);
  const auto shown = builder().contradiction_with(other);
  REQUIRE(shown);
  // The conflict is reported only once, and a convicted client is not reported again.
  CHECK_FALSE(builder().contradiction_with(other));
  REQUIRE(admit(3, 1) == admission::accepted);
  builder().on_rate_limited({client_id{3}});
  CHECK_FALSE(builder().contradiction_with(ask(3, 1, "another")));
  CHECK(checks.proves(*shown));
  const auto about = std::get<misbehaviour>(*claim_in(*shown, factory.cluster()));
  CHECK(about.what == misbehaviour_kind::conflicting_requests);
  CHECK(about.accused == principal::of(client_id{0}));
  // A request with another timestamp or of another client is no conflict.
  CHECK_FALSE(builder().contradiction_with(ask(0, 2)));
  CHECK_FALSE(builder().contradiction_with(ask(1, 1)));
}

TEST_CASE_FIXTURE(admission_world, "requests that are too large for evidence are not punished") {
  REQUIRE(admit(0, 1) == admission::accepted);
  const byte_vector operation(limits::operation_bytes_max, std::byte{1});
  const auto large = make_request(id_of(0, 1), {operation, operation, operation}, {});
  CHECK(builder().admit(large, moment{}) == admission::contradicting);
  CHECK_FALSE(builder().contradiction_with(large));
}

TEST_CASE_FIXTURE(admission_world, "a convicted client has one pending request, and other clients as many as before") {
  builder().on_rate_limited({client_id{2}, client_id{5}});
  CHECK(admit(5, 1) == admission::accepted);
  CHECK(admit(5, 2) == admission::client_quota);
  CHECK(admit(4, 1) == admission::accepted);
  CHECK(admit(4, 2) == admission::accepted);
  builder().on_executed({{id_of(5, 1), true}}, false, moment{});
  CHECK(admit(5, 2) == admission::accepted);
}

TEST_CASE_FIXTURE(admission_world,
                  "a request is overtaken by requests that came after the primary was given it (attack 31)") {
  for (const std::uint64_t when : {1, 2, 3})
    REQUIRE(admit(0, when, moment{when * 1ms}) == admission::accepted);
  builder().on_forwarded(id_of(0, 1), moment{20ms});
  // The primary may have received this request first.
  builder().on_executed({{id_of(0, 3), true}}, false, moment{30ms});
  REQUIRE(admit(0, 4, moment{40ms}) == admission::accepted);
  REQUIRE(admit(1, 5, moment{40ms}) == admission::accepted);
  builder().on_executed({{id_of(1, 5), true}, {id_of(0, 4), true}}, false, moment{50ms});
  builder().on_executed({{id_of(0, 1), true}}, false, moment{350ms});
  // A request of another client overtakes no request of this client, and a request that was not forwarded does not
  // count.
  builder().on_executed({{id_of(0, 2), true}}, false, moment{350ms});
  std::vector<duration> overtaken;
  for (const auto& each : builder().service(moment{350ms}).stays)
    overtaken.push_back(each.overtaken);
  CHECK(overtaken == std::vector<duration>{0s, 0s, 300ms});
}

TEST_CASE_FIXTURE(admission_world, "no request is overtaken at the beginning of a new view") {
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  builder().on_forwarded(id_of(0, 1), moment{});
  REQUIRE(admit(0, 2, moment{1ms}) == admission::accepted);
  builder().on_executed({{id_of(0, 2), true}}, false, moment{2ms});
  builder().on_view(moment{3ms});
  builder().on_forwarded(id_of(0, 1), moment{3ms});
  builder().on_executed({{id_of(0, 1), true}}, false, moment{900ms});
  REQUIRE(builder().service(moment{900ms}).stays.size() == 1);
  CHECK(builder().service(moment{900ms}).stays.front().overtaken == 0s);
}

TEST_CASE_FIXTURE(admission_world, "a rate-limited client waits without blame for the primary (attack 32)") {
  builder().on_rate_limited({client_id{2}});
  for (const std::uint32_t client : {2U, 3U}) {
    REQUIRE(admit(client, 1, moment{}) == admission::accepted);
    builder().on_forwarded(id_of(client, 1), moment{20ms});
    builder().on_executed({{id_of(client, 1), true}}, false, moment{420ms});
    CHECK(builder().service(moment{420ms}).waits.size() == client - 2);
    CHECK(builder().service(moment{420ms}).stays.size() == client - 2);
  }
}

TEST_CASE_FIXTURE(admission_world, "a request that its client repeats is forwarded again after a pause (attack 33)") {
  REQUIRE(admit(0, 1, moment{}) == admission::accepted);
  constexpr auto pause = request_pool::repeat_pause;
  CHECK(builder().on_repeated(id_of(0, 1), moment{1ms}));
  CHECK(builder().on_repeated(id_of(0, 1), moment{1ms + pause}));
  // A client that repeats its request too soon is paused from then on.
  CHECK_FALSE(builder().on_repeated(id_of(0, 1), moment{2 * pause}));
  CHECK_FALSE(builder().on_repeated(id_of(0, 1), moment{2 * pause + pause - 1us}));
  CHECK(builder().on_repeated(id_of(0, 1), moment{10 * pause}));
}

TEST_CASE_FIXTURE(admission_world, "the counts match the content after any mixture of events under overload") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    sample_source random{seed};
    settings.requests_pending_max = 5 + random.below(20);
    settings.bytes_pending_max = 2'000 + random.below(8'000);
    built.reset();
    std::vector<batch> open;
    std::size_t accepted = 0;
    std::size_t displaced = 0;
    std::size_t executed = 0;
    for (int step = 0; step < 400; ++step) {
      const auto client = static_cast<std::uint32_t>(random.below(5));
      const auto value = ask(client, 1 + random.below(300), std::string(random.below(600), 'x'));
      if (random.below(3) > 0) {
        if (builder().admit(value, moment{step * 1us}) == admission::accepted) ++accepted;
        displaced += builder().take_displaced().size();
      } else if (auto next = builder().cut(random.below(2) == 0)) {
        open.push_back(std::move(next->content));
      }
      REQUIRE(builder().requests_pending() <= settings.requests_pending_max);
      REQUIRE(builder().bytes_pending() <= settings.bytes_pending_max);
      if (open.empty() || random.below(4) > 0) continue;
      std::vector<executed_request> done;
      for (const auto& each : open.front().requests)
        done.push_back({each.id, true});
      const auto before = builder().requests_pending();
      builder().on_executed(done, true, moment{step * 1us});
      executed += before - builder().requests_pending();
      open.erase(open.begin());
    }
    CHECK(builder().requests_pending() == accepted - displaced - executed);
  }
}
