#include "tools/hypermesh/client/http_get.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/safe_text.hpp"
#include "runtime/base/steady_moment.hpp"

namespace hypermesh::cli {

namespace {

/// The status line and the headers of the servers that answer this client have less than 1 KiB.
constexpr std::size_t head_bytes_max = 8'192;

/// One connection with a deadline. All calls are over at the deadline.
class connection {
 public:
  connection(int descriptor, moment deadline) : descriptor_(descriptor), deadline_(deadline) {}
  ~connection() { close(descriptor_); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  [[nodiscard]] bool connect_to(const addrinfo& place) const {
    if (connect(descriptor_, place.ai_addr, place.ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS || !is_ready(POLLOUT)) return false;
    int failure = 0;
    socklen_t size = sizeof failure;
    return getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
  }
  [[nodiscard]] bool send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
      if (count < 0 && !is_temporary(errno)) return false;
      if (!bytes.empty() && !is_ready(POLLOUT)) return false;
    }
    return true;
  }
  /// Everything until the server closes; nothing if it does not in time, or sends more than `bytes_max`.
  [[nodiscard]] std::optional<std::string> receive_all(std::size_t bytes_max) const {
    std::string all;
    std::array<char, 16'384> part{};
    for (;;) {
      const auto count = recv(descriptor_, part.data(), part.size(), 0);
      if (count == 0) return all;
      if (count < 0 && !is_temporary(errno)) return std::nullopt;
      if (count > 0) all.append(part.data(), static_cast<std::size_t>(count));
      if (all.size() > bytes_max) return std::nullopt;
      if (count < 0 && !is_ready(POLLIN)) return std::nullopt;
    }
  }

 private:
  static bool is_temporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

  [[nodiscard]] bool is_ready(short events) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - base::steady_moment()).count();
    pollfd asked{descriptor_, events, 0};
    return left > 0 && poll(&asked, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000))) > 0;
  }

  int descriptor_;
  moment deadline_;
};

tl::unexpected<world_error> no_answer(const http_question& asked, std::string_view what) {
  return tl::unexpected(world_error{
      fmt::format("http://{}{}: {}", to_string(asked.server), asked.path, what),
      "check that the node runs, that 'enabled' of [http] is true in its node.toml, and that its 'listen' is right"});
}

/// The reason in the JSON of an error, or the beginning of another text.
std::string reason_in(const std::string& body) {
  const auto read = nlohmann::json::parse(body, nullptr, false);
  const auto member = [&](const char* name) {
    return read.is_object() && read.contains(name) && read[name].is_string() ? read[name].get<std::string>() : "";
  };
  constexpr std::size_t shown = 200;
  if (const auto error = member("error"); !error.empty()) {
    return base::visible_text((error + "; " + member("fix")).substr(0, 2 * shown));
  }
  return base::visible_text(body.substr(0, shown));
}

or_error<std::string> body_of(const http_question& asked, const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  constexpr std::string_view beginning = "HTTP/1.1 ";
  constexpr std::size_t status_end = beginning.size() + 3;
  if (!answer.starts_with(beginning) || end == std::string::npos || end > head_bytes_max || end < status_end) {
    return no_answer(asked, "the server does not speak HTTP");
  }
  const auto status = answer.substr(beginning.size(), 3);
  auto body = answer.substr(end + 4);
  if (status == "200") return body;
  return no_answer(asked, fmt::format("the node answers {}: {}", base::visible_text(status), reason_in(body)));
}

}  // namespace

or_error<std::string> http_get(const http_question& asked) {
  const auto deadline = base::steady_moment() + asked.patience;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(asked.server.port);
  if (const int code = getaddrinfo(asked.server.host.c_str(), port.c_str(), &wanted, &found); code != 0) {
    return no_answer(asked, gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> places{found, freeaddrinfo};
  const auto authorization = asked.token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", asked.token);
  const auto request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n", asked.path,
                                   to_string(asked.server), authorization);
  for (const auto* place = places.get(); place != nullptr; place = place->ai_next) {
    const int descriptor = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) continue;
    const connection to{descriptor, deadline};
    if (!to.connect_to(*place)) continue;
    if (!to.send_all(request)) return no_answer(asked, "the connection was closed");
    const auto answer = to.receive_all(head_bytes_max + asked.body_bytes_max);
    if (!answer) return no_answer(asked, "no whole answer in time, or a longer one than allowed");
    return body_of(asked, *answer);
  }
  return no_answer(asked, "nothing listens there");
}

}  // namespace hypermesh::cli
