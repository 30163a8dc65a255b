#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tools/hypermesh/loaded_cluster.hpp"

namespace hypermesh::lab {

struct siege_settings {
  /// Replicas, operations under way and operations under one signature.
  cli::load_settings load;
  /// As `make_adversary` understands it.
  std::string strategy;
  std::chrono::milliseconds warm_up{1'000};
  /// How long the adversaries are honest, and measured.
  std::chrono::milliseconds baseline{4'000};
  /// How long they play; longer by a half at most when they are convicted late.
  std::chrono::milliseconds duration{10'000};
  std::uint64_t seed = 1;
};

/// What one strategy did to a cluster.
struct siege_result {
  std::string strategy;
  /// The client, or the replicas, that played.
  bool by_client = false;
  std::vector<std::uint32_t> players;
  /// Whether it leaves a proof, and the time from its beginning until f+1 honest replicas had the conviction of all
  /// players in their order.
  bool provable = false;
  std::optional<double> convicted_after_seconds;
  /// With honest players; from the beginning to the conviction, or for the first half; from then on.
  cli::load_span before;
  cli::load_span during;
  cli::load_span after;
  /// What an operation cost the honest replicas together, before and after: tells an attack on their processors from
  /// a machine that had something else to do.
  double cpu_us_before = 0;
  double cpu_us_after = 0;
  /// By how much the honest replicas' counters grew together while they played.
  std::map<std::string, std::uint64_t> noticed;
  /// The longest time without any answer while they played.
  double longest_gap_seconds = 0;
  std::uint64_t views_changed = 0;
  /// Honest replicas that the order convicted.
  std::vector<std::uint32_t> convicted_wrongly;
  cli::load_verdict end;

  /// Throughput after over before.
  [[nodiscard]] double kept() const { return before.rate() > 0 ? after.rate() / before.rate() : 0; }
  /// What is to be kept of the throughput: 0.8, and 0.5 where the attack is a client's.
  [[nodiscard]] double mark() const { return by_client ? 0.5 : 0.8; }
  [[nodiscard]] bool is_right() const { return end.is_right() && convicted_wrongly.empty(); }
};

/// Runs a cluster of processes under load, of which f replicas or a client play a strategy from some moment on. Call it
/// from the main thread, with `stop` made before any thread. When it returns, nothing of the cluster is left.
/// `narrator` is told of the progress in milliseconds.
[[nodiscard]] std::variant<siege_result, cli::replay_failure> run_siege(const siege_settings& settings,
                                                                        cli::interruption& stop,
                                                                        cli::replay_narrator& narrator);

}  // namespace hypermesh::lab
