#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "tools/hypermesh/live/cluster_status.hpp"

/// A cluster without processes: reports of replicas, which a test changes.
namespace hypermesh::testing {

inline constexpr auto largest_number = std::numeric_limits<std::uint64_t>::max();

inline void set_counter(node_report& report, const std::string& name, std::uint64_t value) {
  std::erase_if(report.counters, [&](const named_counter& each) { return each.name == name; });
  report.counters.push_back({name, value});
}

/// All replicas answer, lead or follow in view 0, and have executed 1,000 sequence numbers.
struct status_bench {
  genesis cluster;
  cluster_reports reports;

  explicit status_bench(std::uint32_t replicas = 4) {
    cluster.name = "trial";
    for (std::uint32_t number = 0; number < replicas; ++number) {
      cluster.replicas.push_back({{}, {"127.0.0.1", static_cast<std::uint16_t>(7'400 + number)}});
      node_report report;
      report.replica = replica_id{number};
      report.low_watermark = sequence_number{896};
      report.high_watermark = sequence_number{1'152};
      report.last_executed = sequence_number{1'000};
      report.stable_checkpoint = sequence_number{896};
      set_counter(report, "health_ready", 1);
      set_counter(report, "health_condition", 0);
      reports.emplace_back(std::move(report));
    }
  }

  [[nodiscard]] node_report& report(std::uint32_t number) { return *reports.at(number); }

  /// Each number that this replica reports is the largest one.
  void inflate(std::uint32_t number) {
    auto& it = report(number);
    it.view = view_number{largest_number};
    it.low_watermark = it.high_watermark = it.last_executed = it.stable_checkpoint = sequence_number{largest_number};
    for (const auto* name :
         {"requests_pending", "slots_in_use", "process_resident_bytes", "requests_executed_total",
          "batches_committed_total", "link_wire_bytes_in", "link_wire_bytes_out", "process_cpu_us_total",
          "storage_write_us_total", "probation_floor_sequence", "rejected_total{reason=\"empty_frame\"}"}) {
      set_counter(it, name, largest_number);
    }
  }

  [[nodiscard]] cluster_status status() const {
    return {cluster, reports, {}, health_of(reports, cluster.parameters())};
  }
};

/// The longest line of a text on a terminal.
inline std::size_t widest_line(std::string_view text) {
  std::size_t widest = 0;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    widest = std::max(widest, display_width(line));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return widest;
}

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace hypermesh::testing
