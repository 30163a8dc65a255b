#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "actors/interfaces.hpp"
#include "runtime/links/link_counters.hpp"
#include "runtime/links/link_settings.hpp"

/// The network of a node: authenticated, encrypted links as actors. CAF's own node protocol is not used and no port of
/// it is open (see "Decisions" in the README of this folder).
///
/// The actor system needs `load<caf::io::middleman>()`.
namespace hypermesh {

/// The links of a replica. Copies refer to the same links.
struct replica_links {
  /// By replica number; this replica's own entry is empty.
  std::vector<peer_actor> peers;
  /// The port on which this replica listens.
  std::uint16_t port = 0;
  std::shared_ptr<const link_counters> counters;
  /// For the log: the bounds that were lowered; empty when none was.
  std::string notice;
  /// Listener and peers; for `stop_links_of`.
  std::vector<caf::actor> actors;
};

/// The actors to which a replica's links deliver.
struct replica_link_ends {
  /// For frames of replicas.
  ingress_actor ingress;
  executor_actor executor;
  monitor_actor monitor;
  /// Receives `link_changed` too; may be empty.
  coordinator_actor coordinator = {};
  /// For frames of clients; when empty, `ingress` receives them.
  ingress_actor client_ingress = {};
};

/// Opens the port and keeps a link to every other replica from now on: of two replicas the one with the larger number
/// dials. Frames go to the ingress, sessions of clients to the executor, `link_changed` and the counters to the
/// monitor. `listen` is as `open_listening_socket` takes it; see `replica_links::port` for a port that the system
/// chose. The error says that the port cannot be opened or that the system allows too few open files.
[[nodiscard]] or_error<replica_links> start_replica_links(caf::actor_system& system, link_settings settings,
                                                          const replica_address& listen, const replica_link_ends& ends);

/// The links of a client.
struct client_links_handle {
  /// By replica number.
  std::vector<peer_actor> peers;
  std::shared_ptr<const link_counters> counters;
  std::vector<caf::actor> actors;
};

/// Dials every replica, again and again until its link is open. The client actor receives `client_links` first, then
/// frames and `link_changed`.
[[nodiscard]] client_links_handle start_client_links(caf::actor_system& system, link_settings settings,
                                                     const client_actor& client);

/// Sends the good-bye on all links, closes them and the port, and releases every handle that the links hold. Returns at
/// once. A second call does no harm.
void stop_links_of(const std::vector<caf::actor>& actors);

/// The same, and waits until all these actors have ended; false when that took longer than `timeout`. Not to be called
/// from an actor.
bool stop_links_and_wait(caf::actor_system& system, const std::vector<caf::actor>& actors,
                         std::chrono::milliseconds timeout = std::chrono::seconds{10});

}  // namespace hypermesh
