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

/// What the actors of the links tell each other and themselves. Nobody else sends these.
namespace hypermesh {

/// A connection that the listener accepted. The listener owns the socket until the peer takes it; all actors of the
/// links run on CAF's multiplexer thread, so both may change this without a lock.
struct accepted_connection {
  caf::io::connection_handle handle;
  std::string address;
  /// The listener, whose scribe this is until it is taken.
  caf::strong_actor_ptr owner;
  std::optional<responder_handshake> handshake;
  /// Set when the handshake succeeded.
  std::optional<secure_channel> channel;
  principal remote;
  /// What arrived between the handshake and the taking.
  byte_vector early;
  std::uint32_t age_in_sweeps = 0;
  bool is_cut = false;
  /// The handshake failed and an answer says why; the initiator closes when it has it, or time does.
  bool is_refused = false;
};

/// The remote node dialed and proved itself: its peer takes the connection (listener to peer).
struct connection_offered {
  std::shared_ptr<accepted_connection> connection;
};

/// The peer has the connection, or refused it (peer to listener).
struct connection_taken {
  std::shared_ptr<accepted_connection> connection;
};

/// Credit came back; read again (from any thread to peer).
struct window_reopened {};

/// Time for a sign of life, and to look for one (peer to itself).
struct keepalive_due {};

/// Time to dial (peer to itself; generation 0 from the wiring, when all is ready). Stale generations are dropped.
struct dial_due {
  std::uint64_t generation = 0;
};

/// The attempt took too long (peer to itself).
struct dial_expired {
  std::uint64_t generation = 0;
};

/// What the remote node's name stands for (resolver to peer).
struct host_resolved {
  std::uint64_t generation = 0;
  std::vector<socket_address> addresses;
};

/// Look for connections that do not prove themselves (listener to itself).
struct sweep_due {};

/// Time to report the counters (listener to itself).
struct report_due {};

/// Say good-bye, close everything and quit (wiring to listener and peers).
struct stop_links {};

/// Close the port (listener to itself, one turn of the loop after `stop_links`).
struct port_closing {};

/// The good-bye took too long (listener and peer to themselves).
struct farewell_over {};

}  // namespace hypermesh

// Behind the ids of actors/interfaces.hpp, with room for it to grow.
CAF_BEGIN_TYPE_ID_BLOCK(hypermesh_links, first_custom_type_id + 200)
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::connection_offered))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::connection_taken))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::window_reopened))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::keepalive_due))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::dial_due))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::dial_expired))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::host_resolved))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::sweep_due))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::report_due))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::stop_links))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::port_closing))
CAF_ADD_TYPE_ID(hypermesh_links, (hypermesh::farewell_over))
CAF_END_TYPE_ID_BLOCK(hypermesh_links)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::connection_offered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::connection_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::window_reopened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::keepalive_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::dial_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::dial_expired)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::host_resolved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::sweep_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::report_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::stop_links)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::port_closing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::farewell_over)
