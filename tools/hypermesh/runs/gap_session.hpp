#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tools/hypermesh/load/cluster_under_load.hpp"

namespace hypermesh::cli {

/// How the primary loses its role.
enum class gap_cause : std::uint8_t {
  /// SIGKILL; the replica returns from its disk.
  kill,
  /// The operator of the primary asks the group for a hand-over, as `hypermesh hand-over` does.
  hand_over,
  /// SIGTERM, as for an update of its machine: the primary hands its view over, ends, and starts again.
  restart,
};

[[nodiscard]] std::string_view name_of(gap_cause cause);

struct gap_settings {
  load_settings load;
  gap_cause cause = gap_cause::hand_over;
  std::uint32_t count = 20;
  /// The time before each event in which the load runs undisturbed, and the least time that is watched after it. A
  /// replica that is killed or restarted is away for this time.
  std::chrono::milliseconds window{500};
};

/// One change of the primary, and the longest times without any answer.
struct service_gap {
  double at_seconds = 0;
  view_number view;
  replica_id primary;
  /// From the event on, until the cluster answered again and at least `window` had passed.
  double gap_seconds = 0;
  /// In the window before the event, for comparison: a machine that others use has gaps without any event.
  double quiet_seconds = 0;
  /// While the replica returned; nothing if it was not away.
  std::optional<double> return_seconds;
};

struct gap_result {
  gap_settings settings;
  std::vector<service_gap> gaps;
  load_verdict end;

  /// The smallest gap that the fraction `share` (0 … 1) of all gaps does not exceed; nothing without gaps.
  [[nodiscard]] std::optional<double> percentile(double share, double service_gap::*which) const;
  [[nodiscard]] bool is_right() const { return end.is_right() && gaps.size() == settings.count; }
};

/// Runs a local cluster under load, takes the role of the primary away a number of times, and measures the gaps that
/// the client sees. Each event waits until all replicas are in step again, so no gap is due to two replicas that are
/// away. Call this from the main thread, and construct `stop` before any thread. When the function returns, nothing of
/// the cluster is left.
[[nodiscard]] or_run_failure<gap_result> run_gaps(const gap_settings& settings, interruption& stop,
                                                  run_narrator& narrator);

}  // namespace hypermesh::cli
