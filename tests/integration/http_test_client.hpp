#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// A minimal HTTP client for tests. It sends any bytes, also those that no client should send.
namespace hypermesh::testing::http_test {

/// One connection to a port of this machine.
class http_connection {
 public:
  /// `patience` limits connecting, sending and receiving. `receive_bytes` is the buffer of the system; 0 for its usual
  /// size.
  explicit http_connection(std::uint16_t port, int receive_bytes = 0,
                           std::chrono::milliseconds patience = std::chrono::seconds{30})
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_bytes > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    set_timeout(patience);
    is_open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~http_connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  http_connection(http_connection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), is_open_(other.is_open_) {}
  http_connection& operator=(http_connection&&) = delete;

  [[nodiscard]] bool is_open() const { return is_open_; }
  void set_timeout(std::chrono::milliseconds most) const {
    const timeval value{most.count() / 1'000, (most.count() % 1'000) * 1'000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
  }
  /// False if the other side has closed the connection or does not read.
  [[nodiscard]] bool send(const std::string& bytes) const {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// Tells the other side that nothing more is sent. Its answer still arrives.
  void end_sending() const { (void)::shutdown(socket_, SHUT_WR); }
  /// Up to `size` bytes; empty at the end of the connection or after the time-out.
  [[nodiscard]] std::string receive(std::size_t size = 4'096) const {
    std::string bytes(size, '\0');
    const auto count = ::recv(socket_, bytes.data(), size, 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  /// Everything until the other side closes, or until `patience` has passed. A server that sends a byte now and then
  /// does not hold the test for longer.
  [[nodiscard]] std::string receive_all(std::chrono::milliseconds patience = std::chrono::seconds{30}) const {
    std::string all;
    (void)receive_into(all, patience);
    return all;
  }
  /// The same; nothing if the other side has not closed when `patience` has passed.
  [[nodiscard]] std::optional<std::string> receive_until_closed(std::chrono::milliseconds patience) const {
    std::string all;
    if (!receive_into(all, patience)) return std::nullopt;
    return all;
  }

 private:
  /// Whether the other side closed within `patience`. A reset counts as closed.
  [[nodiscard]] bool receive_into(std::string& all, std::chrono::milliseconds patience) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      set_timeout(left);
      std::array<char, 4'096> part{};
      const auto count = ::recv(socket_, part.data(), part.size(), 0);
      if (count == 0) return true;
      if (count < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
      all.append(part.data(), static_cast<std::size_t>(count));
    }
  }

  int socket_;
  bool is_open_ = false;
};

/// The answer to one request.
struct http_answer_text {
  int status = 0;
  std::string head;
  std::string body;
};

/// The status is 0 if the bytes are no whole head of an answer.
inline http_answer_text parse_answer(const std::string& all) {
  constexpr std::string_view version = "HTTP/1.x ";
  http_answer_text out;
  const auto end = all.find("\r\n\r\n");
  if (!all.starts_with("HTTP/1.") || end == std::string::npos || end < version.size() + 3) return out;
  const auto* status = all.data() + version.size();
  if (std::from_chars(status, status + 3, out.status).ptr != status + 3) return {};
  out.head = all.substr(0, end);
  out.body = all.substr(end + 4);
  return out;
}

/// Sends a request with these further header lines, each with its line break.
inline http_answer_text ask(std::uint16_t port, const std::string& path, const std::string& headers = "",
                            const std::string& method = "GET") {
  const http_connection to{port};
  if (!to.is_open()) return {};
  const auto host = headers.find("Host:") == std::string::npos ? "Host: 127.0.0.1\r\n" : "";
  if (!to.send(method + " " + path + " HTTP/1.1\r\n" + host + headers + "\r\n")) return {};
  return parse_answer(to.receive_all());
}

}  // namespace hypermesh::testing::http_test
