#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tools/hypermesh/cluster_reports.hpp"
#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/interruption.hpp"
#include "tools/hypermesh/local_cluster.hpp"
#include "tools/hypermesh/placement_tally.hpp"
#include "tools/hypermesh/workload.hpp"
#include "tools/hypermesh/workload_runner.hpp"

namespace hypermesh::cli {

struct replay_settings {
  workload_source source;
  std::uint32_t replicas = limits::replicas_min;
  /// Operations under one signature; 0: as many as suit the run.
  std::size_t bundle = 0;
  /// Operations under way; 0: as many as suit the run.
  std::size_t in_flight = 0;
  double duration_seconds = 0;
  /// SIGKILL for the primary of an own cluster, again and again; 0: never.
  double kill_primary_every_seconds = 0;
  /// The cluster to replay into, instead of an own one.
  client_options existing;

  [[nodiscard]] bool has_own_cluster() const { return existing.cluster.empty() && existing.config.empty(); }
  [[nodiscard]] std::size_t operations_in_bundle() const;
  /// Of one request, if the user does not say more.
  [[nodiscard]] std::size_t operations_in_flight() const;
};

/// Tells people what a replay does. Nothing it does changes the replay.
class replay_narrator {
 public:
  virtual ~replay_narrator() = default;
  /// A step is done: what, and how long it took.
  virtual void step(const std::string& what, double seconds) = 0;
  virtual void progress(std::size_t answered, std::size_t total) = 0;
};

/// Where one replica stands at the end.
struct replica_standing {
  std::optional<node_report> report;
  process_usage usage;
};

struct replay_result {
  workload work;
  genesis cluster;
  replay_settings settings;
  /// How many operations got a result, and what kept the others from it.
  std::size_t submitted = 0;
  std::size_t failed = 0;
  std::optional<client_error> first_failure;
  /// Results that differ from those of a single scheduler; only counted for an own cluster, whose state was empty.
  std::size_t wrong_results = 0;
  std::optional<digest> reference_root;
  std::optional<placement_tally> tally;
  double elapsed_seconds = 0;
  double operations_per_second = 0;
  /// Since the first process was started; for an existing cluster since the client was.
  double first_commit_seconds = 0;
  latency_recorder latency;
  std::vector<replica_standing> replicas;
  /// How often a primary was killed meanwhile.
  std::size_t kills = 0;
  /// Whether all processes ended as they were asked to; true for an existing cluster.
  bool ended_cleanly = true;

  /// All reachable replicas, a quorum at least and of an own cluster all, have executed equally much and hold the same
  /// state.
  [[nodiscard]] bool replicas_agree() const;
  [[nodiscard]] std::optional<digest> common_root() const;
  /// Whether the machine of a cluster that was there before refused something: it was not empty. What an own cluster
  /// refuses is compared with a single scheduler instead.
  [[nodiscard]] bool was_refused() const;
  /// Whether the replay shows what it is to show.
  [[nodiscard]] bool is_right() const;
  /// Of the network, over all replicas.
  [[nodiscard]] std::uint64_t sum_of(std::string_view counter) const;
};

/// Why there is no result.
struct replay_failure {
  exit_code code = exit_code::failed;
  world_error error;
};

/// Replays a cluster's history through one client and compares the replicas. Call it from the main thread, with `stop`
/// made before any thread. When it returns, nothing of an own cluster is left.
[[nodiscard]] std::variant<replay_result, replay_failure> run_replay(const replay_settings& settings,
                                                                     interruption& stop, replay_narrator& narrator);

}  // namespace hypermesh::cli
