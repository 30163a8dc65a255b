#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "runtime/consensus_client.hpp"
#include "tools/hypermesh/latency_recorder.hpp"

namespace hypermesh::cli {

struct workload_settings {
  /// Operations under way.
  std::size_t in_flight = 128;
  /// Nothing new is submitted after this time; what is under way is waited for. Zero: no bound.
  std::chrono::duration<double> duration{0};
};

struct workload_outcome {
  using clock = std::chrono::steady_clock;

  /// Of the operations that were submitted, in their order.
  std::vector<submit_outcome> outcomes;
  latency_recorder latency;
  clock::time_point started;
  clock::time_point first_answer;
  clock::time_point last_answer;
  /// Whether `keep_on` ended it; then there are no outcomes.
  bool cut_short = false;
};

/// Submits the operations in their order through one client and keeps `in_flight` of them under way. The client's
/// session executes them in that order, whoever leads. The first goes alone: what it took is the time of the first
/// commit, and a cluster that does not answer it is not asked for the rest.
///
/// `keep_on` is told about each tenth of a second how many were answered, and ends the run with false.
[[nodiscard]] workload_outcome run_workload(consensus_client& client, std::span<const byte_span> operations,
                                            const workload_settings& settings,
                                            const std::function<bool(std::size_t answered)>& keep_on);

}  // namespace hypermesh::cli
