#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "runtime/hosted_client.hpp"
#include "tools/hypermesh/load/latency_recorder.hpp"

namespace hypermesh::cli {

struct workload_settings {
  /// The number of operations in progress at the same time.
  std::size_t in_flight = 128;
  /// After this time, no new operations are submitted, and the run waits for those in progress. Zero means no bound.
  std::chrono::duration<double> duration{0};
};

struct workload_outcome {
  using clock = std::chrono::steady_clock;

  /// Outcomes of the submitted operations, in their order.
  std::vector<submit_outcome> outcomes;
  latency_recorder latency;
  clock::time_point started;
  clock::time_point first_answer;
  clock::time_point last_answer;
  /// Whether `keep_on` ended the run. In this case there are no outcomes.
  bool cut_short = false;
};

/// Submits the operations in their order through one client and keeps `in_flight` of them in progress. The client's
/// session executes them in this order under any primary. The first operation is submitted alone, and its time is the
/// time of the first commit. If the cluster does not answer it, the rest is not submitted.
///
/// `keep_on` is called about every tenth of a second with the number of answers. It ends the run by returning false.
[[nodiscard]] workload_outcome run_workload(hosted_client& client, std::span<const byte_span> operations,
                                            const workload_settings& settings,
                                            const std::function<bool(std::size_t answered)>& keep_on);

}  // namespace hypermesh::cli
