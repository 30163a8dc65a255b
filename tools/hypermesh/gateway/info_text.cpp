#include "tools/hypermesh/gateway/info_text.hpp"

#include <array>
#include <functional>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

std::string server(const info_facts& of) {
  return fmt::format(
      "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nhypermesh_version:{}\r\nprocess_id:{}\r\n"
      "tcp_port:{}\r\nuptime_in_seconds:{}\r\n",
      of.identity.version, of.identity.process, of.identity.port, of.load.uptime_seconds);
}

std::string clients(const info_facts& of) {
  return fmt::format("# Clients\r\nconnected_clients:{}\r\nmaxclients:{}\r\nblocked_clients:0\r\n", of.load.connections,
                     of.settings.connections_max);
}

std::string stats(const info_facts& of) {
  const auto& counted = of.statistics;
  return fmt::format(
      "# Stats\r\ntotal_connections_received:{}\r\nrejected_connections:{}\r\ntotal_commands_processed:{}\r\n"
      "total_net_input_bytes:{}\r\ntotal_net_output_bytes:{}\r\ntotal_error_replies:{}\r\n"
      "hypermesh_operations:{}\r\nhypermesh_operations_in_flight:{}\r\nhypermesh_bytes_in_flight:{}\r\n"
      "hypermesh_unknown_outcomes:{}\r\nhypermesh_refused:{}\r\nhypermesh_replies_repeated:{}\r\n"
      "hypermesh_replies_lost:{}\r\nhypermesh_protocol_failures:{}\r\nhypermesh_passwords_wrong:{}\r\n",
      counted.connections, counted.connections_refused, counted.commands, counted.bytes_in, counted.bytes_out,
      counted.error_replies, counted.operations, of.load.operations_in_flight, of.load.bytes_in_flight,
      counted.unknown_outcomes, counted.refused, counted.replies_repeated, counted.replies_lost,
      counted.protocol_failures, counted.passwords_wrong);
}

std::string replication(const info_facts& of) {
  return fmt::format(
      "# Replication\r\nrole:master\r\nconnected_slaves:0\r\nhypermesh_cluster:{}\r\nhypermesh_cluster_id:{}\r\n"
      "hypermesh_replicas:{}\r\nhypermesh_faulty_max:{}\r\nhypermesh_client:{}\r\n",
      of.identity.cluster, of.identity.cluster_id, of.identity.replicas, (of.identity.replicas - 1) / 3,
      of.identity.client);
}

std::string hypermesh(const info_facts& of) { return "# Hypermesh\r\n" + of.cluster; }

struct info_section {
  std::string_view name;
  std::string (*text)(const info_facts&);
};

constexpr std::array sections = {info_section{"server", server}, info_section{"clients", clients},
                                 info_section{"stats", stats}, info_section{"replication", replication},
                                 info_section{"hypermesh", hypermesh}};

}  // namespace

std::string info_text(std::string_view section, const info_facts& facts) {
  const bool all = section.empty() || section == "all" || section == "default" || section == "everything";
  std::string text;
  for (const auto& each : sections) {
    if (!all && each.name != section) continue;
    if (!text.empty()) text += "\r\n";
    text += each.text(facts);
  }
  return text;
}

}  // namespace hypermesh::cli
