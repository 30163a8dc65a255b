#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/io/connection_handle.hpp>
#include <caf/type_id.hpp>

#include "actors/interfaces.hpp"
#include "runtime/links/dialing.hpp"
#include "runtime/links/handshake.hpp"

/// The messages that the actors of the links send to each other and to themselves. Only code in this folder sends them.
namespace hypermesh::links {

/// A connection that the listener accepted. The listener owns the socket until the peer takes over. All actors of the
/// links run on CAF's multiplexer thread, so both actors may change this value without a lock.
struct accepted_connection {
  caf::io::connection_handle handle;
  std::string address;
  /// The listener, which owns the scribe until the peer takes over.
  caf::strong_actor_ptr owner;
  std::optional<responder_handshake> handshake;
  /// Set when the handshake succeeded.
  std::optional<secure_channel> channel;
  principal remote;
  /// The bytes that arrived after the handshake and before the peer took over the connection.
  byte_vector early;
  std::uint32_t age_in_sweeps = 0;
  bool is_cut = false;
  /// The handshake failed and ELSEWHERE was sent. The initiator closes the connection when it has read the answer. If
  /// the initiator does not do so in time, the listener closes the connection.
  bool is_refused = false;
};

/// The remote node dialed and proved its identity, so its peer may take the connection (listener to peer).
struct connection_offered {
  std::shared_ptr<accepted_connection> connection;
};

/// The peer has taken or refused the connection (peer to listener).
struct connection_taken {
  std::shared_ptr<accepted_connection> connection;
};

/// Enough credit was released, so the peer may read again (from any thread to peer).
struct window_reopened {};

/// A keepalive is due, and so is a check that the remote node is alive (peer to itself).
struct keepalive_due {};

/// The next attempt to dial is due (peer to itself; generation 0 comes from `links.cpp` when all peers exist). Messages
/// of an older generation are dropped.
struct dial_due {
  std::uint64_t generation = 0;
};

/// The attempt to dial took too long (peer to itself).
struct dial_expired {
  std::uint64_t generation = 0;
};

/// The connection of the attempt to dial may be established now (peer to itself).
struct connect_due {
  std::uint64_t generation = 0;
};

/// The resolver found the addresses of the remote node's host name (resolver to peer).
struct host_resolved {
  std::uint64_t generation = 0;
  std::vector<socket_address> addresses;
};

/// Makes the listener look for handshakes that take too long (listener to itself).
struct sweep_due {};

/// Makes the listener report the counters (listener to itself).
struct report_due {};

/// Makes the receiver send the good-bye, close everything and quit (`links.cpp` to listener and peers, listener to
/// client links).
struct stop_links {};

/// Makes the listener close the port, one turn of the loop after `stop_links` (listener to itself).
struct port_closing {};

/// The good-bye took too long (listener and peer to themselves).
struct farewell_over {};

}  // namespace hypermesh::links

// clang-format off
#define HYPERMESH_LINK_MESSAGES(add, block)\
  add(block, links::connection_offered) \
  add(block, links::connection_taken)   \
  add(block, links::window_reopened)    \
  add(block, links::keepalive_due)      \
  add(block, links::dial_due)           \
  add(block, links::dial_expired)       \
  add(block, links::host_resolved)      \
  add(block, links::sweep_due)          \
  add(block, links::report_due)         \
  add(block, links::stop_links)         \
  add(block, links::port_closing)       \
  add(block, links::farewell_over)      \
  add(block, links::connect_due)
// clang-format on

// The message ids of actors/interfaces.hpp may grow up to this first id.
HYPERMESH_REGISTER_MESSAGES(hypermesh_links, first_custom_type_id + 200, HYPERMESH_LINK_MESSAGES)
static_assert(caf::id_block::hypermesh::end <= caf::id_block::hypermesh_links::begin);
