#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <random>

namespace hypermesh::testing {

/// Whether a server can listen on this port of the loopback interface now.
inline bool can_bind(std::uint16_t port) {
  const int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool done = bind(bound, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(bound);
  return done;
}

/// The first of `count` consecutive free ports, below the ports that the system uses for outgoing connections.
inline std::uint16_t free_port_row(std::uint16_t count) {
  std::random_device random;
  std::uniform_int_distribution<unsigned> any{12'000, 30'000};
  while (true) {
    const auto first = static_cast<std::uint16_t>(any(random));
    std::uint16_t free = 0;
    while (free < count && can_bind(static_cast<std::uint16_t>(first + free)))
      ++free;
    if (free == count) return first;
  }
}

}  // namespace hypermesh::testing
