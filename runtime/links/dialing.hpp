#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "runtime/base/durable_file.hpp"

/// Outgoing TCP connections that do not block. CAF's own connect waits for the remote host on the one thread that
/// serves all links.
namespace hypermesh::links {

/// An address and port in the form of the socket API.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// The socket address when `host` is a numeric IPv4 or IPv6 address; nothing when it is a name.
[[nodiscard]] std::optional<socket_address> parse_address(const std::string& host, std::uint16_t port);

/// Resolves a name. The call blocks for as long as the system's resolver takes, so use a separate thread.
[[nodiscard]] std::vector<socket_address> resolve_address(const std::string& host, std::uint16_t port);

/// A socket that is connecting, or the `errno` of the system.
struct connecting_socket {
  base::open_file socket;
  int error = 0;
};

/// Starts to connect a non-blocking socket. There is no socket when the address refuses at once, or when the socket
/// reached itself, which counts as refused. A dial to a free local port can reach itself (RFC 9293, section 3.5,
/// simultaneous open).
[[nodiscard]] connecting_socket start_connecting(const socket_address& address);

/// How far a connecting socket is: 0 when it is connected, EINPROGRESS while it is not, otherwise the `errno` with
/// which it failed. The system gives an error only once. So this node reads it before CAF owns the socket, because CAF
/// reports only that a connection ended.
[[nodiscard]] int connect_state_of(int descriptor);

/// The delays between looks at a connecting socket. A connection is noticed at the latest after twice the time that it
/// took, and `longest` more at most. Pure.
class connect_pace {
 public:
  using milliseconds = std::chrono::milliseconds;

  [[nodiscard]] milliseconds next();

 private:
  static constexpr milliseconds longest{64};
  milliseconds next_{1};
};

/// The delays between attempts to dial. Pure: the caller gives the random numbers.
class redial_backoff {
 public:
  using milliseconds = std::chrono::milliseconds;

  redial_backoff(milliseconds shortest, milliseconds longest)
      : shortest_(shortest), longest_(longest), next_(shortest) {}

  /// Returns the delay before the next attempt, and doubles the delay for the attempt after it. `random` may be any
  /// number. It makes the delays of different nodes differ.
  [[nodiscard]] milliseconds next(std::uint32_t random);

  /// Starts again with the shortest delay, because the last connection stayed up.
  void reset() { next_ = shortest_; }

 private:
  milliseconds shortest_;
  milliseconds longest_;
  milliseconds next_;
};

}  // namespace hypermesh::links
