#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <hypermesh/caf/module.hpp>

#include "tests/embedding/host_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// An actor system of a host that uses the module.
struct host_system {
  struct settings : caf::actor_system_config {
    settings() {
      module::add_to(*this);
      set("scheduler.max-threads", 2);
    }
  };

  settings config;
  caf::actor_system system{config};
};

/// Asks `whom` and waits for the response. Fails the test if there is none.
template <class Response, class Actor, class Request>
Response ask(caf::scoped_actor& self, const Actor& whom, const Request& request) {
  Response result;
  bool has_failed = false;
  self->request(whom, embedding_patience, request)
      .receive([&](Response& response) { result = std::move(response); },
               [&](const caf::error&) { has_failed = true; });
  REQUIRE_FALSE(has_failed);
  return result;
}

/// Gives up the rights of root, for which the system limits no threads, and with them no other files than those of the
/// cluster.
bool become_nobody(const std::filesystem::path& cluster) {
  if (getuid() != 0) return true;
  constexpr uid_t nobody = 65'534;
  bool is_done = chown(cluster.c_str(), nobody, nobody) == 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator{cluster})
    is_done = is_done && chown(each.path().c_str(), nobody, nobody) == 0;
  return is_done && setuid(nobody) == 0;
}

/// Starts a replica in an actor system that runs already, in a process that may have no further thread. Returns whether
/// the start failed with the error about threads. An exception must not reach the test runner in a second process.
bool is_refused_for_threads(const cluster_files& files) noexcept {
  host_system host;
  const auto config = files.replica(0);
  const auto cluster = std::filesystem::path{config.file}.parent_path().parent_path().parent_path();
  const rlimit none{1, 1};
  if (!become_nobody(cluster) || setrlimit(RLIMIT_NPROC, &none) != 0) return false;
  const auto started = module::start(host.system, {config, std::nullopt}, std::make_unique<adding_machine>());
  return !started && started.error().what.find("more threads") != std::string::npos;
}

/// The health of a group in which all replicas take part, and then without replica 3.
void check_health(caf::scoped_actor& self, const host::consensus_actor& consensus, host_cluster& cluster) {
  host::node_health health;
  REQUIRE(becomes_true([&] {
    health = ask<host::node_health>(self, consensus, host::health_wanted{});
    return health.faults_tolerated == 1;
  }));
  CHECK(health.is_live);
  CHECK(health.is_ready);
  CHECK(health.is_service_possible);
  CHECK(health.safe_to_restart == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(health.sentence == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
  cluster.stop(3);
  REQUIRE(becomes_true([&] {
    health = ask<host::node_health>(self, consensus, host::health_wanted{});
    return health.faults_tolerated == 0;
  }));
  CHECK(health.safe_to_restart.empty());
  REQUIRE(health.reasons.size() == 1);
  CHECK(health.reasons[0].replica == 3);
  CHECK(health.reasons[0].condition == "unlinked");
  CHECK(health.reasons[0].text == "replica 3 not connected");
}

}  // namespace

TEST_CASE("a host whose limits allow a module no threads gets an error, and goes on") {
  const cluster_files files{"adding"};
  const auto child = fork();
  if (child == 0) _exit(is_refused_for_threads(files) ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("another process uses replica and client over CAF's network on the loopback interface") {
  // The host with the replica and a client; the other replicas run as plain hosts.
  host_cluster cluster{"adding", [](std::uint32_t) { return std::make_unique<adding_machine>(); }};
  cluster.stop(0);
  host_system host;
  auto started = module::start(host.system, {cluster.files().replica(0), cluster.files().client(0)},
                               std::make_unique<adding_machine>());
  REQUIRE(started);
  auto& own = **started;
  auto& network = host.system.middleman();
  const auto client_port = network.publish(own.client(), 0, "127.0.0.1");
  const auto consensus_port = network.publish(own.consensus(), 0, "127.0.0.1");
  REQUIRE(client_port);
  REQUIRE(consensus_port);

  // The other process. It has the messages, but neither replica nor client.
  host_system other;
  const auto client = other.system.middleman().remote_actor<host::client_actor>("127.0.0.1", *client_port);
  const auto consensus = other.system.middleman().remote_actor<host::consensus_actor>("127.0.0.1", *consensus_port);
  REQUIRE(client);
  REQUIRE(consensus);
  caf::scoped_actor self{other.system};

  for (int number = 1; number <= 5; ++number) {
    const auto done = ask<host::outcome>(self, *client, host::submit{"add 3"});
    CHECK(done.error == 0);
    CHECK(done.payload == std::to_string(3 * number));
  }
  CHECK(ask<host::outcome>(self, *client, host::query{"read", true}).payload == "15");
  CHECK(ask<host::outcome>(self, *client, host::query{"read", false}).error == 0);
  const auto large = ask<host::outcome>(self, *client, host::submit{std::string(limits::operation_bytes_max + 1, 'x')});
  CHECK(large.error_name == "too_large");

  // The operations arrive page by page, each once. The reads are not among them, because they were not ordered.
  std::vector<std::string> results;
  host::operations_wanted wanted{1, 0, 5'000};
  while (results.size() < 5) {
    const auto page = ask<host::operations>(self, *consensus, wanted);
    for (const auto& each : page.items) {
      REQUIRE(each.gap_last == 0);
      CHECK(each.ordered_time_ms > 0);
      results.push_back(each.result);
    }
    wanted = {page.next_sequence, page.next_offset, 5'000};
  }
  CHECK(results == std::vector<std::string>{"3", "6", "9", "12", "15"});

  check_health(self, *consensus, cluster);
  const auto state = ask<host::node_state>(self, *consensus, host::state_wanted{});
  CHECK(state.state_root.size() == digest::size);
  CHECK(state.high_watermark > state.low_watermark);
  const auto metrics = ask<host::metrics>(self, *consensus, host::metrics_wanted{}).all;
  CHECK(std::ranges::any_of(
      metrics, [](const auto& each) { return each.name == "requests_executed_total" && each.value >= 5; }));
  CHECK(ask<host::proofs>(self, *consensus, host::evidence_wanted{}).all.empty());
  const auto standings = ask<host::reputations>(self, *consensus, host::reputations_wanted{});
  REQUIRE(standings.all.size() == 4);
  CHECK(standings.all[3].score == 1'000);
  // A request that waits ends with its patience.
  CHECK(ask<host::events>(self, *consensus, host::events_wanted{1'000'000, 50}).all.empty());
  own.stop();
}

TEST_CASE("a subscriber that waits gets the next operation when it is executed, and not when its patience ends") {
  host_cluster cluster{"adding", [](std::uint32_t) { return std::make_unique<adding_machine>(); }};
  cluster.stop(0);
  host_system host;
  auto started = module::start(host.system, {cluster.files().replica(0), cluster.files().client(0)},
                               std::make_unique<adding_machine>());
  REQUIRE(started);
  auto& own = **started;
  caf::scoped_actor self{host.system};
  const auto before = std::chrono::steady_clock::now();
  auto waiting = self->request(own.consensus(), embedding_patience, host::operations_wanted{1, 0, 60'000});
  CHECK(ask<host::outcome>(self, own.client(), host::submit{"add 4"}).payload == "4");
  std::string next;
  waiting.receive([&](const host::operations& page) { next = page.items.empty() ? "" : page.items.front().operation; },
                  [](const caf::error&) {});
  CHECK(next == "add 4");
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{50});
}

TEST_CASE("requests that wait are answered when the module stops") {
  host_cluster cluster{"adding", [](std::uint32_t) { return std::make_unique<adding_machine>(); }};
  host_system host;
  auto started = module::start(host.system, {std::nullopt, cluster.files().client(1)});
  REQUIRE(started);
  auto& own = **started;
  CHECK_FALSE(own.consensus());
  for (std::uint32_t number = 0; number < 4; ++number)
    cluster.stop(number);
  caf::scoped_actor self{host.system};
  // No replica runs, so the operation waits until the module stops.
  const auto client = own.client();
  auto waiting = self->request(client, embedding_patience, host::submit{"add 1"});
  own.stop();
  std::string error;
  waiting.receive([&](host::outcome& done) { error = done.error_name; }, [&](const caf::error&) { error = "none"; });
  CHECK(error == "stopped");
}

TEST_CASE("a module whose client cannot start stops its replica") {
  const cluster_files files{"adding"};
  host_system host;
  const auto failed = module::start(host.system, {files.replica(0), configuration{"/nowhere/client.toml"}},
                                    std::make_unique<adding_machine>());
  REQUIRE_FALSE(failed);
  CAPTURE(failed.error().what);
  CHECK(failed.error().what.find("client.toml") != std::string::npos);
  // The folder is free again.
  const auto again = module::start(host.system, {files.replica(0), std::nullopt}, std::make_unique<adding_machine>());
  CHECK(again);
}
