// The probes of a node whose actors answer late or not at all: a real HTTP server, and the judge with a clock that the
// test moves.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include <nlohmann/json.hpp>

#include "runtime/health/health_watch.hpp"
#include "runtime/http/node_endpoint.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing::http_test {

namespace {

using namespace hypermesh::http;
using cli_test::eventually;
using cli_test::has;
using std::chrono::milliseconds;

/// The endpoint of replica 1 of four, all of which take part. The monitor's answers are in the hands of the test.
struct probe_bench {
  cluster_parameters cluster = small_cluster(4);
  std::atomic<std::int64_t> now_ms = 0;
  std::atomic<bool> answers = true;
  std::atomic<int> rounds = 0;
  shared_health_watch watch{{cluster, replica_id{1}, milliseconds{150}, true}, health_time{}};
  std::unique_ptr<node_endpoint> endpoint;

  probe_bench() {
    be_well();
    node_questions questions;
    questions.report = [this] {
      ++rounds;
      return answers ? std::optional{node_report{}} : std::nullopt;
    };
    questions.reputations = [] { return std::optional{std::vector<reputation>(4)}; };
    questions.works = [] { return or_error<void>{}; };
    questions.health = [this] { return watch.report(now()); };
    http_settings settings;
    settings.listen = {"127.0.0.1", 0};
    auto tap = std::make_shared<const node_tap>(replica_id{1}, cluster, 2, 0);
    auto started = node_endpoint::start(settings, replica_id{1}, std::move(tap), nullptr, std::move(questions));
    REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
    endpoint = std::move(*started);
  }

  [[nodiscard]] health_time now() const { return health_time{milliseconds{now_ms}}; }
  /// Steps of the replica actor and STATUS of all others; no answer of the monitor.
  void step() {
    watch.note(replica_progress{}, now());
    hear_others();
  }
  void hear_others() {
    for (const std::uint32_t number : {0, 2, 3})
      watch.note(status_was_heard{replica_id{number}, {}, true, {}, false}, now());
  }
  void be_well() {
    step();
    watch.on_answers({}, now());
  }
  /// The time passes, then the others are heard, the monitor answers, and the node still observes the same.
  void hold(milliseconds time, const std::function<void()>& observe) {
    now_ms += time.count();
    observe();
    hear_others();
    watch.on_answers({}, now());
  }
  /// The replica actor steps while the time passes.
  void pass(milliseconds time) {
    for (auto left = time; left.count() > 0; left -= milliseconds{100}) {
      now_ms += 100;
      step();
    }
  }
  [[nodiscard]] int status_of(const std::string& path) const { return ask(endpoint->port(), path).status; }
  [[nodiscard]] nlohmann::json health() const {
    return nlohmann::json::parse(ask(endpoint->port(), "/api/v1/status").body)["health"];
  }
};

}  // namespace

TEST_CASE_FIXTURE(probe_bench, "one late answer of the monitor neither ends a node nor takes its clients away") {
  answers = false;
  const auto before = rounds.load();
  REQUIRE(eventually([&] { return rounds.load() >= before + 2; }));
  CHECK(status_of("/livez") == 200);
  CHECK(status_of("/readyz") == 200);
  pass(milliseconds{2'400});
  CHECK(status_of("/readyz") == 200);
  pass(milliseconds{100});
  CHECK(status_of("/readyz") == 503);
  CHECK(status_of("/livez") == 200);
  CHECK(has(ask(endpoint->port(), "/readyz?verbose").body, "- stuck: replica 1 stuck for 2 s\n"));
  pass(milliseconds{12'500});
  CHECK(status_of("/livez") == 200);
  pass(milliseconds{100});
  CHECK(status_of("/livez") == 503);
  CHECK(has(ask(endpoint->port(), "/livez?verbose").body, "not ok\nnot live; "));
  CHECK(health()["live"] == false);
  be_well();
  CHECK(status_of("/livez") == 200);
  CHECK(status_of("/readyz") == 200);
}

TEST_CASE_FIXTURE(probe_bench, "each condition of a node is the same in both probes and in the status") {
  struct row {
    const char* condition;
    std::function<void()> begin;
    std::function<void()> end;
  };
  const auto progress = [this](bool diverged, bool lacks_state, bool active) {
    watch.note(replica_progress{view_number{0}, active, {}, 0, diverged, lacks_state}, now());
  };
  const std::vector<row> rows = {
      {"diverged", [&] { progress(true, false, true); }, [&] { progress(false, false, true); }},
      {"fetching_state",
       [&] {
         progress(false, true, true);
         hold(milliseconds{2'401}, [&] { progress(false, true, true); });
       },
       [&] { progress(false, false, true); }},
      {"changing_view",
       [&] {
         progress(false, false, false);
         hold(milliseconds{2'401}, [&] { progress(false, false, false); });
       },
       [&] { progress(false, false, true); }},
      {"on_probation",
       [&] {
         watch.note(probation_changed{sequence_number{512}, view_number{2}, false}, now());
       },
       [&] {
         watch.note(probation_changed{sequence_number{512}, view_number{2}, true}, now());
       }},
      {"isolated",
       [&] {
         watch.on_link(replica_id{0}, false, now());
         watch.on_link(replica_id{2}, false, now());
       },
       [&] {
         watch.on_link(replica_id{0}, true, now());
         watch.on_link(replica_id{2}, true, now());
         be_well();
       }},
      {"draining", [&] { watch.drain(); }, [] {}}};
  for (const auto& each : rows) {
    CAPTURE(each.condition);
    REQUIRE(status_of("/readyz") == 200);
    each.begin();
    CHECK(status_of("/readyz") == 503);
    CHECK(status_of("/livez") == 200);
    CHECK(has(ask(endpoint->port(), "/readyz?verbose").body, std::string{"- "} + each.condition + ": replica 1 "));
    const auto shown = health();
    CHECK(shown["live"] == true);
    CHECK(shown["ready"] == false);
    CHECK(shown["degraded"] == true);
    CHECK(std::ranges::any_of(shown["reasons"], [&](const auto& reason) {
      return reason["replica"] == 1 && reason["condition"] == each.condition;
    }));
    CHECK(has(ask(endpoint->port(), "/readyz?verbose").body, shown["sentence"]));
    CHECK(shown["safe_to_restart"].empty());
    each.end();
  }
  CHECK(health()["draining"] == true);
}

TEST_CASE_FIXTURE(probe_bench, "a fault of another replica does not make a node unready") {
  watch.on_link(replica_id{3}, false, now());
  CHECK(status_of("/readyz") == 200);
  CHECK(ask(endpoint->port(), "/readyz?verbose").body ==
        "ok\ntolerates 0 more faults; replica 3 not connected; safe to restart: none\n- unlinked: replica 3 not "
        "connected\n");
  const auto shown = health();
  CHECK(shown["ready"] == true);
  CHECK(shown["degraded"] == true);
  CHECK(shown["faults_tolerated"] == 0);
  CHECK(shown["attention"].empty());
}

TEST_CASE_FIXTURE(probe_bench, "a change of the health is an event") {
  const http_connection events{endpoint->port()};
  REQUIRE(events.send("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
  watch.on_link(replica_id{3}, false, now());
  std::string seen;
  CHECK(eventually([&] {
    seen += events.receive();
    return has(seen, "event: health_changed") && has(seen, "\"replica_3_unlinked\"");
  }));
}

}  // namespace hypermesh::testing::http_test
