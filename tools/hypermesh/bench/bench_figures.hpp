#pragma once

#include <map>
#include <optional>
#include <string>

#include "tools/hypermesh/bench/bench_session.hpp"

namespace hypermesh::cli {

/// The figures of a run for one operation, computed from what was counted. Operations that were answered in the
/// measured time count. A figure whose source is missing is nothing.
struct bench_figures {
  std::uint64_t operations = 0;
  /// Processor time of all replicas together, and of all load processes, in microseconds.
  double replicas_us = 0;
  double loads_us = 0;
  /// The part of `replicas_us` by the role of the threads.
  std::map<std::string, double> roles_us;
  /// The floor for batches of the measured size, and how many times more the replicas used.
  std::optional<crypto_floor> floor;
  std::optional<double> times_floor;
  double operations_per_request = 1;
  std::optional<double> requests_per_batch;
  /// Groups of records that a replica wrote for a batch, and their mean time in microseconds. In storage mode sync each
  /// is one sync.
  std::optional<double> writes_per_batch;
  std::optional<double> write_us;
  /// Bytes of all replicas for one operation.
  std::optional<wire_split> wire;
  /// Bytes that were received or sent for one operation, without the kinds; for a joined cluster.
  std::optional<double> wire_bytes;
};

/// Pure.
[[nodiscard]] bench_figures figures_of(const bench_run& run, const target_facts& target, const crypto_costs& crypto);

}  // namespace hypermesh::cli
