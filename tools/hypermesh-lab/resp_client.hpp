#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace hypermesh::lab {

/// A blocking client of a gateway that sends bytes and reads whole replies in RESP2, as text: "+OK", "-ERR …", ":1",
/// "$x",
/// "$-1", and "[a, b]" for an array.
class resp_client {
 public:
  explicit resp_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  virtual ~resp_client() { ::close(socket_); }
  resp_client(const resp_client&) = delete;
  resp_client& operator=(const resp_client&) = delete;

  [[nodiscard]] bool is_open() const { return is_open_; }

  /// Sends one command without waiting for its reply. Returns false if the connection is gone.
  bool send(const std::vector<std::string>& command) {
    auto bytes = fmt::format("*{}\r\n", command.size());
    for (const auto& word : command)
      bytes += fmt::format("${}\r\n{}\r\n", word.size(), word);
    return send_bytes(bytes);
  }

  bool send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = write_some(bytes);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next reply; nothing if the connection ended, or if none came in time.
  std::optional<std::string> receive(std::chrono::seconds patience = std::chrono::seconds{60}) {
    deadline_ = std::chrono::steady_clock::now() + patience;
    return read_value();
  }

  /// Sends a command and waits for its reply; "gone" if there is none.
  std::string ask(const std::vector<std::string>& command) {
    return send(command) ? receive().value_or("gone") : "gone";
  }

 protected:
  [[nodiscard]] int descriptor() const { return socket_; }

 private:
  // How bytes move: plain, or encrypted in a derived class. A number that is not positive is the end.
  virtual ssize_t write_some(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  virtual ssize_t read_some(std::span<char> into) { return ::recv(socket_, into.data(), into.size(), 0); }
  [[nodiscard]] virtual bool has_buffered() const { return false; }

  std::optional<std::string> read_value() {
    const auto line = read_line();
    if (!line || line->empty()) return std::nullopt;
    const char kind = line->front();
    if (kind == '$') return *line == "$-1" ? line : read_bulk(std::stoul(line->substr(1)));
    if (kind != '*' || *line == "*-1") return line;
    std::string values = "[";
    for (auto left = std::stoul(line->substr(1)); left > 0; --left) {
      const auto value = read_value();
      if (!value) return std::nullopt;
      values += *value + (left > 1 ? ", " : "");
    }
    return values + "]";
  }

  std::optional<std::string> read_bulk(std::size_t length) {
    while (buffer_.size() < length + 2) {
      if (!fill()) return std::nullopt;
    }
    auto content = "$" + buffer_.substr(0, length);
    buffer_.erase(0, length + 2);
    return content;
  }

  std::optional<std::string> read_line() {
    auto end = buffer_.find("\r\n");
    for (; end == std::string::npos; end = buffer_.find("\r\n")) {
      if (!fill()) return std::nullopt;
    }
    auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
  }

  bool fill() {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    pollfd awaited{socket_, POLLIN, 0};
    if (left.count() <= 0) return false;
    if (!has_buffered() && ::poll(&awaited, 1, static_cast<int>(left.count())) != 1) return false;
    char chunk[65'536];
    const auto got = read_some(chunk);
    if (got <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool is_open_ = false;
  std::string buffer_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace hypermesh::lab
