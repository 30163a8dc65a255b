#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "tools/hypermesh/load/cluster_under_load.hpp"

namespace hypermesh::cli {

/// The replicas that are killed with SIGKILL.
enum class chaos_victims : std::uint8_t { primary, all };

struct chaos_settings {
  load_settings load;
  chaos_victims victims = chaos_victims::primary;
  std::chrono::milliseconds every{5'000};
  std::chrono::milliseconds duration{60'000};
  /// The time for which a killed replica is away.
  std::chrono::milliseconds away{1'000};
};

/// One SIGKILL and its effect on the client.
struct chaos_kill {
  double at_seconds = 0;
  view_number view;
  std::vector<std::uint32_t> victims;
  /// The longest time without any answer between this kill and the next one.
  double gap_seconds = 0;
};

struct chaos_result {
  chaos_settings settings;
  std::vector<chaos_kill> kills;
  load_verdict end;

  [[nodiscard]] std::optional<double> median_gap_seconds() const;
  [[nodiscard]] bool is_right() const { return end.is_right(); }
};

/// Runs a local cluster under load and repeatedly kills replicas with SIGKILL. Call this from the main thread, and
/// construct `stop` before any thread. When the function returns, nothing of the cluster is left.
[[nodiscard]] or_run_failure<chaos_result> run_chaos(const chaos_settings& settings, interruption& stop,
                                                     run_narrator& narrator);

}  // namespace hypermesh::cli
