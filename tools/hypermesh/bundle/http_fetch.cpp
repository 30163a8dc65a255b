#include "tools/hypermesh/bundle/http_fetch.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "runtime/base/durable_file.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;
using address_list = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// Waits until the socket can do what `events` says.
bool wait_for(int socket, short events, clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
  pollfd asked{socket, events, 0};
  return left.count() > 0 && poll(&asked, 1, static_cast<int>(left.count())) > 0;
}

or_reason<base::open_file> connect_to(const addrinfo& target, clock::time_point deadline) {
  base::open_file made{socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!made.is_open()) return invalid(std::strerror(errno));
  if (connect(made.descriptor(), target.ai_addr, target.ai_addrlen) == 0) return made;
  if (errno != EINPROGRESS) return invalid(std::strerror(errno));
  if (!wait_for(made.descriptor(), POLLOUT, deadline)) return invalid("no connection in time");
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(made.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return invalid(std::strerror(error));
  }
  return made;
}

or_reason<void> send_all(int socket, std::string_view bytes, clock::time_point deadline) {
  while (!bytes.empty()) {
    const auto sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN || !wait_for(socket, POLLOUT, deadline)) {
      return invalid("the server does not read the request");
    }
  }
  return {};
}

or_reason<std::string> receive_all(int socket, clock::time_point deadline) {
  std::string all;
  std::array<char, 16'384> part{};
  while (all.size() < fetch_bytes_max) {
    if (!wait_for(socket, POLLIN, deadline)) return invalid("no answer in time");
    const auto count = recv(socket, part.data(), part.size(), 0);
    if (count == 0) return all;
    if (count < 0 && errno != EAGAIN && errno != EINTR) return invalid(std::strerror(errno));
    if (count > 0) all.append(part.data(), static_cast<std::size_t>(count));
  }
  return invalid("the answer is too long");
}

}  // namespace

or_reason<std::string> body_of(const std::string& answer) {
  const auto head_end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || head_end == std::string::npos) return invalid("the answer is not HTTP");
  constexpr std::size_t status_at = 9;
  constexpr std::size_t status_digits = 3;
  const auto status = answer.substr(status_at, status_digits);
  if (status != "200") return invalid(fmt::format("the server answers with status {}", status.substr(0, 3)));
  return answer.substr(head_end + 4);
}

or_reason<std::string> fetch(const links::replica_address& address, const std::string& path, const std::string& token,
                             std::chrono::milliseconds patience) {
  const auto deadline = clock::now() + patience;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  // A server that listens everywhere is reached on the loopback address.
  const bool is_everywhere =
      address.host.empty() || address.host == "*" || address.host == "0.0.0.0" || address.host == "::";
  const auto host = is_everywhere ? std::string{"127.0.0.1"} : address.host;
  if (const int failed = getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &found); failed != 0) {
    return invalid(gai_strerror(failed));
  }
  const address_list all{found, freeaddrinfo};
  auto connection = connect_to(*all, deadline);
  if (!connection) return tl::unexpected(connection.error());
  const auto shown = token.empty() ? std::string{} : "Authorization: Bearer " + token + "\r\n";
  // With HTTP/1.0 the answer is not chunked and ends with the connection.
  const auto asked = fmt::format("GET {} HTTP/1.0\r\nHost: {}:{}\r\n{}\r\n", path, host, address.port, shown);
  if (auto done = send_all(connection->descriptor(), asked, deadline); !done) return tl::unexpected(done.error());
  const auto answer = receive_all(connection->descriptor(), deadline);
  if (!answer) return tl::unexpected(answer.error());
  return body_of(*answer);
}

}  // namespace hypermesh::cli
