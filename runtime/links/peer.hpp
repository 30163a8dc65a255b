#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <caf/stateful_actor.hpp>

#include "runtime/links/connection.hpp"
#include "runtime/links/link_broker.hpp"
#include "runtime/links/link_messages.hpp"

namespace hypermesh::links {

/// The parameters of one peer.
struct peer_setup {
  principal remote;
  std::shared_ptr<const link_settings> settings;
  std::shared_ptr<link_counters> counters;
  /// Whether this side dials. If not, the listener offers connections to the peer.
  bool dials = false;
  /// Whether the peer quits when its connection ends. This is true for a client's session, because the client dials a
  /// new session.
  bool ends_with_connection = false;
  /// Called for each frame of the authenticated remote node; `via` is this peer.
  std::function<void(const peer_actor& via, frame_ptr, inbound_credit)> deliver;
  /// Called when the authenticated link went up or down. The call for "up" comes before the first frame.
  std::function<void(const peer_actor& via, bool up)> changed;
};

/// One remote node (a `peer_actor`): the broker that owns the connection to this node, if there is a connection. A peer
/// outlives its connections and dials again. A newer authenticated connection replaces an older connection, because
/// after a crash of the remote node the older connection is dead without having been closed.
///
/// Memory: one live connection, one socket that connects or one handshake, and connections that are being closed. CAF
/// reports closed connections within a turn of its loop. The inbound window counts the bytes of all of them.
class peer_state {
 public:
  static constexpr const char* name = "peer";

  explicit peer_state(link_broker* self) : self_(self) {}

  void start(std::shared_ptr<const peer_setup> setup);
  void send(const frame_ptr& frame);
  void take_data(const caf::io::new_data_msg& data);
  void take_closed(caf::io::connection_handle handle);
  void take_offer(const connection_offered& offer);
  void take_addresses(const host_resolved& found);
  void dial(const dial_due& due);
  void give_up_dialing(const dial_expired& expired);
  void look_at_connecting(const connect_due& due);
  void resume_reading();
  void check_life();
  void stop();
  void end_farewell();

  void count_unexpected() { setup_->counters->add(link_count::unexpected_messages); }

 private:
  struct attempt {
    caf::io::connection_handle handle;
    initiator_handshake handshake;
  };
  struct connecting {
    base::open_file socket;
    connect_pace pace;
  };

  [[nodiscard]] const link_limits& limits() const { return setup_->settings->limits; }
  [[nodiscard]] peer_actor own_handle() const;
  void schedule_dial();
  void connect(const std::vector<socket_address>& addresses);
  void begin_handshake(int socket);
  void continue_handshake(byte_span bytes);
  void end_attempt(link_error reason);
  void open(caf::io::connection_handle handle, secure_channel channel);
  /// Cuts the live connection, which must exist, and reports the link as down.
  void close_live(link_error reason);
  /// Reports the link as down after its connection ended. Then the peer dials again or stops.
  void go_down(link_error reason);
  void quit_when_empty();
  /// Reports an event to the handler in the settings.
  void tell(link_event::what happened, link_error reason, int system_error = 0) const;
  /// Counts and reports an attempt to dial that failed, and schedules the next attempt.
  void note_failed_dial(link_error reason, int system_error = 0);

  link_broker* self_;
  std::shared_ptr<const peer_setup> setup_;
  std::shared_ptr<inbound_window> window_;
  std::optional<redial_backoff> backoff_;
  /// The socket of the current attempt before its connection is established.
  std::optional<connecting> connecting_;
  /// The handshake of the current attempt. There is one of these two at most.
  std::optional<attempt> attempt_;
  std::shared_ptr<connection> live_;
  /// Connections that were cut and are not yet reported closed. The value is null if the handshake was not complete.
  std::map<caf::io::connection_handle, std::shared_ptr<connection>> closing_;
  /// The number of the current attempt to dial.
  std::uint64_t generation_ = 0;
  bool was_up_ = false;
  /// A thread is looking the host name up. There is never more than one such thread.
  bool resolving_ = false;
  bool stopping_ = false;
};

caf::behavior peer(caf::stateful_actor<peer_state, link_broker>* self, std::shared_ptr<const peer_setup> setup);

}  // namespace hypermesh::links
