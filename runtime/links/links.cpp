#include "runtime/links/links.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <caf/actor_cast.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "messages/require.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/links/listener.hpp"
#include "runtime/links/listening.hpp"
#include "runtime/links/peer.hpp"

namespace hypermesh::links {

namespace {

peer_actor spawn_peer(caf::actor_system& system, std::shared_ptr<const peer_setup> setup) {
  return caf::actor_cast<peer_actor>(system.middleman().spawn_broker(peer, std::move(setup)));
}

/// Makes the part of the setup that is the same for all links.
std::shared_ptr<peer_setup> setup_of(principal remote, const std::shared_ptr<const link_settings>& settings,
                                     const std::shared_ptr<link_counters>& counters) {
  auto setup = std::make_shared<peer_setup>();
  setup->remote = remote;
  setup->settings = settings;
  setup->counters = counters;
  return setup;
}

/// Makes a function that sends the frames of `remote` to `receiver`.
template <class Receiver>
auto deliver_to(const Receiver& receiver, principal remote) {
  return [receiver, remote](const peer_actor& via, frame_ptr frame, inbound_credit credit) {
    caf::anon_send(receiver, incoming_frame{remote, via, std::move(frame), std::move(credit)});
  };
}

/// Makes the setup of the link between two replicas.
std::shared_ptr<const peer_setup> replica_peer_setup(replica_id remote,
                                                     const std::shared_ptr<const link_settings>& settings,
                                                     const std::shared_ptr<link_counters>& counters,
                                                     const replica_link_ends& ends) {
  auto setup = setup_of(principal::of(remote), settings, counters);
  setup->dials = may_dial(settings->self(), setup->remote);
  setup->deliver = deliver_to(ends.ingress, setup->remote);
  setup->changed = [monitor = ends.monitor, coordinator = ends.coordinator, remote](const peer_actor&, bool up) {
    caf::anon_send(monitor, link_changed{remote, up});
    if (coordinator) caf::anon_send(coordinator, link_changed{remote, up});
  };
  return setup;
}

/// Makes the setup of a client link at a replica.
std::shared_ptr<const peer_setup> client_link_setup(client_id client,
                                                    const std::shared_ptr<const link_settings>& settings,
                                                    const std::shared_ptr<link_counters>& counters,
                                                    const replica_link_ends& ends) {
  auto setup = setup_of(principal::of(client), settings, counters);
  setup->ends_with_connection = true;
  setup->deliver = deliver_to(ends.client_ingress ? ends.client_ingress : ends.ingress, setup->remote);
  setup->changed = [executor = ends.executor, client](const peer_actor& via, bool up) {
    if (up) {
      caf::anon_send(executor, client_link_opened{client, via});
    } else {
      caf::anon_send(executor, client_link_closed{client, via});
    }
  };
  return setup;
}

/// Makes the setup of a client's link to a replica.
std::shared_ptr<const peer_setup> client_peer_setup(replica_id remote,
                                                    const std::shared_ptr<const link_settings>& settings,
                                                    const std::shared_ptr<link_counters>& counters,
                                                    const client_actor& client) {
  auto setup = setup_of(principal::of(remote), settings, counters);
  setup->dials = true;
  setup->deliver = deliver_to(client, setup->remote);
  setup->changed = [client, remote](const peer_actor&, bool up) { caf::anon_send(client, link_changed{remote, up}); };
  return setup;
}

/// Starts dialing. Call this when all peers exist and a client has its `client_links`, so that no frame arrives
/// earlier.
void start_dialing(const std::vector<caf::actor>& peers) {
  for (const auto& peer : peers)
    caf::anon_send(peer, dial_due{});
}

or_error<caf::io::doorman_ptr> open_port(caf::actor_system& system, const replica_address& listen) {
  auto opened = open_listening_socket(listen);
  if (!opened) return failure_of(opened);
  return system.middleman().backend().new_doorman(opened->release());
}

}  // namespace

or_error<replica_links> start_replica_links(caf::actor_system& system, link_settings settings,
                                            const replica_address& listen, const replica_link_ends& ends) {
  const auto self = settings.self();
  require(self.is_replica() && self.number < settings.replicas.size(), "a replica's links belong to a member");
  auto fitted = fit_to_descriptors(settings);
  if (!fitted) return failure_of(fitted);
  auto opened = open_port(system, listen);
  if (!opened) return failure_of(opened);
  auto& doorman = *opened;

  const auto shared = std::make_shared<const link_settings>(std::move(settings));
  const auto counters = std::make_shared<link_counters>();
  replica_links links;
  links.notice = std::move(*fitted);
  links.port = doorman->port();
  links.counters = counters;
  links.peers.resize(shared->replicas.size());
  for (std::uint32_t number = 0; number < links.peers.size(); ++number) {
    if (number == self.number) continue;
    links.peers[number] = spawn_peer(system, replica_peer_setup(replica_id{number}, shared, counters, ends));
    links.actors.push_back(caf::actor_cast<caf::actor>(links.peers[number]));
  }

  auto setup = std::make_shared<listener_setup>();
  setup->settings = shared;
  setup->counters = counters;
  setup->peers = links.peers;
  setup->client_link_setup = [shared, counters, ends](client_id client) {
    return client_link_setup(client, shared, counters, ends);
  };
  setup->report = [monitor = ends.monitor](std::vector<named_counter> all) {
    caf::anon_send(monitor, counters_reported{std::make_shared<const std::vector<named_counter>>(std::move(all))});
  };
  start_dialing(links.actors);
  std::shared_ptr<const listener_setup> finished = std::move(setup);
  links.actors.push_back(system.middleman().spawn_broker(listener, std::move(finished), std::move(doorman)));
  return links;
}

client_links_handle start_client_links(caf::actor_system& system, link_settings settings, const client_actor& client) {
  require(settings.self().is_client(), "a client's links belong to a client");
  const auto shared = std::make_shared<const link_settings>(std::move(settings));
  const auto counters = std::make_shared<link_counters>();
  client_links_handle links;
  links.counters = counters;
  for (std::uint32_t number = 0; number < shared->replicas.size(); ++number) {
    links.peers.push_back(spawn_peer(system, client_peer_setup(replica_id{number}, shared, counters, client)));
    links.actors.push_back(caf::actor_cast<caf::actor>(links.peers.back()));
  }
  caf::anon_send(client, client_links{std::make_shared<const std::vector<peer_actor>>(links.peers)});
  // The client treats a link as open until the link is reported closed. Without these messages, the client would send
  // requests to the primary alone over a link that is not open yet, although connected backups could forward them
  // sooner.
  for (std::uint32_t number = 0; number < shared->replicas.size(); ++number)
    caf::anon_send(client, link_changed{replica_id{number}, false});
  start_dialing(links.actors);
  return links;
}

void stop_links_of(const std::vector<caf::actor>& actors) {
  for (const auto& actor : actors)
    caf::anon_send(actor, stop_links{});
}

bool stop_links_and_wait(caf::actor_system& system, const std::vector<caf::actor>& actors,
                         std::chrono::milliseconds timeout) {
  caf::scoped_actor self{system};
  for (const auto& actor : actors)
    self->monitor(actor);
  stop_links_of(actors);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  bool in_time = true;
  for (std::size_t gone = 0; gone < actors.size() && in_time; ++gone) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    self->receive([](const caf::down_msg&) {},
                  caf::after(std::max(left, std::chrono::milliseconds{0})) >> [&in_time] { in_time = false; });
  }
  return in_time;
}

}  // namespace hypermesh::links
