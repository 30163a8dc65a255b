#include "runtime/links/dialing.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace hypermesh::links {

namespace {

constexpr std::size_t addresses_max = 8;

std::vector<socket_address> look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &wanted, &found) != 0) return {};
  std::vector<socket_address> all;
  for (const auto* entry = found; entry != nullptr && all.size() < addresses_max; entry = entry->ai_next) {
    socket_address address;
    if (entry->ai_addrlen > sizeof(address.bytes)) continue;
    std::memcpy(&address.bytes, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    all.push_back(address);
  }
  ::freeaddrinfo(found);
  return all;
}

/// Whether both sockets have the same address and port.
template <class Address>
bool is_same(const sockaddr_storage& left, const sockaddr_storage& right) {
  Address first{};
  Address second{};
  std::memcpy(&first, &left, sizeof(first));
  std::memcpy(&second, &right, sizeof(second));
  if constexpr (std::is_same_v<Address, sockaddr_in>) {
    return first.sin_port == second.sin_port && first.sin_addr.s_addr == second.sin_addr.s_addr;
  } else {
    return first.sin6_port == second.sin6_port &&
           std::memcmp(&first.sin6_addr, &second.sin6_addr, sizeof(first.sin6_addr)) == 0;
  }
}

bool reached_itself(int descriptor, const socket_address& target) {
  sockaddr_storage local{};
  socklen_t size = sizeof(local);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) != 0) return false;
  if (local.ss_family != target.bytes.ss_family) return false;
  return local.ss_family == AF_INET ? is_same<sockaddr_in>(local, target.bytes)
                                    : is_same<sockaddr_in6>(local, target.bytes);
}

}  // namespace

std::optional<socket_address> parse_address(const std::string& host, std::uint16_t port) {
  const auto found = look_up(host, port, AI_NUMERICHOST);
  return found.empty() ? std::nullopt : std::optional{found.front()};
}

std::vector<socket_address> resolve_address(const std::string& host, std::uint16_t port) {
  return look_up(host, port, AI_ADDRCONFIG);
}

connecting_socket start_connecting(const socket_address& address) {
  base::open_file socket{::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) return {base::open_file{}, errno};
  const auto* const target = reinterpret_cast<const sockaddr*>(&address.bytes);
  if (::connect(socket.descriptor(), target, address.size) != 0 && errno != EINPROGRESS)
    return {base::open_file{}, errno};
  if (reached_itself(socket.descriptor(), address)) return {base::open_file{}, ECONNREFUSED};
  return {std::move(socket), 0};
}

int connect_state_of(int descriptor) {
  pollfd asked{descriptor, POLLOUT, 0};
  if (::poll(&asked, 1, 0) == 0) return EINPROGRESS;
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

connect_pace::milliseconds connect_pace::next() { return std::exchange(next_, std::min(2 * next_, longest)); }

redial_backoff::milliseconds redial_backoff::next(std::uint32_t random) {
  const auto base = next_;
  next_ = std::min(2 * next_, longest_);
  const auto spread = base.count() / 2 + 1;
  return base + milliseconds{random % spread};
}

}  // namespace hypermesh::links
