#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/links/dialing.hpp"
#include "tools/hypermesh-lab/demo/replica_groups.hpp"

namespace hypermesh::lab {

/// A link between two replicas: `dialer` connects to `target`, which listens on `target_port` of 127.0.0.1.
struct relayed_link {
  std::uint32_t dialer = 0;
  std::uint32_t target = 0;
  std::uint16_t target_port = 0;
};

/// Forwards the bytes of the links between replicas, and stops forwarding on the links that a partition cuts. A replica
/// notices nothing but silence, as when a switch fails: connections stay open, new ones are not accepted, and the bytes
/// on their way arrive when the partition ends. Each link has a port of its own, so the relay knows both ends without
/// reading a byte of the encrypted stream.
///
/// One thread serves all links. Memory: `connections_max` times two buffers of `buffer_bytes` for each link. A sender
/// that is faster than its receiver waits, as it would without a relay.
class link_relay {
 public:
  static constexpr std::size_t connections_max = 8;
  static constexpr std::size_t buffer_bytes = std::size_t{64} * 1024;

  /// Listens for each link on a free port of 127.0.0.1. The error says what the system lacks.
  [[nodiscard]] static or_error<std::unique_ptr<link_relay>> start(std::vector<relayed_link> links);

  /// Closes all connections and ports.
  ~link_relay();
  link_relay(const link_relay&) = delete;
  link_relay& operator=(const link_relay&) = delete;

  /// The port on which `dialer` reaches `target`; 0 if there is no such link.
  [[nodiscard]] std::uint16_t port_of(std::uint32_t dialer, std::uint32_t target) const;

  /// From now on, only links within one group forward. Thread-safe.
  void divide(const replica_groups& groups);

 private:
  /// The bytes of one direction that have arrived and are not sent yet.
  struct flow {
    std::vector<char> bytes;
    std::size_t begin = 0;
    bool source_ended = false;
    bool target_told = false;
  };
  struct connection {
    open_file dialer;
    open_file target;
    flow up;
    flow down;
  };
  struct link {
    relayed_link ends;
    open_file listening;
    std::uint16_t port = 0;
    std::list<connection> connections;
  };
  /// A connection, and the places of its sockets in a turn.
  struct watched {
    link* at = nullptr;
    std::list<connection>::iterator which;
    std::size_t dialer = 0;
    std::size_t target = 0;
  };
  class turn;

  link_relay() = default;
  void serve();
  void watch(turn& now, const replica_groups& groups, std::vector<watched>& connections,
             std::vector<std::pair<link*, std::size_t>>& ports);
  void accept_at(link& at);
  void wake() const;

  std::vector<link> links_;
  open_file wake_reader_;
  open_file wake_writer_;
  std::mutex guard_;
  replica_groups groups_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace hypermesh::lab
