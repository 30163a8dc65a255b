#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

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

}  // namespace

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

  // The operations arrive page by page, each once.
  std::vector<std::string> results;
  host::operations_wanted wanted{1, 0, 5'000};
  while (results.size() < 5) {
    const auto page = ask<host::operations>(self, *consensus, wanted);
    for (const auto& each : page.items) {
      REQUIRE(each.gap_through == 0);
      if (each.operation == "add 3") results.push_back(each.result);
    }
    wanted = {page.next_sequence, page.next_offset, 5'000};
  }
  CHECK(results == std::vector<std::string>{"3", "6", "9", "12", "15"});

  CHECK(ask<host::condition>(self, *consensus, host::condition_wanted{}).is_live);
  CHECK(ask<host::node_position>(self, *consensus, host::position_wanted{}).state_root.size() == digest::size);
  CHECK_FALSE(ask<host::counters>(self, *consensus, host::counters_wanted{}).all.empty());
  CHECK(ask<host::proofs>(self, *consensus, host::evidence_wanted{}).all.empty());
  const auto standings = ask<host::standings>(self, *consensus, host::standings_wanted{});
  REQUIRE(standings.all.size() == 4);
  CHECK(standings.all[3].score == 1'000);
  // A request that waits ends with its patience.
  CHECK(ask<host::events>(self, *consensus, host::events_wanted{1'000'000, 50}).all.empty());
  own.stop();
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
