// A host that is an actor system, in two processes on one machine.
//
//   host_actors serve NODE_TOML CLIENT_TOML   runs a replica and a client, and publishes both on 127.0.0.1 until stdin
//                                             ends
//   host_actors use CONSENSUS_PORT CLIENT_PORT   submits operations and watches them from the other process
//
// Publish these actors only where nobody but your own processes can connect; runtime/host_actors/README.md says why.
#include <cstdlib>
#include <iostream>
#include <string>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <hypermesh/caf/module.hpp>

namespace host = hypermesh::host;
using namespace std::chrono_literals;

namespace {

/// The host's own options and modules would be here too.
struct host_config : caf::actor_system_config {
  host_config() {
    hypermesh::module::add_to(*this);
    set("scheduler.max-threads", 2);
  }
};

int report(const std::string& what, const std::string& remedy) {
  std::cerr << "error: " << what << "\nfix: " << remedy << '\n';
  return 1;
}

int serve(const std::string& node, const std::string& client) {
  host_config config;
  caf::actor_system system{config};
  const auto started =
      hypermesh::module::start(system, {hypermesh::configuration{node}, hypermesh::configuration{client}});
  if (!started) return report(started.error().what, started.error().remedy);
  auto& own = **started;
  auto& network = system.middleman();
  const auto consensus_port = network.publish(own.consensus(), 0, "127.0.0.1");
  const auto client_port = network.publish(own.client(), 0, "127.0.0.1");
  if (!consensus_port || !client_port) return report("cannot publish on 127.0.0.1", "allow this process a free port");
  std::cout << "ready " << *consensus_port << ' ' << *client_port << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
  }
  if (const auto done = own.drain(20s); !done) return report(done.error().what, done.error().remedy);
  std::cout << "drained" << std::endl;
  return 0;
}

/// Asks and waits. Ends the process if there is no response.
template <class Response, class Actor, class Request>
Response ask(caf::scoped_actor& self, const Actor& whom, const Request& request) {
  Response result;
  self->request(whom, 60s, request)
      .receive([&](Response& response) { result = std::move(response); },
               [&](const caf::error& error) {
                 std::cerr << "error: no response: " << self->system().render(error) << '\n';
                 std::exit(1);
               });
  return result;
}

int use(std::uint16_t consensus_port, std::uint16_t client_port) {
  host_config config;
  caf::actor_system system{config};
  const auto consensus = system.middleman().remote_actor<host::consensus_actor>("127.0.0.1", consensus_port);
  const auto client = system.middleman().remote_actor<host::client_actor>("127.0.0.1", client_port);
  if (!consensus || !client) return report("cannot connect to the first process", "start 'host_actors serve' first");
  caf::scoped_actor self{system};
  std::cout << ask<host::node_health>(self, *consensus, host::health_wanted{}).sentence << std::endl;

  // Subscribe before submitting: sequence 0 is the place after the last operation.
  auto place = ask<host::operations>(self, *consensus, host::operations_wanted{0, 0, 0});
  for (int number = 1; number <= 3; ++number) {
    // Any bytes are ordered. These are no operation of the machine "key-value", so the answer is "malformed" (2).
    const auto done = ask<host::outcome>(self, *client, host::submit{"colour" + std::to_string(number)});
    if (done.error != 0) return report("the operation has no result: " + done.error_name, "see the replicas");
    std::cout << "status " << int{done.status} << std::endl;
  }
  int seen = 0;
  while (seen < 3) {
    place =
        ask<host::operations>(self, *consensus, host::operations_wanted{place.next_sequence, place.next_offset, 5'000});
    for (const auto& each : place.items)
      seen += each.gap_last == 0 ? 1 : 0;
  }
  std::cout << "watched " << seen << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc == 4 ? argv[1] : "";
  if (verb == "serve") return serve(argv[2], argv[3]);
  if (verb == "use") {
    return use(static_cast<std::uint16_t>(std::stoul(argv[2])), static_cast<std::uint16_t>(std::stoul(argv[3])));
  }
  std::cerr << "usage: host_actors serve NODE_TOML CLIENT_TOML | host_actors use CONSENSUS_PORT CLIENT_PORT\n";
  return 2;
}
