#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

/// Outgoing TCP connections without blocking anybody: CAF's own connect waits for the remote host, on the one thread
/// that serves all links.
namespace hypermesh {

/// An address and port as the system wants it.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// The address when `host` is a numeric IPv4 or IPv6 address; nothing when it is a name.
[[nodiscard]] std::optional<socket_address> parse_address(const std::string& host, std::uint16_t port);

/// Looks a name up and blocks while doing so, for as long as the system's resolver takes: call it on a thread of its
/// own.
[[nodiscard]] std::vector<socket_address> resolve_address(const std::string& host, std::uint16_t port);

/// Starts to connect and returns the socket, non-blocking and perhaps still connecting: writing to it waits for the
/// connection, reading fails when there will be none. Nothing when the address refuses at once, or
/// when the socket reached itself: a dial to a free local port can (RFC 9293 §3.5, simultaneous open).
[[nodiscard]] std::optional<int> start_connecting(const socket_address& address);

/// How long to wait before the next attempt. Pure but for its jitter's source.
class redial_backoff {
 public:
  using milliseconds = std::chrono::milliseconds;

  redial_backoff(milliseconds shortest, milliseconds longest)
      : shortest_(shortest), longest_(longest), next_(shortest) {}

  /// The delay before the next attempt, and doubles. `random` spreads it; any value will do.
  [[nodiscard]] milliseconds next(std::uint32_t random);

  /// The last connection lasted: begin again.
  void reset() { next_ = shortest_; }

 private:
  milliseconds shortest_;
  milliseconds longest_;
  milliseconds next_;
};

}  // namespace hypermesh
