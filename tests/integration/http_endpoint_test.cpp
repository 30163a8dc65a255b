// The HTTP interface of a node whose parts hang, fail or are late, on real sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <stdexcept>

#include "runtime/http/node_endpoint.hpp"
#include "runtime/metrics/disk_watch.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing::http_test {

namespace {

using namespace hypermesh::http;
using cli_test::eventually;
using cli_test::has;

/// The questions of a node that works.
node_questions good_questions() {
  node_questions questions;
  questions.report = [] { return std::optional<node_report>{node_report{}}; };
  questions.reputations = [] { return std::optional<std::vector<reputation>>{}; };
  questions.works = [] { return or_error<void>{}; };
  questions.health = [] {
    health::health_report report;
    report.live = true;
    report.ready = true;
    return report;
  };
  return questions;
}

or_error<std::unique_ptr<node_endpoint>> start(node_questions questions, const std::string& host = "127.0.0.1") {
  http_settings settings;
  settings.enabled = true;
  settings.listen = {host, 0};
  return node_endpoint::start(settings, replica_id{0},
                              std::make_shared<const node_tap>(replica_id{0}, small_cluster(4), 2, 0), nullptr,
                              std::move(questions));
}

}  // namespace

TEST_CASE("an endpoint that other machines reach does not start without a token") {
  for (const auto* host : {"", "0.0.0.0", "::"}) {
    CAPTURE(host);
    const auto started = start(good_questions(), host);
    REQUIRE_FALSE(started);
    CHECK(has(started.error().what, "needs a token"));
    CHECK(has(started.error().remedy, "token_file"));
  }
  CHECK(start(good_questions()));
}

TEST_CASE("a disk that hangs delays neither the start of an endpoint nor its stop") {
  const auto answers = std::make_shared<std::promise<void>>();
  const auto hangs = std::make_shared<std::shared_future<void>>(answers->get_future().share());
  {
    auto questions = good_questions();
    const auto disks = std::make_shared<const metrics::disk_watch>(
        metrics::disk_directories{"data", {}}, [hangs](const auto&) -> std::optional<metrics::disk_facts> {
          hangs->wait();
          return std::nullopt;
        });
    questions.disks = [disks] { return disks->facts(); };
    auto started = start(std::move(questions));
    REQUIRE(started);
    auto& endpoint = **started;
    CHECK(ask(endpoint.port(), "/livez").status == 200);
    CHECK_FALSE(has(ask(endpoint.port(), "/metrics").body, "hypermesh_disk_free_bytes{"));
    endpoint.stop();
  }
  answers->set_value();
}

TEST_CASE("a question that throws does not end the process, and the last round stays in place") {
  auto questions = good_questions();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  questions.works = [calls]() -> or_error<void> {
    if (++*calls > 1) throw std::runtime_error{"the host failed"};
    return {};
  };
  auto started = start(std::move(questions));
  REQUIRE(started);
  CHECK(eventually([&] { return *calls >= 3; }));
  CHECK(ask((*started)->port(), "/livez").status == 200);
}

TEST_CASE("a node whose first round fails is not live, and its endpoint answers") {
  auto questions = good_questions();
  questions.report = []() -> std::optional<node_report> { throw std::runtime_error{"the host failed"}; };
  auto started = start(std::move(questions));
  REQUIRE(started);
  CHECK(ask((*started)->port(), "/livez").status == 503);
}

TEST_CASE("the counter of convictions does not fall while the reputation tracker is late") {
  auto questions = good_questions();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  questions.reputations = [calls]() -> std::optional<std::vector<reputation>> {
    if (++*calls > 1) return std::nullopt;
    std::vector<reputation> all(4);
    all[3].agreed.convictions = 2;
    return all;
  };
  auto started = start(std::move(questions));
  REQUIRE(started);
  // The page of the second round is made after the third round has begun.
  CHECK(eventually([&] { return *calls >= 3; }));
  CHECK(has(ask((*started)->port(), "/metrics").body, "hypermesh_convictions_total{replica=\"3\"} 2"));
}

}  // namespace hypermesh::testing::http_test
