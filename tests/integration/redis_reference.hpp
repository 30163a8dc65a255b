#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/cli_process.hpp"

/// A redis-server that tests compare the machine "redis" with.
namespace hypermesh::testing {

/// Reads replies in RESP3, and writes them in one form that can be compared: sets and maps, and the arrays whose order
/// Redis leaves open, are sorted.
class comparable_reply {
 public:
  explicit comparable_reply(std::string_view bytes) : left_(bytes) {}

  /// The reply as text; `is_sorted` sorts the elements of the outermost array, in groups of `group` elements. Nothing
  /// if more bytes are needed.
  std::optional<std::string> read(bool is_sorted = false, std::size_t group = 1) {
    const auto end = left_.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const char kind = left_.front();
    const std::string line{left_.substr(1, end - 1)};
    left_.remove_prefix(end + 2);
    if (kind == '$') {
      const auto size = std::stoul(line);
      if (left_.size() < size + 2) return std::nullopt;
      auto text = "$" + std::string{left_.substr(0, size)};
      left_.remove_prefix(size + 2);
      return text;
    }
    if (kind != '*' && kind != '~' && kind != '%') return kind + line;
    const auto size = std::stoul(line) * (kind == '%' ? 2 : 1);
    std::vector<std::string> elements;
    for (std::size_t number = 0; number < size; ++number) {
      auto element = read();
      if (!element) return std::nullopt;
      elements.push_back(std::move(*element));
    }
    if (kind == '%') group = 2;
    return joined(kind, elements, is_sorted || kind != '*', group);
  }

  [[nodiscard]] std::size_t bytes_left() const { return left_.size(); }

 private:
  static std::string joined(char kind, const std::vector<std::string>& elements, bool is_sorted, std::size_t group) {
    std::vector<std::string> groups;
    for (std::size_t number = 0; number < elements.size(); ++number) {
      if (number % group == 0) groups.emplace_back();
      groups.back() += elements[number] + ' ';
    }
    if (is_sorted) std::ranges::sort(groups);
    auto text = kind + std::to_string(elements.size()) + "[ ";
    for (const auto& each : groups)
      text += each;
    return text + "]";
  }

  std::string_view left_;
};

inline constexpr const char* redis_binary = "/usr/bin/redis-server";

/// A redis-server without persistence on a socket in a folder of its own, and one connection to it.
class reference_server {
 public:
  reference_server()
      : server_({"--port", "0", "--unixsocket", (folder_ / "socket").string(), "--save", "", "--appendonly", "no",
                 "--dir", folder_.path().string()},
                streams()) {
    cli_test::eventually([this] { return connects(); });
    (void)reply_to({"HELLO", "3"});
  }
  ~reference_server() { close(connection_); }

  /// The bytes of the reply.
  std::string reply_to(const std::vector<std::string>& words) {
    auto request = "*" + std::to_string(words.size()) + "\r\n";
    for (const auto& word : words)
      request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    for (std::size_t sent = 0; sent < request.size();) {
      const auto count = write(connection_, request.data() + sent, request.size() - sent);
      if (count <= 0) return {};
      sent += static_cast<std::size_t>(count);
    }
    std::string bytes;
    while (bytes.empty() || !comparable_reply{bytes}.read()) {
      char buffer[65'536];
      const auto count = ::read(connection_, buffer, sizeof buffer);
      if (count <= 0) return {};
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
    return bytes;
  }

 private:
  static cli_test::process_streams streams() {
    cli_test::process_streams made;
    made.binary = redis_binary;
    return made;
  }

  bool connects() {
    connection_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = (folder_ / "socket").string();
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
    if (connect(connection_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    close(connection_);
    return false;
  }

  cli_test::scratch_folder folder_;
  cli_test::process server_;
  int connection_ = -1;
};

}  // namespace hypermesh::testing
