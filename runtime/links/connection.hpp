#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <caf/io/abstract_broker.hpp>
#include <caf/io/connection_handle.hpp>

#include "actors/interfaces.hpp"
#include "runtime/links/inbound_window.hpp"
#include "runtime/links/link_counters.hpp"
#include "runtime/links/link_settings.hpp"
#include "runtime/links/secure_channel.hpp"

/// The following rules are necessary to close and halt connections in CAF 0.17.6:
///
/// - `cut_connection` ends a connection by a shutdown of its socket. CAF then finds the end of the stream, sends
/// connection_closed_msg and frees the socket. CAF's own close() has two defects. First, it waits until the remote node
/// has read the whole outbound queue, which never ends if the remote node reads nothing. Second, it leaks the socket
/// when it undoes an activation of the same turn of the loop.
/// - Reading stops only inside the handler of new_data_msg, and starts again only in a function posted to the
/// multiplexer. Both must not happen in one turn of its loop, because CAF would keep the old registration and forget
/// the new registration. Then the link would never read again.
namespace hypermesh::links {

/// Ends both directions of a connection at once; queued bytes are lost. CAF reports soon afterwards that the connection
/// is closed. Call this also after CAF has reported a closed connection, because the remote node may have closed only
/// one direction.
void cut_connection(caf::io::connection_handle handle);

/// One authenticated connection of a broker: sealing, opening, queues and keepalives. The object belongs to the state
/// of `broker` and is used only on the multiplexer's thread.
///
/// Memory for inbound: one incomplete frame, the bytes that `inbound_window` allows, and at most 50 reads of
/// `read_bytes_max` more, because reading stops only between two turns of the loop. Memory for outbound:
/// `replica_outbound_bytes_max` or `client_outbound_bytes_max`. Half of it may wait while CAF sends the other half.
class connection : public std::enable_shared_from_this<connection> {
 public:
  static constexpr std::size_t read_bytes_max = 32 * 1024;

  struct parts {
    principal remote;
    const link_limits* limits = nullptr;
    std::shared_ptr<link_counters> counters;
    std::shared_ptr<inbound_window> window;
    /// Called for each frame, in the order of arrival.
    std::function<void(frame_ptr, inbound_credit)> deliver;
  };

  /// Starts to read from `handle`, a scribe of `broker`. Both directions of `channel` must have been started.
  connection(caf::io::abstract_broker* broker, caf::io::connection_handle handle, secure_channel channel, parts with);

  [[nodiscard]] caf::io::connection_handle handle() const { return handle_; }

  /// Queues a frame. The frame leaves together with all other frames of this turn of the loop. When the queue is full,
  /// the frame is dropped and counted.
  void send(byte_span frame);

  /// Processes received bytes and delivers their frames. After an error the caller must cut the connection.
  [[nodiscard]] std::optional<link_error> receive(byte_span bytes);

  /// Starts reading again after the inbound window has stopped it.
  void resume_reading();

  /// Called once in each keepalive interval. Sends a keepalive when nothing else was sent, and checks that the remote
  /// node sent something. After an error the caller must cut the connection.
  [[nodiscard]] std::optional<link_error> check_life();

  /// Queues the good-bye message. Nothing may be sent after it.
  void say_goodbye();

  /// Ends the connection, even when reading is halted.
  void cut();

  /// The reason why a closed connection ended.
  [[nodiscard]] link_error at_end_of_bytes() const { return channel_.at_end_of_bytes(); }

 private:
  void append(byte_span frame);
  void schedule_flush();
  void trigger_later();
  [[nodiscard]] wire_buffer& queue() { return broker_->wr_buf(handle_); }
  /// The largest number of bytes that may wait while CAF sends earlier bytes.
  [[nodiscard]] std::size_t queue_bytes_max() const;

  caf::io::abstract_broker* broker_;
  caf::io::connection_handle handle_;
  secure_channel channel_;
  parts parts_;
  std::int64_t silent_checks_ = 0;
  bool heard_ = true;
  bool sent_ = false;
  bool flush_scheduled_ = false;
  bool halted_ = false;
  bool said_goodbye_ = false;
  bool is_cut_ = false;
};

}  // namespace hypermesh::links
