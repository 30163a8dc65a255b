#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/base/keys.hpp"
#include "runtime/state_machines/scheduler_results.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::cli {

/// The source of the operations.
struct workload_source {
  /// Both files must be given, or neither. Without files, the workload is synthetic.
  std::string nodes_file;
  std::string pods_file;
  /// The largest number of operations. 0 means all operations of the files, or `operations_default`.
  std::size_t operations = 0;
  std::size_t operations_default = 20'000;
  /// The seed of a synthetic workload.
  std::uint64_t seed = 1;
};

/// A cluster's history as operations to submit, in order.
struct workload {
  bool made_up = false;
  cluster_trace trace;
  std::vector<trace_event> events;

  /// Returns for example "1,523 machines, 8,152 tasks: 25,979 operations".
  [[nodiscard]] std::string description() const;
};

[[nodiscard]] or_error<workload> load_workload(const workload_source& source);

/// The results and the state of a single correct scheduler, in this process, for the first `count` events.
struct reference_run {
  std::vector<operation_result> results;
  /// The totals of the state. They have no time, because a single scheduler has no ordered time.
  scheduler::summary_view totals;
};
[[nodiscard]] reference_run run_reference(const workload& work, std::size_t count);

}  // namespace hypermesh::cli
