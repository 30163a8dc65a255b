#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/hypermesh/client/cluster_reports.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/load/placement_tally.hpp"
#include "tools/hypermesh/load/workload.hpp"
#include "tools/hypermesh/load/workload_runner.hpp"
#include "tools/hypermesh/local_cluster/local_cluster.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::cli {

struct replay_settings {
  workload_source source;
  std::uint32_t replicas = limits::replicas_min;
  /// The number of operations under one signature. 0 means the default of the run.
  std::size_t bundle = 0;
  /// The number of operations in progress at the same time. 0 means the default of the run.
  std::size_t in_flight = 0;
  double duration_seconds = 0;
  /// The time between two SIGKILLs of the primary. It applies only to a cluster that the run starts; 0 means never.
  double kill_primary_every_seconds = 0;
  /// The file of a Chrome trace of the last batches, and the folder for the logs of the replicas. Both apply only to a
  /// cluster that the run starts; empty means none.
  std::string trace_file = {};
  std::string logs_folder = {};
  /// The program of the replicas of the run's own cluster, with the options of their logs.
  replica_program program = {};
  /// An existing cluster for the replay. If it is not given, the run starts its own cluster.
  client_options existing;

  [[nodiscard]] bool has_own_cluster() const { return existing.cluster.empty() && existing.config.empty(); }
  [[nodiscard]] std::size_t operations_in_bundle() const;
  /// The default is one bundle.
  [[nodiscard]] std::size_t operations_in_flight() const;
};

/// The position of one replica at the end.
struct replica_standing {
  std::optional<node_report> report;
  process_usage usage;
};

struct replay_result {
  workload work;
  genesis cluster;
  replay_settings settings;
  /// The number of submitted operations, the number of failed operations, and the first error.
  std::size_t submitted = 0;
  std::size_t failed = 0;
  std::optional<client_error> first_failure;
  /// The number of results that differ from the results of a single scheduler. They are counted only for an own
  /// cluster, because its state was empty at the start.
  std::size_t wrong_results = 0;
  /// The totals that a single scheduler reaches with the same operations; only for an own cluster. The roots cannot be
  /// compared, because the events in the state have the ordered time of the cluster.
  std::optional<scheduler::summary_view> reference_totals;
  /// The totals of the cluster without their time; nothing if the cluster did not answer.
  std::optional<scheduler::summary_view> totals;
  std::optional<placement_tally> tally;
  double elapsed_seconds = 0;
  double operations_per_second = 0;
  /// The time since the first process was started; for an existing cluster, since the client was started.
  double first_commit_seconds = 0;
  latency_recorder latency;
  std::vector<replica_standing> replicas;
  /// The number of times that a primary was killed.
  std::size_t kills = 0;
  /// Whether all processes ended in order; true for an existing cluster.
  bool ended_cleanly = true;

  /// Whether all reachable replicas have executed the same number of batches and have the same state. At least a quorum
  /// must be reachable, and all replicas of an own cluster.
  [[nodiscard]] bool replicas_agree() const;
  [[nodiscard]] std::optional<digest> common_root() const;
  /// Whether the cluster reached the totals of a single scheduler; true for an existing cluster.
  [[nodiscard]] bool equals_reference() const { return !reference_totals || totals == reference_totals; }
  /// Whether the cluster did not answer the read of its totals, so they could not be compared.
  [[nodiscard]] bool lacks_totals() const { return reference_totals && !totals; }
  /// Whether the machine of an existing cluster refused an operation, which means that it was not empty. Refusals of an
  /// own cluster are compared with a single scheduler instead.
  [[nodiscard]] bool was_refused() const;
  /// Whether the replay succeeded.
  [[nodiscard]] bool is_right() const;
  /// The sum of a counter over all replicas.
  [[nodiscard]] std::uint64_t sum_of(std::string_view counter) const;
};

/// Replays the history of a GPU cluster through one client and compares the replicas. Call this from the main thread,
/// and construct `stop` before any thread. When the function returns, nothing of an own cluster is left.
[[nodiscard]] or_run_failure<replay_result> run_replay(const replay_settings& settings, interruption& stop,
                                                       run_narrator& narrator);

}  // namespace hypermesh::cli
