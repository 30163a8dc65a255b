#pragma once

#include <cstdint>
#include <vector>

#include "tools/hypermesh/load/cluster_under_load.hpp"

namespace hypermesh::cli {

struct endurance_settings {
  load_settings load;
  std::uint64_t operations = 1'000'000;
};

/// The resources that one replica used at the end of one tenth. A value is zero if the replica did not report it.
struct replica_burden {
  std::uint64_t resident_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t audit_bytes = 0;
  std::uint64_t requests_pending = 0;
  std::uint64_t slots_in_use = 0;
};

/// One tenth of the operations.
struct endurance_tenth {
  /// The number of answers since the beginning, at the end of this tenth.
  std::uint64_t answered = 0;
  load_span load;
  /// The latency of the answers in this tenth, in microseconds.
  std::uint64_t latency_p50 = 0;
  std::uint64_t latency_p99 = 0;
  /// The resources of the replicas, by replica number.
  std::vector<replica_burden> replicas;

  [[nodiscard]] std::uint64_t sum_of(std::uint64_t replica_burden::*what) const;
  [[nodiscard]] std::uint64_t max_of(std::uint64_t replica_burden::*what) const;
};

/// The time for which replicas stopped executing to take checkpoints, in microseconds.
struct checkpoint_pauses {
  std::uint64_t count = 0;
  std::uint64_t total_us = 0;
  std::uint64_t longest_us = 0;

  [[nodiscard]] double mean_us() const;
};

struct endurance_result {
  endurance_settings settings;
  std::vector<endurance_tenth> tenths;
  load_verdict end;

  /// The sum over all replicas at the end, divided by the sum after the tenth `since`, counted from 0; 1 if there is
  /// nothing to compare.
  [[nodiscard]] double growth_of(std::uint64_t replica_burden::*what, std::size_t since) const;
  /// The largest sum over all replicas at the end of a tenth.
  [[nodiscard]] std::uint64_t most_of(std::uint64_t replica_burden::*what) const;
  /// Whether the value fell by a tenth or more from one sample to the next. For a value that only grows the result is
  /// false.
  [[nodiscard]] bool was_cut_back(std::uint64_t replica_burden::*what) const;
  /// The pauses of all replicas together.
  [[nodiscard]] checkpoint_pauses pauses() const;
  [[nodiscard]] bool is_right() const { return end.is_right(); }
};

/// Runs a local cluster under load until the given number of operations is answered, and records the resources of the
/// replicas at each tenth. The state is a fixed set of counters, so no value may grow with the number of operations.
/// Call this from the main thread, and construct `stop` before any thread. When the function returns, nothing of the
/// cluster is left.
[[nodiscard]] or_run_failure<endurance_result> run_endurance(const endurance_settings& settings, interruption& stop,
                                                             run_narrator& narrator);

}  // namespace hypermesh::cli
