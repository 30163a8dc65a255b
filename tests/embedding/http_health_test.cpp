// The probes of real replicas over real HTTP, in each condition that forbids their use.
#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "tests/embedding/gate.hpp"
#include "tests/embedding/host_cluster.hpp"
#include "tests/integration/free_ports.hpp"
#include "tests/integration/http_test_client.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::uint32_t replicas = 4;

/// An `adding_machine` that a test holds in `apply` of "trap", or while it loads a fetched state. "skew" is wrong at
/// one replica.
class held_machine final : public small_state_machine {
 public:
  held_machine(gate& applies, gate& loads, bool is_skewed)
      : applies_(applies), loads_(loads), is_skewed_(is_skewed), starter_(std::this_thread::get_id()) {}

  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  operation_result apply(const operation_context& context, byte_span operation) override {
    if (as_text(operation) == "trap") {
      applies_.pass();
      return inner_.apply(context, as_byte_span("add 0"));
    }
    if (as_text(operation) == "skew") return inner_.apply(context, as_byte_span(is_skewed_ ? "add 1000" : "add 0"));
    return inner_.apply(context, operation);
  }
  [[nodiscard]] operation_result query(byte_span operation) const override { return inner_.query(operation); }
  [[nodiscard]] byte_vector save() const override { return inner_.save(); }
  [[nodiscard]] or_reason<void> load(byte_span saved) override {
    // The state of the disk is loaded by the thread that starts the replica.
    if (std::this_thread::get_id() != starter_) loads_.pass();
    return inner_.load(saved);
  }

 private:
  adding_machine inner_;
  gate& applies_;
  gate& loads_;
  bool is_skewed_;
  std::thread::id starter_;
};

/// A cluster whose replicas answer HTTP. The test starts the replicas.
struct probed_cluster {
  gate applies;
  gate loads;
  cluster_files files{"adding"};
  std::uint16_t first_port = free_port_row(replicas);
  std::array<std::unique_ptr<consensus_manager>, replicas> running;

  ~probed_cluster() {
    applies.set(true);
    loads.set(true);
  }

  /// The last replica has a machine that a closed gate holds; replica 1 is wrong after "skew".
  void start(std::uint32_t number) {
    auto config = files.replica(number);
    config.overrides["http.enabled"] = "true";
    config.overrides["http.listen"] = fmt::format("127.0.0.1:{}", first_port + number);
    const bool is_held = number == 1 || number == replicas - 1;
    auto started =
        consensus_manager::start(config, is_held ? std::make_unique<held_machine>(applies, loads, number == 1)
                                                 : std::make_unique<held_machine>(open_, open_, false));
    REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
    running.at(number) = std::move(*started);
  }
  void start_all() {
    for (std::uint32_t number = 0; number < replicas; ++number)
      start(number);
    for (std::uint32_t number = 0; number < replicas; ++number)
      REQUIRE(becomes_true([&] { return probe(number, "/readyz").status == 200; }));
  }
  [[nodiscard]] http_test::http_answer_text probe(std::uint32_t number, const std::string& path) const {
    return http_test::ask(static_cast<std::uint16_t>(first_port + number), path);
  }
  /// Whether `/readyz` refuses with this reason, while `/livez` passes, and the status agrees.
  [[nodiscard]] bool is_unready(std::uint32_t number, const std::string& condition) const {
    return becomes_true([&] {
      const auto ready = probe(number, "/readyz?verbose");
      const auto live = probe(number, "/livez");
      const auto status = probe(number, "/api/v1/status").body;
      const auto reason = fmt::format("- {}: replica {} ", condition, number);
      const auto json = fmt::format(R"({{"replica":{},"condition":"{}")", number, condition);
      return ready.status == 503 && ready.body.starts_with("not ok\nnot ready; ") &&
             ready.body.find(reason) != std::string::npos && live.status == 200 &&
             status.find(R"("ready":false)") != std::string::npos && status.find(json) != std::string::npos;
    });
  }
  [[nodiscard]] bool becomes_ready(std::uint32_t number) const {
    return becomes_true([&] { return probe(number, "/readyz").status == 200; });
  }
  [[nodiscard]] std::unique_ptr<consensus_client> connect() {
    auto connected = consensus_client::connect(files.client(0));
    REQUIRE(connected);
    return std::move(*connected);
  }

 private:
  gate open_;
};

}  // namespace

TEST_CASE("a replica that has just started is live, and ready as soon as it hears from a quorum") {
  probed_cluster cluster;
  cluster.start(0);
  // At first the replica knows nothing about the others, and later that it hears from too few.
  const auto hears_too_few = [&cluster](std::uint32_t number) {
    return cluster.is_unready(number, "unreported") || cluster.is_unready(number, "isolated");
  };
  CHECK(hears_too_few(0));
  cluster.start(1);
  CHECK(hears_too_few(1));
  CHECK(cluster.probe(0, "/readyz").status == 503);
  cluster.start(2);
  for (std::uint32_t number = 0; number < 3; ++number)
    CHECK(cluster.becomes_ready(number));
  const auto text = cluster.probe(0, "/readyz?verbose").body;
  CHECK(text.starts_with("ok\ntolerates 0 more faults; replica 3 "));
  CHECK(text.find("safe to restart: none") != std::string::npos);
  cluster.start(3);
  CHECK(becomes_true([&] {
    return cluster.probe(0, "/readyz?verbose").body ==
           "ok\ntolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)\n";
  }));
  CHECK(cluster.running[0]->health().sentence == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
}

TEST_CASE("a replica whose machine blocks is not ready and lives, and the others are ready") {
  probed_cluster cluster;
  cluster.start_all();
  auto client = cluster.connect();
  cluster.applies.set(false);
  // Replica 1 is held, too, so only two replicas answer, which are f + 1.
  CHECK(text_of(client->submit(to_byte_vector("trap"))) == "0");
  CHECK(cluster.is_unready(3, "not_executing"));
  CHECK(cluster.is_unready(3, "blocked"));
  const auto health = cluster.running[3]->health();
  CHECK(health.is_live);
  CHECK_FALSE(health.is_ready);
  CHECK(health.sentence.find("blocked by its state machine: the state machine has been in 'apply'") !=
        std::string::npos);
  CHECK(cluster.probe(0, "/readyz").status == 200);
  cluster.applies.set(true);
  CHECK(cluster.becomes_ready(3));
}

TEST_CASE("a replica that is drained is not ready, and lives until it stops") {
  probed_cluster cluster;
  cluster.start_all();
  // Without a quorum the primary cannot hand over, so it waits for the whole patience.
  cluster.running[2] = nullptr;
  cluster.running[3] = nullptr;
  std::thread drainer{[&] { CHECK_FALSE(cluster.running[0]->drain(std::chrono::seconds{10})); }};
  CHECK(cluster.is_unready(0, "draining"));
  drainer.join();
  CHECK(cluster.probe(0, "/livez").status == 0);
  const auto health = cluster.running[0]->health();
  CHECK_FALSE(health.is_live);
  CHECK(health.is_draining);
  CHECK(health.reasons.at(0).condition == "stopped");
}

TEST_CASE("a replica whose state is wrong is not ready until it has repaired its state") {
  probed_cluster cluster;
  cluster.start_all();
  auto client = cluster.connect();
  cluster.loads.set(false);
  REQUIRE(text_of(client->submit(to_byte_vector("skew"))) == "0");
  for (int sum = 1; sum <= 40; ++sum)
    REQUIRE(text_of(client->submit(to_byte_vector("add 1"))) == std::to_string(sum));
  CHECK(cluster.is_unready(1, "diverged"));
  CHECK_FALSE(cluster.running[1]->health().is_ready);
  CHECK(cluster.probe(2, "/readyz").status == 200);
  cluster.loads.set(true);
  CHECK(cluster.becomes_ready(1));
}

TEST_CASE("a replica that fetches a state is not ready until it has installed the state") {
  probed_cluster cluster;
  cluster.start_all();
  auto client = cluster.connect();
  cluster.running[3] = nullptr;
  // More than two windows of 32, so that the replica cannot catch up by messages.
  for (int sum = 1; sum <= 100; ++sum)
    REQUIRE(text_of(client->submit(to_byte_vector("add 1"))) == std::to_string(sum));
  cluster.loads.set(false);
  cluster.start(3);
  CHECK(cluster.is_unready(3, "fetching_state"));
  cluster.loads.set(true);
  CHECK(cluster.becomes_ready(3));
}
