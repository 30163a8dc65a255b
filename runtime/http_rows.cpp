#include <array>

#include "runtime/config_row_makers.hpp"

/// Defines the keys of [http].
namespace hypermesh::runtime {

namespace {

using namespace config_row_makers;
using node = node_config;

/// The port of the replica in the genesis, raised. A port near the end of the range is lowered instead.
void assume_address(node& into) {
  const auto& replicas = into.cluster.replicas;
  if (into.self.value >= replicas.size()) return;
  constexpr std::uint32_t port_max = 65'535;
  const std::uint32_t own = replicas[into.self.value].address.port;
  const auto port =
      own + http::default_port_offset <= port_max ? own + http::default_port_offset : own - http::default_port_offset;
  into.http.listen = {"127.0.0.1", static_cast<std::uint16_t>(port)};
}

constexpr std::array rows = {
    flag<node>(
        {.table = "http",
         .name = "enabled",
         .unit = "flag",
         .about =
             "Whether the node answers HTTP: its page, /livez, /readyz, /metrics, /api/v1/status and /api/v1/events."},
        [](auto& of) -> auto& { return of.http.enabled; }),
    assuming(address<node>(
                 {.table = "http",
                  .name = "listen",
                  .unit = "address",
                  .default_rule = "127.0.0.1, the genesis port + 1,000",
                  .example = "127.0.0.1:8400",
                  .about = "The address of the HTTP server. An address that other machines reach needs a token_file, "
                           "and should have TLS."},
                 [](auto& of) -> auto& { return of.http.listen; }),
             assume_address),
    text<node>(
        value_kind::path,
        {.table = "http",
         .name = "token_file",
         .unit = "path",
         .default_rule = "no token",
         .example = "token",
         .about = "A file of mode 0600 with the token of 16 to 512 characters that requests show as "
                  "'Authorization: Bearer TOKEN'. Only /livez and /readyz answer without it, in one word."},
        [](auto& of) -> auto& { return of.http.token_file; }),
    text<node>(
        value_kind::path,
        {.table = "http",
         .name = "tls_certificate",
         .unit = "path",
         .default_rule = "no TLS",
         .example = "certificate.pem",
         .about = "The certificate of the server with its chain, a PEM file."},
        [](auto& of) -> auto& { return of.http.tls_certificate; }),
    text<node>(
        value_kind::path,
        {.table = "http",
         .name = "tls_key",
         .unit = "path",
         .default_rule = "no TLS",
         .example = "certificate.key",
         .about = "The key of the certificate, a PEM file of mode 0600."},
        [](auto& of) -> auto& { return of.http.tls_key; }),
    number<node>(
        {.table = "http",
         .name = "connections_max",
         .unit = "connections",
         .low = 8,
         .high = 256,
         .about = "Open connections. Further ones wait until one of them is closed."},
        [](auto& of) -> auto& { return of.http.connections_max; }),
    number<node>(
        {.table = "http",
         .name = "connections_per_address_max",
         .unit = "connections",
         .low = 2,
         .high = 256,
         .larger = "http.connections_max",
         .about = "Open connections of one address. Further ones are closed at once."},
        [](auto& of) -> auto& { return of.http.connections_per_address_max; }),
    number<node>(
        {.table = "http",
         .name = "event_clients_max",
         .unit = "clients",
         .low = 0,
         .high = 128,
         .larger = "http.connections_max",
         .larger_factor = 2,
         .about = "Clients that receive events at a time. Each has a queue of 64 KiB and is dropped if it is full."},
        [](auto& of) -> auto& { return of.http.event_clients_max; }),
    number<node>(
        {.table = "http",
         .name = "pages_max",
         .unit = "pages",
         .low = 0,
         .high = 64,
         .larger = "http.connections_max",
         .larger_factor = 4,
         .about = "Open pages in browsers at a time. Each has a queue of 64 KiB and is dropped if it is full."},
        [](auto& of) -> auto& { return of.http.pages_max; }),
    number<node>(
        {.table = "http",
         .name = "request_timeout_ms",
         .unit = "ms",
         .low = 500,
         .high = 60'000,
         .about = "The time from accepting a connection until its answer is sent. Late connections are closed."},
        [](auto& of) -> auto& { return of.http.request_timeout; }),
};

}  // namespace

std::span<const config_row<node_config>> http_rows() { return rows; }

}  // namespace hypermesh::runtime
