#include "runtime/links/connection.hpp"

#include <sys/socket.h>

#include <algorithm>

#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/receive_policy.hpp>

#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

/// The most memory in bytes that the outbound queue of an idle link keeps.
constexpr std::size_t queue_bytes_kept = 256 * 1024;

}  // namespace

void cut_connection(caf::io::connection_handle handle) {
  // CAF identifies a connection by its socket. The socket stays open until CAF reports that the connection is closed.
  ::shutdown(static_cast<int>(handle.id()), SHUT_RDWR);
}

connection::connection(caf::io::abstract_broker* broker, caf::io::connection_handle handle, secure_channel channel,
                       parts with)
    : broker_(broker), handle_(handle), channel_(std::move(channel)), parts_(std::move(with)) {
  require(broker_->valid(handle_), "the broker owns the connection");
  broker_->configure_read(handle_, caf::io::receive_policy::at_most(read_bytes_max));
}

std::size_t connection::queue_bytes_max() const {
  const auto& limits = *parts_.limits;
  return (parts_.remote.is_replica() ? limits.replica_outbound_bytes_max : limits.client_outbound_bytes_max) / 2;
}

void connection::send(byte_span frame) {
  if (is_cut_ || said_goodbye_) return parts_.counters->add(link_count::dropped_link_down);
  if (frame.empty() || frame.size() > channel_.sealable_bytes_max()) {
    return parts_.counters->add(link_count::dropped_too_long);
  }
  if (queue().size() + frame.size() + secure_channel::overhead_bytes > queue_bytes_max()) {
    return parts_.counters->add(link_count::dropped_queue_full);
  }
  parts_.counters->add_frame(link_direction::out, frame);
  append(frame);
}

void connection::append(byte_span frame) {
  auto& out = queue();
  const auto needed = out.size() + frame.size() + secure_channel::overhead_bytes;
  // Doubles the capacity as the vector itself would, but never beyond the bound.
  if (needed > out.capacity()) out.reserve(std::max(needed, std::min(2 * out.capacity(), queue_bytes_max())));
  channel_.seal(frame, out);
  parts_.counters->add(link_count::wire_bytes_out, frame.size() + secure_channel::overhead_bytes);
  sent_ = true;
  schedule_flush();
}

void connection::schedule_flush() {
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  // The function runs at the start of the loop's next turn, before the loop waits. So all frames of this turn leave in
  // one write without delay.
  broker_->backend().post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->flush_scheduled_ = false;
      self->broker_->flush(self->handle_);
    }
  });
}

std::optional<link_error> connection::receive(byte_span bytes) {
  if (is_cut_) return std::nullopt;
  heard_ = true;
  parts_.counters->add(link_count::wire_bytes_in, bytes.size());
  auto received = channel_.feed(bytes);
  parts_.counters->add(link_count::keepalives_in, received.keepalives);
  for (auto& frame : received.frames) {
    parts_.counters->add_frame(link_direction::in, *frame);
    auto credit = parts_.window->take(frame->size());
    parts_.deliver(std::move(frame), std::move(credit));
  }
  if (received.error) return received.error;
  if (!halted_ && parts_.window->exceeded() && parts_.window->must_halt()) {
    broker_->halt(handle_);
    halted_ = true;
    parts_.counters->add(link_count::reading_halted);
  }
  return std::nullopt;
}

void connection::resume_reading() {
  if (halted_) trigger_later();
}

void connection::trigger_later() {
  broker_->backend().post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || !self->halted_) return;
    self->halted_ = false;
    self->heard_ = true;
    self->broker_->trigger(self->handle_);
  });
}

std::optional<link_error> connection::check_life() {
  if (is_cut_) return std::nullopt;
  // While reading is halted, no keepalive can arrive, so the silence does not show that the remote node is dead.
  silent_checks_ = heard_ || halted_ ? 0 : silent_checks_ + 1;
  heard_ = false;
  if (silent_checks_ * parts_.limits->keepalive_interval >= parts_.limits->dead_link_timeout) {
    return link_error::dead_link;
  }
  auto& out = queue();
  if (out.empty() && out.capacity() > queue_bytes_kept) wire_buffer{}.swap(out);
  if (!sent_ && !said_goodbye_ && out.empty()) {
    parts_.counters->add(link_count::keepalives_out);
    append({});
  }
  sent_ = false;
  return std::nullopt;
}

void connection::say_goodbye() {
  if (is_cut_ || said_goodbye_) return;
  said_goodbye_ = true;
  channel_.seal_end(queue());
  parts_.counters->add(link_count::wire_bytes_out, secure_channel::overhead_bytes);
  schedule_flush();
}

void connection::cut() {
  if (is_cut_) return;
  is_cut_ = true;
  cut_connection(handle_);
  // CAF detects that a connection is closed only while it reads from it.
  if (halted_) trigger_later();
}

}  // namespace hypermesh::links
