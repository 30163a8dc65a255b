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
  /// Operations under one signature. 0 means the default of the run.
  std::size_t bundle = 0;
  /// Operations under way at the same time. 0 means the default of the run.
  std::size_t in_flight = 0;
  double duration_seconds = 0;
  /// Time between SIGKILLs of the primary of an own cluster; 0 means never.
  double kill_primary_every_seconds = 0;
  /// The existing cluster to replay into, instead of an own one.
  client_options existing;

  [[nodiscard]] bool has_own_cluster() const { return existing.cluster.empty() && existing.config.empty(); }
  [[nodiscard]] std::size_t operations_in_bundle() const;
  /// One bundle, unless the user gives a number.
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
  /// The number of submitted operations, those of them that failed, and the first error.
  std::size_t submitted = 0;
  std::size_t failed = 0;
  std::optional<client_error> first_failure;
  /// Results that differ from those of a single scheduler. Only counted for an own cluster, whose state was empty.
  std::size_t wrong_results = 0;
  std::optional<digest> reference_root;
  std::optional<placement_tally> tally;
  double elapsed_seconds = 0;
  double operations_per_second = 0;
  /// Time since the first process was started; for an existing cluster, since the client was started.
  double first_commit_seconds = 0;
  latency_recorder latency;
  std::vector<replica_standing> replicas;
  /// The number of kills of primaries.
  std::size_t kills = 0;
  /// Whether all processes ended in order; true for an existing cluster.
  bool ended_cleanly = true;

  /// Whether all reachable replicas have executed equally much and hold the same state. They must be a quorum at least,
  /// and all replicas of an own cluster.
  [[nodiscard]] bool replicas_agree() const;
  [[nodiscard]] std::optional<digest> common_root() const;
  /// Whether the machine of an existing cluster refused an operation, which means that it was not empty. Refusals of an
  /// own cluster are compared with a single scheduler instead.
  [[nodiscard]] bool was_refused() const;
  /// Whether the replay succeeded.
  [[nodiscard]] bool is_right() const;
  /// The sum of a counter over all replicas.
  [[nodiscard]] std::uint64_t sum_of(std::string_view counter) const;
};

/// Replays the history of a GPU cluster through one client and compares the replicas. Call it from the main thread, and
/// construct `stop` before any thread. Nothing of an own cluster is left when it returns.
[[nodiscard]] or_run_failure<replay_result> run_replay(const replay_settings& settings, interruption& stop,
                                                       run_narrator& narrator);

}  // namespace hypermesh::cli
