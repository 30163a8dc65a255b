#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/hypermesh/bench/bench_environment.hpp"
#include "tools/hypermesh/bench/bench_plan.hpp"
#include "tools/hypermesh/bench/bench_target.hpp"
#include "tools/hypermesh/bench/cost_prediction.hpp"
#include "tools/hypermesh/bench/crypto_floor.hpp"
#include "tools/hypermesh/bench/knee_search.hpp"
#include "tools/hypermesh/bench/load_result.hpp"
#include "tools/hypermesh/bench/overload_verdict.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::cli {

struct bench_settings {
  load_shape load;
  /// The running cluster to join; empty for a cluster of this command, which the next two values describe.
  std::string cluster;
  std::uint32_t replicas = 4;
  std::string durability = "sync";
  /// "signature" or "authenticator".
  std::string request_authentication = "signature";
  std::uint32_t processes = 1;
  /// Search the knee of an open loop. The first rate is that of the load, or follows from a run without load.
  bool finds_knee = false;
  /// The bound of the 99th percentile at the knee; 0 means ten times the median without load.
  duration p99_max{};
  /// After the search, offer this many times the knee for `overload_time`; 0 offers no more than the search.
  double overload_factor = 0;
  duration overload_time = 60s;
  /// Measure the unit costs of this machine first, and predict the cost of the run from them.
  bool predicts = false;

  /// The client identities that the whole bench needs. The run after an overload has identities of its own.
  [[nodiscard]] std::uint32_t clients() const { return overload_factor > 0 ? 2 * load.clients : load.clients; }
};

/// What was used between two moments.
struct bench_use {
  double seconds = 0;
  /// Processor seconds of each replica, of all load processes together, and of this command.
  std::vector<double> replicas_s;
  double loads_s = 0;
  double own_s = 0;
  /// Processor seconds of all replicas by the role of their threads; empty for a joined cluster.
  std::map<std::string, double> roles_s;
  /// The processors that other processes used meanwhile, on average; nothing if the kernel does not tell it.
  std::optional<double> others_cores;
  std::vector<std::uint64_t> resident_bytes;
  /// What all replicas together counted; nothing if a replica did not answer.
  std::optional<replica_counts> counts;

  [[nodiscard]] double replicas_total_s() const;
};

/// One run of a load.
struct bench_run {
  load_shape shape;
  load_result result;
  bench_use use;

  /// Operations in a second that were answered in the measured time.
  [[nodiscard]] double rate() const;
};

struct bench_result {
  bench_settings settings;
  bench_environment environment;
  target_facts target;
  crypto_costs crypto;
  /// One run, or with `finds_knee` the run without load and then each run of the search. With an overload also the run
  /// before it, the overload, and the run after it.
  std::vector<bench_run> runs;
  /// The search, with `finds_knee`.
  std::optional<knee_search> search;
  std::optional<overload_verdict> overload;
  std::optional<cost_prediction> prediction;
};

/// Others that use more than this many processors make the figures doubtful.
inline constexpr double others_cores_warning = 0.15;

/// Starts or joins the cluster, measures the cryptography of this machine, and runs the load. When the function
/// returns, nothing of a cluster of this command is left. Call it from the main thread, and construct `stop` before any
/// thread.
[[nodiscard]] or_run_failure<bench_result> run_bench(const bench_settings& settings, interruption& stop,
                                                     run_narrator& narrator);

}  // namespace hypermesh::cli
