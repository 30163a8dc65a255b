#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/hypermesh/gateway/gateway_settings.hpp"

namespace hypermesh::cli {

/// What is under way in a gateway now.
struct gateway_load {
  std::size_t connections = 0;
  std::size_t operations_in_flight = 0;
  std::size_t bytes_in_flight = 0;
  std::int64_t uptime_seconds = 0;
};

/// What INFO shows.
struct info_facts {
  const gateway_identity& identity;
  const gateway_settings& settings;
  const gateway_statistics& statistics;
  const gateway_load& load;
  /// The lines of the section "hypermesh" (`cluster_view`).
  const std::string& cluster;
};

/// The text of INFO for one section (server, clients, stats, replication, hypermesh), or for all if it is empty, "all",
/// "default" or "everything". An unknown section is empty, as in Redis. Pure. The section "hypermesh" is about the
/// cluster, and the others are about this gateway.
[[nodiscard]] std::string info_text(std::string_view section, const info_facts& facts);

}  // namespace hypermesh::cli
