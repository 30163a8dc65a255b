#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

#include "runtime/links/address.hpp"

namespace hypermesh::http {

/// The HTTP server of a node (table [http] of node.toml). It is off unless the operator asks for it, because a port
/// that nobody asked for is a risk, and several replicas may run on one machine.
struct http_settings {
  bool enabled = false;
  /// The default is the loopback address, with the port of the replica in the genesis plus `default_port_offset`. So
  /// the replicas of one machine have different ports.
  links::replica_address listen = {"127.0.0.1", 0};
  /// A file with the token that requests have to show; empty if none is needed, which only loopback allows.
  std::filesystem::path token_file;
  /// Both are set, or none of them: PEM files for TLS.
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  /// Open connections, in all and of one address. Each needs an open file and at most `memory_per_connection` and one
  /// answer.
  std::uint32_t connections_max = 64;
  std::uint32_t connections_per_address_max = 32;
  /// Connections that receive events.
  std::uint32_t event_clients_max = 8;
  /// Open pages (`page/`). Each has a connection with a queue of `event_subscription::bytes_max`.
  std::uint32_t pages_max = 16;
  /// The time from accepting a connection until its answer is sent. Events may take longer.
  std::chrono::milliseconds request_timeout{10'000};
};

inline constexpr std::uint16_t default_port_offset = 1'000;

/// The memory for the request line, the headers and the buffers of one connection.
inline constexpr std::size_t memory_per_connection = std::size_t{16} * 1024;

}  // namespace hypermesh::http
