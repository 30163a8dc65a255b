#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "tools/hypermesh/loaded_cluster.hpp"

namespace hypermesh::cli {

/// Whom SIGKILL hits.
enum class chaos_victims : std::uint8_t { primary, all };

struct chaos_settings {
  load_settings load;
  chaos_victims victims = chaos_victims::primary;
  std::chrono::milliseconds every{5'000};
  std::chrono::milliseconds duration{60'000};
  /// How long a killed replica stays away.
  std::chrono::milliseconds away{1'000};
};

/// One SIGKILL and what the clients felt of it.
struct chaos_kill {
  double at_seconds = 0;
  view_number view;
  std::vector<std::uint32_t> victims;
  /// The longest time without any answer from the kill to the next one.
  double gap_seconds = 0;
};

struct chaos_result {
  chaos_settings settings;
  std::vector<chaos_kill> kills;
  load_verdict end;

  [[nodiscard]] std::optional<double> median_gap_seconds() const;
  [[nodiscard]] bool is_right() const { return end.is_right(); }
};

/// Runs a local cluster under load and kills replicas with SIGKILL again and again. Call it from the main thread, with
/// `stop` made before any thread. When it returns, nothing of the cluster is left.
[[nodiscard]] std::variant<chaos_result, replay_failure> run_chaos(const chaos_settings& settings, interruption& stop,
                                                                   replay_narrator& narrator);

}  // namespace hypermesh::cli
