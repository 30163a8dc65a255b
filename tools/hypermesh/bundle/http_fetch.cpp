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
#include "tools/hypermesh/bundle/fetch_channel.hpp"

namespace hypermesh::cli {

namespace {

using clock = fetch_clock;
using address_list = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

or_reason<base::open_file> connect_to(const addrinfo& target, clock::time_point deadline) {
  base::open_file made{socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!made.is_open()) return invalid(std::strerror(errno));
  if (connect(made.descriptor(), target.ai_addr, target.ai_addrlen) == 0) return made;
  if (errno != EINPROGRESS) return invalid(std::strerror(errno));
  if (!waits_for(made.descriptor(), POLLOUT, deadline)) return invalid("no connection in time");
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(made.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return invalid(std::strerror(error));
  }
  return made;
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

or_reason<std::string> fetch(const fetch_target& target, const std::string& path, std::chrono::milliseconds patience) {
  const auto deadline = clock::now() + patience;
  const auto& address = target.address;
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
  auto channel = open_channel(std::move(*connection), target.certificate, deadline);
  if (!channel) return tl::unexpected(channel.error());
  const auto shown = target.token.empty() ? std::string{} : "Authorization: Bearer " + target.token + "\r\n";
  // With HTTP/1.0 the answer is not chunked and ends with the connection.
  const auto asked = fmt::format("GET {} HTTP/1.0\r\nHost: {}:{}\r\n{}\r\n", path, host, address.port, shown);
  if (auto done = (*channel)->send_all(asked); !done) return tl::unexpected(done.error());
  const auto answer = (*channel)->receive_all(fetch_bytes_max);
  if (!answer) return tl::unexpected(answer.error());
  return body_of(*answer);
}

}  // namespace hypermesh::cli
