#include "runtime/links/peer.hpp"

#include <cerrno>

#include <sodium.h>
#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

byte_span as_bytes(const std::vector<char>& buffer) { return std::as_bytes(std::span{buffer}); }

/// Makes a function that wakes a peer when its window has room again. The function does nothing when the peer has
/// ended.
std::function<void()> wake_up(link_broker* self) {
  return [weak = caf::actor_cast<caf::weak_actor_ptr>(self)] {
    if (const auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak)) {
      caf::anon_send(caf::actor_cast<caf::actor>(strong), window_reopened{});
    }
  };
}

/// Looks a name up on a separate thread, because the system's resolver blocks.
void resolve(caf::event_based_actor* self, const caf::actor& asker, const replica_address& address,
             std::uint64_t generation) {
  self->send(asker, host_resolved{generation, resolve_address(address.host, address.port)});
}

}  // namespace

void peer_state::start(std::shared_ptr<const peer_setup> setup) {
  setup_ = std::move(setup);
  const auto& limit = limits();
  window_ = std::make_shared<inbound_window>(
      setup_->remote.is_replica() ? limit.replica_inbound_bytes_max : limit.client_inbound_bytes_max, wake_up(self_));
  backoff_.emplace(limit.redial_delay_min, limit.redial_delay_max);
  self_->delayed_send(self_, limit.keepalive_interval, keepalive_due{});
}

peer_actor peer_state::own_handle() const { return caf::actor_cast<peer_actor>(self_); }

void peer_state::send(const frame_ptr& frame) {
  if (!live_ || frame == nullptr) return setup_->counters->add(link_count::dropped_link_down);
  live_->send(*frame);
}

// --- Dialing -----------------------------------------------------------------

void peer_state::schedule_dial() {
  if (!setup_->dials || stopping_) return;
  ++generation_;
  self_->delayed_send(self_, backoff_->next(randombytes_random()), dial_due{generation_});
}

void peer_state::dial(const dial_due& due) {
  if (!setup_->dials || due.generation != generation_ || stopping_ || live_ || attempt_ || connecting_) return;
  // The frames of the last connection are not handled yet, and a new connection would deliver more of them.
  if (window_->exceeded() || resolving_) return schedule_dial();
  const auto& address = setup_->settings->replicas.at(setup_->remote.number);
  if (address.host.empty()) return;
  setup_->counters->add(link_count::dials);
  self_->delayed_send(self_, limits().handshake_timeout, dial_expired{generation_});
  if (const auto numeric = parse_address(address.host, address.port)) return connect({*numeric});
  resolving_ = true;
  self_->system().spawn<caf::detached>(resolve, caf::actor_cast<caf::actor>(self_), address, generation_);
}

void peer_state::take_addresses(const host_resolved& found) {
  resolving_ = false;
  if (found.generation == generation_ && !stopping_ && !live_ && !attempt_ && !connecting_) connect(found.addresses);
}

void peer_state::connect(const std::vector<socket_address>& addresses) {
  // A name that no resolver knows has no addresses.
  connecting_socket started{base::open_file{}, ENOENT};
  // The peer tries the addresses of a name in turn, beginning with a random address.
  const auto first = addresses.empty() ? 0 : randombytes_uniform(static_cast<std::uint32_t>(addresses.size()));
  for (std::size_t index = 0; index < addresses.size() && !started.socket.is_open(); ++index) {
    started = start_connecting(addresses[(first + index) % addresses.size()]);
  }
  if (!started.socket.is_open()) return note_failed_dial(link_error::connect_failed, started.error);
  connecting_.emplace(connecting{std::move(started.socket), {}});
  look_at_connecting({generation_});
}

void peer_state::look_at_connecting(const connect_due& due) {
  if (!connecting_ || due.generation != generation_) return;
  const auto state = connect_state_of(connecting_->socket.descriptor());
  if (state == EINPROGRESS) return self_->delayed_send(self_, connecting_->pace.next(), connect_due{generation_});
  auto socket = std::move(connecting_->socket);
  connecting_.reset();
  if (state != 0) return note_failed_dial(link_error::connect_failed, state);
  begin_handshake(socket.release());
}

void peer_state::begin_handshake(int socket) {
  const auto handle = self_->add_scribe(socket);
  attempt_.emplace(attempt{handle, {setup_->settings->context(), setup_->remote, setup_->settings->fresh_seed()}});
  setup_->counters->add(link_count::handshakes_pending);
  const auto& hello = attempt_->handshake.hello();
  setup_->counters->add(link_count::wire_bytes_out, hello.size());
  self_->configure_read(handle, caf::io::receive_policy::exactly(responder_proof_bytes));
  self_->write(handle, hello.size(), hello.data());
  self_->flush(handle);
}

void peer_state::give_up_dialing(const dial_expired& expired) {
  if (expired.generation != generation_ || live_) return;
  if (attempt_) return end_attempt(link_error::handshake_timeout);
  // A cut cable gives no answer at all, so the node gives up before the system does.
  connecting_.reset();
  note_failed_dial(link_error::connect_failed, resolving_ ? ENOENT : ETIMEDOUT);
}

void peer_state::continue_handshake(byte_span bytes) {
  setup_->counters->add(link_count::wire_bytes_in, bytes.size());
  auto step = attempt_->handshake.feed(bytes);
  if (step.found) setup_->counters->note_answer(replica_id{setup_->remote.number}, *step.found);
  if (step.error) return end_attempt(*step.error);
  if (!step.channel) return;
  if (setup_->remote.is_replica()) {
    setup_->counters->note_answer(replica_id{setup_->remote.number}, replica_id{setup_->remote.number});
  }
  const auto handle = attempt_->handle;
  attempt_.reset();
  setup_->counters->subtract(link_count::handshakes_pending);
  setup_->counters->add(link_count::wire_bytes_out, step.send.size());
  self_->write(handle, step.send.size(), step.send.data());
  self_->flush(handle);
  open(handle, std::move(*step.channel));
}

void peer_state::end_attempt(link_error reason) {
  require(attempt_.has_value(), "there is an attempt to end");
  setup_->counters->subtract(link_count::handshakes_pending);
  const auto handle = attempt_->handle;
  attempt_.reset();
  if (self_->valid(handle)) closing_.emplace(handle, nullptr);
  cut_connection(handle);
  note_failed_dial(reason);
}

void peer_state::note_failed_dial(link_error reason, int system_error) {
  setup_->counters->add(reason);
  if (!stopping_) tell(link_event::what::dial_failed, reason, system_error);
  schedule_dial();
}

// --- Accepted connections ----------------------------------------------------

void peer_state::take_offer(const connection_offered& offer) {
  auto& accepted = *offer.connection;
  // All links run on one thread, so no bytes arrive between taking the scribe and reading the early bytes.
  auto* const listener = static_cast<caf::io::abstract_broker*>(caf::actor_cast<caf::abstract_actor*>(accepted.owner));
  // While the window is exceeded, a new connection would deliver even more bytes. The remote node dials again later.
  const bool refused = stopping_ || setup_->dials || window_->exceeded();
  auto scribe = refused || accepted.is_cut ? nullptr : listener->take(accepted.handle);
  const bool taken = scribe != nullptr;
  if (taken) {
    self_->move_scribe(std::move(scribe));
    open(accepted.handle, std::move(*accepted.channel));
    if (!accepted.early.empty()) {
      const auto error = live_->receive(accepted.early);
      if (error) close_live(*error);
    }
  }
  caf::anon_send(caf::actor_cast<caf::actor>(accepted.owner), connection_taken{offer.connection});
  if (!taken && setup_->ends_with_connection) stop();
}

// --- The live connection -----------------------------------------------------

void peer_state::open(caf::io::connection_handle handle, secure_channel channel) {
  const bool was_up = live_ != nullptr;
  if (was_up) {
    setup_->counters->add(link_error::replaced);
    live_->cut();
    closing_.emplace(live_->handle(), std::move(live_));
  }
  const auto deliver = [via = caf::actor_cast<caf::weak_actor_ptr>(self_), setup = setup_](frame_ptr frame,
                                                                                           inbound_credit credit) {
    setup->deliver(caf::actor_cast<peer_actor>(caf::actor_cast<caf::strong_actor_ptr>(via)), std::move(frame),
                   std::move(credit));
  };
  live_ =
      std::make_shared<connection>(self_, handle, std::move(channel),
                                   connection::parts{setup_->remote, &limits(), setup_->counters, window_, deliver});
  setup_->counters->add(link_count::established);
  if (was_up) return;
  if (was_up_) setup_->counters->add(link_count::reconnects);
  was_up_ = true;
  setup_->counters->add(setup_->remote.is_replica() ? link_count::links_up : link_count::client_links_open);
  setup_->changed(own_handle(), true);
  tell(link_event::what::up, link_error::stopped);
}

void peer_state::take_data(const caf::io::new_data_msg& data) {
  if (attempt_ && attempt_->handle == data.handle) return continue_handshake(as_bytes(data.buf));
  if (!live_ || live_->handle() != data.handle) return;
  if (const auto error = live_->receive(as_bytes(data.buf))) close_live(*error);
}

void peer_state::take_closed(caf::io::connection_handle handle) {
  cut_connection(handle);
  if (attempt_ && attempt_->handle == handle) {
    end_attempt(attempt_->handshake.at_end_of_bytes());
  } else if (live_ && live_->handle() == handle) {
    const auto reason = live_->at_end_of_bytes();
    live_.reset();
    go_down(reason);
  } else {
    closing_.erase(handle);
  }
  quit_when_empty();
}

void peer_state::close_live(link_error reason) {
  live_->cut();
  closing_.emplace(live_->handle(), std::move(live_));
  live_.reset();
  go_down(reason);
}

void peer_state::go_down(link_error reason) {
  setup_->counters->add(stopping_ ? link_error::stopped : reason);
  setup_->counters->subtract(setup_->remote.is_replica() ? link_count::links_up : link_count::client_links_open);
  setup_->changed(own_handle(), false);
  tell(link_event::what::down, stopping_ ? link_error::stopped : reason);
  if (setup_->ends_with_connection) return stop();
  schedule_dial();
}

void peer_state::tell(link_event::what happened, link_error reason, int system_error) const {
  const auto& settings = *setup_->settings;
  std::string address;
  // A replica's address is known from the genesis. A client may come from any address.
  if (setup_->remote.is_replica()) {
    const auto& known = settings.replicas.at(setup_->remote.number);
    const bool is_ipv6 = known.host.find(':') != std::string::npos;
    address = (is_ipv6 ? "[" + known.host + "]" : known.host) + ":" + std::to_string(known.port);
  }
  settings.tell({happened, setup_->remote, std::move(address), reason, {}, system_error});
}

void peer_state::resume_reading() {
  if (live_) live_->resume_reading();
}

void peer_state::check_life() {
  self_->delayed_send(self_, limits().keepalive_interval, keepalive_due{});
  if (!live_) return;
  // The connection has stayed up for a while, so the next failure starts with the shortest delay.
  backoff_->reset();
  if (const auto error = live_->check_life()) close_live(*error);
}

// --- Stopping ----------------------------------------------------------------

void peer_state::stop() {
  if (stopping_) return;
  stopping_ = true;
  connecting_.reset();
  if (attempt_) end_attempt(link_error::stopped);
  if (live_) live_->say_goodbye();
  self_->delayed_send(self_, limits().farewell_timeout, farewell_over{});
  quit_when_empty();
}

void peer_state::end_farewell() {
  if (live_) {
    close_live(link_error::stopped);
    self_->delayed_send(self_, limits().farewell_timeout, farewell_over{});
  } else {
    self_->quit();
  }
}

void peer_state::quit_when_empty() {
  if (stopping_ && !live_ && !attempt_ && closing_.empty()) self_->quit();
}

caf::behavior peer(caf::stateful_actor<peer_state, link_broker>* self, std::shared_ptr<const peer_setup> setup) {
  self->set_exit_handler([self](caf::exit_msg&) { self->state.stop(); });
  self->set_default_handler([self](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    self->state.count_unexpected();
    return caf::sec::unexpected_message;
  });
  self->state.start(std::move(setup));
  return {
      [self](const outgoing_frame& out) { self->state.send(out.frame); },
      [self](const caf::io::new_data_msg& data) { self->state.take_data(data); },
      [self](const caf::io::connection_closed_msg& closed) { self->state.take_closed(closed.handle); },
      [self](const connection_offered& offer) { self->state.take_offer(offer); },
      [self](const host_resolved& found) { self->state.take_addresses(found); },
      [self](const connect_due& due) { self->state.look_at_connecting(due); },
      [self](const window_reopened&) { self->state.resume_reading(); },
      [self](const keepalive_due&) { self->state.check_life(); },
      [self](const dial_due& due) { self->state.dial(due); },
      [self](const dial_expired& expired) { self->state.give_up_dialing(expired); },
      [self](const stop_links&) { self->state.stop(); },
      [self](const farewell_over&) { self->state.end_farewell(); },
  };
}

}  // namespace hypermesh::links
