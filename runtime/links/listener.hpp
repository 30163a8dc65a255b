#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/io/doorman.hpp>
#include <caf/stateful_actor.hpp>

#include "runtime/links/link_broker.hpp"
#include "runtime/links/link_messages.hpp"
#include "runtime/links/peer.hpp"

namespace hypermesh::links {

/// The parameters of the listener.
struct listener_setup {
  std::shared_ptr<const link_settings> settings;
  std::shared_ptr<link_counters> counters;
  /// The peers by replica number. The entry of this replica is empty.
  std::vector<peer_actor> peers;
  /// Makes the parameters of a client's session.
  std::function<std::shared_ptr<const peer_setup>(client_id)> client_link_setup;
  /// Receives the counters.
  std::function<void(std::vector<named_counter>)> report;
};

/// The open port. It accepts connections, authenticates them, and passes each connection to the peer of its replica or
/// to a new session of its client. The bytes of a stranger reach only the handshake, whose messages have a fixed size.
///
/// Memory: at most `handshakes_max` connections of less than a kilobyte each, plus up to 64 KiB for each connection
/// from its authentication until its peer takes it, plus `client_links_max` handles of client links.
class listener_state {
 public:
  static constexpr const char* name = "listener";

  explicit listener_state(link_broker* self) : self_(self) {}

  void start(std::shared_ptr<const listener_setup> setup, caf::io::doorman_ptr doorman);
  void take_connection(const caf::io::new_connection_msg& accepted);
  void take_data(const caf::io::new_data_msg& data);
  void take_closed(caf::io::connection_handle handle);
  void forget_taken(const connection_taken& taken);
  void forget_client_link(const caf::down_msg& down);
  void sweep();
  void report();
  void stop();
  void close_port();
  void end_farewell();

  void count_unexpected() { setup_->counters->add(link_count::unexpected_messages); }

 private:
  [[nodiscard]] const link_limits& limits() const { return setup_->settings->limits; }
  void refuse(const accepted_connection& connection, link_error reason);
  void cut(accepted_connection& connection, link_error reason);
  void forget(caf::io::connection_handle handle);
  void hand_over(const std::shared_ptr<accepted_connection>& connection);
  void hand_to_client_link(const std::shared_ptr<accepted_connection>& connection);
  void quit_when_empty();

  link_broker* self_;
  std::shared_ptr<const listener_setup> setup_;
  caf::io::accept_handle doorman_;
  std::map<caf::io::connection_handle, std::shared_ptr<accepted_connection>> connections_;
  std::map<std::string, std::size_t> connections_by_address_;
  /// The links by client number, the oldest link first.
  std::map<std::uint32_t, std::deque<caf::actor>> client_links_;
  std::size_t client_link_count_ = 0;
  bool port_is_open_ = true;
  bool stopping_ = false;
};

caf::behavior listener(caf::stateful_actor<listener_state, link_broker>* self,
                       std::shared_ptr<const listener_setup> setup, caf::io::doorman_ptr doorman);

}  // namespace hypermesh::links
