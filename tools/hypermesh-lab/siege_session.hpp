#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/hypermesh/load/cluster_under_load.hpp"

namespace hypermesh::lab {

struct siege_settings {
  /// The number of replicas, of operations in progress and of operations under one signature.
  cli::load_settings load;
  /// The strategies in the syntax of `make_adversary`.
  std::string strategy;
  std::chrono::milliseconds warm_up{1'000};
  /// The time for which the players are honest while the throughput is measured.
  std::chrono::milliseconds baseline{4'000};
  /// The time for which they play. If they are convicted late, it is extended by at most half.
  std::chrono::milliseconds duration{10'000};
  std::uint64_t seed = 1;
};

/// The effect of one strategy on a cluster.
struct siege_result {
  std::string strategy;
  /// Whether a client played, and the numbers of the players.
  bool by_client = false;
  std::vector<std::uint32_t> players;
  /// Whether the strategy leaves evidence, and the time from the beginning of the attack until f + 1 correct replicas
  /// had the conviction of all players in their order.
  bool provable = false;
  std::optional<double> convicted_after_seconds;
  /// Three measurements of the load: with honest players; from the beginning of the attack to the conviction, or for
  /// the first half of the attack; after that.
  cli::load_span before;
  cli::load_span during;
  cli::load_span after;
  /// The processor time that an operation cost all correct replicas together, before and after. It distinguishes an
  /// attack on their processors from other load of the machine.
  double cpu_us_before = 0;
  double cpu_us_after = 0;
  /// The growth of the correct replicas' counters during the attack, summed over the replicas.
  std::map<std::string, std::uint64_t> noticed;
  /// The longest time without any answer during the attack.
  double longest_gap_seconds = 0;
  std::uint64_t views_changed = 0;
  /// The correct replicas that were convicted.
  std::vector<std::uint32_t> convicted_wrongly;
  cli::load_verdict end;

  /// The throughput in `after` as a fraction of the throughput in `before`.
  [[nodiscard]] double kept() const { return before.rate() > 0 ? after.rate() / before.rate() : 0; }
  /// The required fraction of the throughput: 0.8, or 0.5 if a client attacks.
  [[nodiscard]] double mark() const { return by_client ? 0.5 : 0.8; }
  [[nodiscard]] bool is_right() const { return end.is_right() && convicted_wrongly.empty(); }
};

/// Runs a cluster of processes under load. After some time, f replicas or a client play a strategy. Call this from the
/// main thread, and construct `stop` before any thread. When the function returns, nothing of the cluster is left.
/// `narrator` receives the progress in milliseconds.
[[nodiscard]] cli::or_run_failure<siege_result> run_siege(const siege_settings& settings, cli::interruption& stop,
                                                          cli::run_narrator& narrator);

}  // namespace hypermesh::lab
