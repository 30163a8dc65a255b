#include "runtime/links/listening.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <variant>

#include <fmt/format.h>

namespace hypermesh::links {

namespace {

/// A listening socket, or the value of `errno`.
std::variant<open_file, int> listen_on(int family, const sockaddr* address, socklen_t size, bool both_families) {
  open_file file{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!file.is_open()) return errno;
  const int on = 1;
  // A restarted replica then gets its port back while the system still keeps old connections of the port.
  (void)::setsockopt(file.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int only_ipv6 = both_families ? 0 : 1;
  if (family == AF_INET6 &&
      ::setsockopt(file.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof(only_ipv6)) != 0) {
    return errno;
  }
  if (::bind(file.descriptor(), address, size) != 0) return errno;
  // With SO_REUSEADDR, two sockets may bind to one port. The second socket fails here.
  if (::listen(file.descriptor(), SOMAXCONN) != 0) return errno;
  return file;
}

std::variant<open_file, int> listen_everywhere(std::uint16_t port) {
  sockaddr_in6 all{};
  all.sin6_family = AF_INET6;
  all.sin6_addr = in6addr_any;
  all.sin6_port = htons(port);
  auto opened = listen_on(AF_INET6, reinterpret_cast<const sockaddr*>(&all), sizeof(all), true);
  const auto* failed = std::get_if<int>(&opened);
  const bool without_ipv6 = failed != nullptr && (*failed == EAFNOSUPPORT || *failed == EADDRNOTAVAIL);
  if (!without_ipv6) return opened;
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_addr.s_addr = htonl(INADDR_ANY);
  ipv4.sin_port = htons(port);
  return listen_on(AF_INET, reinterpret_cast<const sockaddr*>(&ipv4), sizeof(ipv4), false);
}

tl::unexpected<world_error> unknown_name(const replica_address& address, int reason) {
  return tl::unexpected(world_error{
      fmt::format("cannot listen on {}: this machine cannot resolve the name: {}", to_string(address),
                  ::gai_strerror(reason)),
      fmt::format("run: getent ahosts {}; then correct the name, or set 'listen' in node.toml to an address of "
                  "this machine or to \"*:{}\"",
                  address.host, address.port),
      fault_origin::configuration});
}

tl::unexpected<world_error> foreign_address(const replica_address& address) {
  return tl::unexpected(world_error{
      fmt::format("cannot listen on {}: no interface of this machine has this address", to_string(address)),
      fmt::format("list the machine's addresses: ip -brief address; behind NAT or in a container set 'listen' in "
                  "node.toml to \"*:{}\" and leave the genesis as it is",
                  address.port),
      fault_origin::configuration});
}

tl::unexpected<world_error> without_privilege(const replica_address& address) {
  constexpr std::uint16_t first_free_port = 1'024;
  const auto what = fmt::format("cannot listen on {}: {}", to_string(address), std::strerror(EACCES));
  if (address.port >= first_free_port) {
    return tl::unexpected(
        world_error{what, "allow it in the security policy of this machine; see journalctl -k and the policy's log",
                    fault_origin::configuration});
  }
  return tl::unexpected(world_error{
      fmt::format("{}: this user may not use ports below {}", what, first_free_port),
      fmt::format("set 'listen' in node.toml to a port from {} on and forward port {} to it, or grant the right: "
                  "setcap cap_net_bind_service=+ep $(command -v hypermesh)",
                  first_free_port, address.port),
      fault_origin::configuration});
}

tl::unexpected<world_error> explain(const replica_address& address, int error) {
  const auto what = fmt::format("cannot listen on {}: {}", to_string(address), std::strerror(error));
  switch (error) {
    case EADDRINUSE:
      return tl::unexpected(
          world_error{what, fmt::format("find the process that uses the port: ss -ltnp 'sport = :{}'", address.port)});
    case EADDRNOTAVAIL:
      return foreign_address(address);
    case EACCES:
    case EPERM:
      return without_privilege(address);
    case EAFNOSUPPORT:
      return tl::unexpected(
          world_error{what + ": this machine has no such addresses; IPv6 may be disabled",
                      fmt::format("set 'listen' in node.toml to an IPv4 address or to \"*:{}\"", address.port),
                      fault_origin::configuration});
    case EMFILE:
    case ENFILE:
      return tl::unexpected(world_error{what, "raise the limit of open files: ulimit -n 4096"});
    default:
      return tl::unexpected(world_error{what, "look at the system's messages: journalctl -k"});
  }
}

}  // namespace

or_error<open_file> open_listening_socket(const replica_address& address) {
  if (address.host.empty()) {
    auto opened = listen_everywhere(address.port);
    if (const auto* failed = std::get_if<int>(&opened)) return explain(address, *failed);
    return std::get<open_file>(std::move(opened));
  }
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto port = fmt::format("{}", address.port);
  if (const int reason = ::getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found); reason != 0) {
    return unknown_name(address, reason);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> released{found, &::freeaddrinfo};
  int error = EADDRNOTAVAIL;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    auto opened = listen_on(entry->ai_family, entry->ai_addr, entry->ai_addrlen, false);
    if (auto* file = std::get_if<open_file>(&opened)) return std::move(*file);
    error = std::get<int>(opened);
    // This address belongs to the machine, but the port is taken. The error of a later address would hide this cause.
    if (error == EADDRINUSE) break;
  }
  return explain(address, error);
}

}  // namespace hypermesh::links
