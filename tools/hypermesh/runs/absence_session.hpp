#pragma once

#include <cstdint>
#include <optional>

#include "tools/hypermesh/load/cluster_under_load.hpp"

namespace hypermesh::cli {

struct absence_settings {
  load_settings load;
  /// The number of operations that are answered while the replica is away.
  std::uint64_t operations = 100'000;
  /// Whether the replica loses its disk before it starts again.
  bool lose_disk = false;
};

struct absence_result {
  absence_settings settings;
  std::uint32_t victim = 0;
  /// The view at the time when the replica was killed.
  view_number view;
  /// Four measurements of the load: while all replicas ran, while one was away, while it caught up, and shortly after
  /// that.
  load_span before;
  load_span absent;
  load_span catching_up;
  load_span after;
  /// The last executed sequence number in the replica's last report before it was killed.
  sequence_number executed_before;
  /// The time in seconds from the replica's start until it listened.
  double listening_seconds = 0;
  /// When the replica first answered after its start: its last executed sequence number, and the highest of the others.
  sequence_number first_seen;
  sequence_number others_then;
  /// The sequence number at which the replica was first seen in step, and the time since its start; nothing if this did
  /// not happen in time.
  sequence_number in_step_at;
  std::optional<double> in_step_seconds;
  load_verdict end;

  /// The last report of the returned replica; null if it was silent.
  [[nodiscard]] const node_report* last_word() const;
  /// The number of states that the replica installed since its start.
  [[nodiscard]] std::uint64_t states_installed() const;
  /// The number of states that it installed until it was in step. If it installed more states later, it went from state
  /// to state without executing.
  std::uint64_t states_until_in_step = 0;
  /// The time from its start until it began to execute two checkpoint periods without installing a state; nothing if
  /// this did not happen in time.
  std::optional<double> executing_seconds;
  /// Whether the replica is still on probation; nothing if it kept its disk.
  [[nodiscard]] std::optional<bool> is_on_probation() const;
  /// The replica prepares and votes for checkpoints above this sequence number; nothing while it may not vote at all.
  [[nodiscard]] std::optional<std::uint64_t> probation_floor() const;
  [[nodiscard]] bool is_right() const { return end.is_right() && in_step_seconds; }
};

/// Runs a local cluster under load, kills one backup with SIGKILL, and starts it again after the given number of
/// answers. The replica is in step when it lags behind the others by at most one checkpoint period in two successive
/// looks. Call this from the main thread, and construct `stop` before any thread. When the function returns, nothing of
/// the cluster is left.
[[nodiscard]] or_run_failure<absence_result> run_absence(const absence_settings& settings, interruption& stop,
                                                         run_narrator& narrator);

}  // namespace hypermesh::cli
