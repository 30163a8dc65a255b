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

/// The network of a node: authenticated, encrypted links as actors. CAF's own node protocol is not used, and no port of
/// it is open (see "Decisions" in the README of this folder).
///
/// The actor system needs `load<caf::io::middleman>()`.
namespace hypermesh::links {

/// The links of a replica. Copies refer to the same links.
struct replica_links {
  /// The peers by replica number. The entry of this replica is empty.
  std::vector<peer_actor> peers;
  /// The port on which this replica listens.
  std::uint16_t port = 0;
  std::shared_ptr<const link_counters> counters;
  /// A text for the log: the bounds that were lowered; empty when no bound was lowered.
  std::string notice;
  /// The listener and the peers, as `stop_links_of` needs them.
  std::vector<caf::actor> actors;
};

/// The actors to which a replica's links deliver.
struct replica_link_ends {
  /// Receives the frames of replicas.
  ingress_actor ingress;
  executor_actor executor;
  monitor_actor monitor;
  /// Receives `link_changed`; may be empty.
  coordinator_actor coordinator = {};
  /// Receives the frames of clients. If it is empty, `ingress` receives them.
  ingress_actor client_ingress = {};
};

/// Opens the port and keeps a link to every other replica; of two replicas, the replica with the larger number dials.
/// The ingress receives frames, the executor receives sessions of clients, and the monitor receives `link_changed` and
/// the counters. `listen` is an address for `open_listening_socket`. If the system chooses the port,
/// `replica_links::port` has its number. The error says that the port cannot be opened or that the system allows too
/// few open files.
[[nodiscard]] or_error<replica_links> start_replica_links(caf::actor_system& system, link_settings settings,
                                                          const replica_address& listen, const replica_link_ends& ends);

/// The links of a client.
struct client_links_handle {
  /// The peers by replica number.
  std::vector<peer_actor> peers;
  std::shared_ptr<const link_counters> counters;
  std::vector<caf::actor> actors;
};

/// Dials every replica repeatedly until its link is open. The client actor receives `client_links` first, then frames
/// and `link_changed`.
[[nodiscard]] client_links_handle start_client_links(caf::actor_system& system, link_settings settings,
                                                     const client_actor& client);

/// Sends the good-bye on all links, closes the links and the port, and releases every handle that the links hold.
/// Returns at once. A second call does no harm.
void stop_links_of(const std::vector<caf::actor>& actors);

/// Like `stop_links_of`, but waits until all these actors have ended. Returns false when this takes longer than
/// `timeout`. An actor must not call this function.
bool stop_links_and_wait(caf::actor_system& system, const std::vector<caf::actor>& actors,
                         std::chrono::milliseconds timeout = std::chrono::seconds{10});

}  // namespace hypermesh::links
