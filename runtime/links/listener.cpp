#include "runtime/links/listener.hpp"

#include <algorithm>

#include <caf/actor_cast.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/send.hpp>

#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

/// The listener cuts a handshake that is not complete after this many sweeps. So the deadline is at most a quarter
/// late, and a flood of connections starts no timers.
constexpr std::uint32_t sweeps_per_handshake = 4;

/// The size of one read before a peer takes its connection in the loop's next turn. CAF makes at most 50 reads in one
/// turn.
constexpr std::size_t early_read_bytes_max = 1'024;
constexpr std::size_t early_bytes_max = 64 * early_read_bytes_max;

byte_span as_bytes(const std::vector<char>& buffer) { return std::as_bytes(std::span{buffer}); }

}  // namespace

void listener_state::start(std::shared_ptr<const listener_setup> setup, caf::io::doorman_ptr doorman) {
  setup_ = std::move(setup);
  doorman_ = doorman->hdl();
  self_->add_doorman(std::move(doorman));
  self_->delayed_send(self_, limits().handshake_timeout / sweeps_per_handshake, sweep_due{});
  self_->delayed_send(self_, limits().report_interval, report_due{});
}

void listener_state::take_connection(const caf::io::new_connection_msg& accepted) {
  setup_->counters->add(link_count::accepted);
  const auto address = self_->remote_addr(accepted.handle);
  const auto known = connections_by_address_.find(address);
  const bool full = self_->num_connections() > limits().handshakes_max ||
                    (known != connections_by_address_.end() && known->second >= limits().handshakes_per_address_max);
  if (full || stopping_) {
    const auto reason = stopping_ ? link_error::stopped : link_error::too_many_connections;
    setup_->counters->add(reason);
    if (!stopping_) setup_->settings->tell({link_event::what::refused, std::nullopt, address, reason, {}});
    // Nothing was read from this connection and nothing is queued for it, so CAF's `close` frees the socket at once.
    // Connections that were used end with `cut_connection` (connection.hpp).
    self_->close(accepted.handle);
    return;
  }
  const auto connection = std::make_shared<accepted_connection>();
  connection->handle = accepted.handle;
  connection->address = address;
  connection->owner = caf::actor_cast<caf::strong_actor_ptr>(self_);
  connection->handshake.emplace(setup_->settings->context(), setup_->settings->fresh_seed());
  forget(accepted.handle);
  connections_.emplace(accepted.handle, connection);
  ++connections_by_address_[address];
  setup_->counters->add(link_count::handshakes_pending);
  self_->configure_read(accepted.handle, caf::io::receive_policy::exactly(hello_bytes));
}

void listener_state::take_data(const caf::io::new_data_msg& data) {
  const auto found = connections_.find(data.handle);
  if (found == connections_.end() || found->second->is_cut || found->second->is_refused) return;
  const auto connection = found->second;
  const auto bytes = as_bytes(data.buf);
  if (connection->channel) {
    connection->early.insert(connection->early.end(), bytes.begin(), bytes.end());
    if (connection->early.size() > early_bytes_max) cut(*connection, link_error::unexpected_bytes);
    return;
  }
  setup_->counters->add(link_count::wire_bytes_in, bytes.size());
  auto step = connection->handshake->feed(bytes);
  if (step.error && step.send.empty()) return cut(*connection, *step.error);
  if (!step.send.empty()) {
    setup_->counters->add(link_count::wire_bytes_out, step.send.size());
    self_->write(data.handle, step.send.size(), step.send.data());
    self_->flush(data.handle);
    self_->configure_read(data.handle, caf::io::receive_policy::exactly(initiator_proof_bytes));
  }
  if (step.error) {
    // Only refuse the connection and do not cut it, because a cut would discard the answer.
    refuse(*connection, *step.error);
    connection->is_refused = true;
    return;
  }
  if (!step.channel) return;
  // The listener sets this policy, not the peer, because a policy applies from the next read on. With the present
  // policy, that read would wait for `initiator_proof_bytes`.
  self_->configure_read(data.handle, caf::io::receive_policy::at_most(early_read_bytes_max));
  connection->remote = *connection->handshake->initiator();
  connection->early = connection->handshake->take_rest();
  connection->channel = std::move(step.channel);
  hand_over(connection);
}

void listener_state::hand_over(const std::shared_ptr<accepted_connection>& connection) {
  if (connection->remote.is_client()) return hand_to_client_link(connection);
  const auto& peer = setup_->peers.at(connection->remote.number);
  require(peer != nullptr, "a peer of a member that dials this node does not dial");
  caf::anon_send(caf::actor_cast<caf::actor>(peer), connection_offered{connection});
}

void listener_state::hand_to_client_link(const std::shared_ptr<accepted_connection>& connection) {
  if (client_link_count_ >= limits().client_links_max) return cut(*connection, link_error::too_many_client_links);
  auto& links = client_links_[connection->remote.number];
  if (links.size() >= limits().links_per_client_max) return cut(*connection, link_error::too_many_client_links);
  const auto link =
      self_->system().middleman().spawn_broker(peer, setup_->client_link_setup(client_id{connection->remote.number}));
  self_->monitor(link);
  links.push_back(link);
  ++client_link_count_;
  caf::anon_send(link, connection_offered{connection});
}

void listener_state::take_closed(caf::io::connection_handle handle) {
  cut_connection(handle);
  const auto found = connections_.find(handle);
  if (found != connections_.end() && !found->second->is_cut && !found->second->is_refused) {
    const auto& connection = *found->second;
    setup_->counters->add(connection.channel ? link_error::closed : connection.handshake->at_end_of_bytes());
    found->second->is_cut = true;
  }
  forget(handle);
  quit_when_empty();
}

/// Counts a refused connection and reports it.
void listener_state::refuse(const accepted_connection& connection, link_error reason) {
  setup_->counters->add(reason);
  const auto claim = connection.handshake ? connection.handshake->claim() : hello_claim{};
  if (!stopping_) setup_->settings->tell({link_event::what::refused, std::nullopt, connection.address, reason, claim});
}

void listener_state::cut(accepted_connection& connection, link_error reason) {
  refuse(connection, reason);
  connection.is_cut = true;
  cut_connection(connection.handle);
}

void listener_state::forget(caf::io::connection_handle handle) {
  const auto found = connections_.find(handle);
  if (found == connections_.end()) return;
  const auto of_address = connections_by_address_.find(found->second->address);
  require(of_address != connections_by_address_.end() && of_address->second > 0, "every connection is counted");
  if (--of_address->second == 0) connections_by_address_.erase(of_address);
  setup_->counters->subtract(link_count::handshakes_pending);
  connections_.erase(found);
}

void listener_state::forget_taken(const connection_taken& taken) {
  const auto& connection = taken.connection;
  const auto found = connections_.find(connection->handle);
  // The socket's number may belong to a newer connection at this point.
  if (found == connections_.end() || found->second != connection) return;
  // The peer did not take the connection, so the listener still owns it.
  if (self_->valid(connection->handle)) {
    if (!connection->is_cut) cut(*connection, link_error::stopped);
    return;
  }
  forget(connection->handle);
  quit_when_empty();
}

void listener_state::forget_client_link(const caf::down_msg& down) {
  for (auto of_client = client_links_.begin(); of_client != client_links_.end(); ++of_client) {
    auto& links = of_client->second;
    const auto found = std::find_if(links.begin(), links.end(),
                                    [&down](const caf::actor& link) { return link.address() == down.source; });
    if (found == links.end()) continue;
    links.erase(found);
    --client_link_count_;
    if (links.empty()) client_links_.erase(of_client);
    break;
  }
  quit_when_empty();
}

void listener_state::sweep() {
  if (stopping_) return;
  for (const auto& [handle, connection] : connections_) {
    if (++connection->age_in_sweeps <= sweeps_per_handshake || connection->is_cut) continue;
    if (!connection->is_refused) {
      cut(*connection, link_error::handshake_timeout);
      continue;
    }
    // The reason was counted when the connection was refused.
    connection->is_cut = true;
    cut_connection(connection->handle);
  }
  self_->delayed_send(self_, limits().handshake_timeout / sweeps_per_handshake, sweep_due{});
}

void listener_state::report() {
  if (stopping_) return;
  setup_->report(setup_->counters->snapshot());
  self_->delayed_send(self_, limits().report_interval, report_due{});
}

// --- Stopping ----------------------------------------------------------------

void listener_state::stop() {
  if (stopping_) return;
  stopping_ = true;
  // The port is not closed in this turn of the loop, which may have opened it. CAF would then forget both requests and
  // keep the socket.
  self_->backend().post([self = caf::actor_cast<caf::actor>(self_)] { caf::anon_send(self, port_closing{}); });
  for (const auto& [handle, connection] : connections_) {
    if (!connection->is_cut) cut(*connection, link_error::stopped);
  }
  for (const auto& [client, links] : client_links_) {
    for (const auto& link : links)
      caf::anon_send(link, stop_links{});
  }
  // A link needs at most two farewell time-outs; the third time-out is a margin.
  self_->delayed_send(self_, 3 * limits().farewell_timeout, farewell_over{});
}

void listener_state::close_port() {
  self_->close(doorman_);
  port_is_open_ = false;
  quit_when_empty();
}

void listener_state::end_farewell() { self_->quit(); }

void listener_state::quit_when_empty() {
  if (stopping_ && !port_is_open_ && connections_.empty() && client_links_.empty()) self_->quit();
}

caf::behavior listener(caf::stateful_actor<listener_state, link_broker>* self,
                       std::shared_ptr<const listener_setup> setup, caf::io::doorman_ptr doorman) {
  self->set_exit_handler([self](caf::exit_msg&) { self->state.stop(); });
  self->set_down_handler([self](caf::down_msg& down) { self->state.forget_client_link(down); });
  self->set_default_handler([self](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    self->state.count_unexpected();
    return caf::sec::unexpected_message;
  });
  self->state.start(std::move(setup), std::move(doorman));
  return {
      [self](const caf::io::new_connection_msg& accepted) { self->state.take_connection(accepted); },
      [self](const caf::io::new_data_msg& data) { self->state.take_data(data); },
      [self](const caf::io::connection_closed_msg& closed) { self->state.take_closed(closed.handle); },
      [](const caf::io::acceptor_closed_msg&) {},
      [self](const connection_taken& taken) { self->state.forget_taken(taken); },
      [self](const sweep_due&) { self->state.sweep(); },
      [self](const report_due&) { self->state.report(); },
      [self](const stop_links&) { self->state.stop(); },
      [self](const port_closing&) { self->state.close_port(); },
      [self](const farewell_over&) { self->state.end_farewell(); },
  };
}

}  // namespace hypermesh::links
