#include "tools/hypermesh-lab/demo/node_answer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

namespace hypermesh::lab {

namespace {

constexpr std::chrono::milliseconds turn{250};

bool is_temporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

/// A connected socket whose calls wait at most `turn`; -1 if nobody listens.
int connect_to(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return -1;
  timeval limit{};
  limit.tv_usec = std::chrono::duration_cast<std::chrono::microseconds>(turn).count();
  (void)::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  (void)::setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return made;
  const open_file closed{made};
  return -1;
}

}  // namespace

std::unique_ptr<node_answer> node_answer::ask(std::uint16_t port, std::string_view path,
                                              std::chrono::milliseconds patience) {
  const int socket = connect_to(port);
  if (socket < 0) return nullptr;
  std::unique_ptr<node_answer> answer{new node_answer{socket}};
  // With HTTP/1.0 the server sends the body as it is, and closes the connection at its end.
  const auto request = fmt::format("GET {} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", path, port);
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return nullptr;
  if (!answer->read_head(patience)) return nullptr;
  return answer;
}

bool node_answer::read_head(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  constexpr std::string_view end_of_head = "\r\n\r\n";
  std::string head;
  std::array<char, 4'096> part{};
  auto end = std::string::npos;
  while ((end = head.find(end_of_head)) == std::string::npos) {
    if (head.size() > head_bytes_max || std::chrono::steady_clock::now() > deadline) return false;
    const auto count = ::recv(socket_.descriptor(), part.data(), part.size(), 0);
    if (count == 0 || (count < 0 && !is_temporary(errno))) return false;
    if (count > 0) head.append(part.data(), static_cast<std::size_t>(count));
  }
  rest_ = head.substr(end + end_of_head.size());
  head.resize(end);
  // "HTTP/1.1 200 OK"
  constexpr std::size_t status_begin = 9;
  constexpr std::size_t status_end = 12;
  if (!head.starts_with("HTTP/1.") || head.size() < status_end) return false;
  const auto read = std::from_chars(head.data() + status_begin, head.data() + status_end, status_);
  is_stream_ = head.find("text/event-stream") != std::string::npos;
  return read.ec == std::errc{} && status_ >= 200 && status_ < 600;
}

node_answer::outcome node_answer::read(char* into, std::size_t size, std::size_t& count) {
  if (!rest_.empty()) {
    count = std::min(size, rest_.size());
    std::copy_n(rest_.begin(), count, into);
    rest_.erase(0, count);
    return outcome::bytes;
  }
  const auto got = ::recv(socket_.descriptor(), into, size, 0);
  if (got > 0) {
    count = static_cast<std::size_t>(got);
    return outcome::bytes;
  }
  return got < 0 && is_temporary(errno) ? outcome::none_yet : outcome::over;
}

}  // namespace hypermesh::lab
