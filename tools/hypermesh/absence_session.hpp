#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "tools/hypermesh/loaded_cluster.hpp"

namespace hypermesh::cli {

struct absence_settings {
  load_settings load;
  /// How many operations the others answer while the replica is away.
  std::uint64_t operations = 100'000;
  /// Whether what it had on disk is gone when it starts again.
  bool lose_disk = false;
};

struct absence_result {
  absence_settings settings;
  std::uint32_t victim = 0;
  /// When it was killed.
  view_number view;
  /// The load while all replicas ran, while one was away, while it caught up, and for a moment after that.
  load_span before;
  load_span absent;
  load_span catching_up;
  load_span after;
  /// By its last word before it was killed.
  sequence_number executed_before;
  /// From its start until it listened.
  double listening_seconds = 0;
  /// Where it and the highest of the others stood when it first answered after its start.
  sequence_number first_seen;
  sequence_number others_then;
  /// Where it was first seen in step, and how long after its start; nothing when that did not come in time.
  sequence_number in_step_at;
  std::optional<double> in_step_seconds;
  load_verdict end;

  /// The returned replica's own word at the end; nothing when it was silent.
  [[nodiscard]] const node_report* last_word() const;
  /// States that it took from others since its start.
  [[nodiscard]] std::uint64_t states_installed() const;
  /// How many of them came until it was in step. Those that came later say that it went on from state to state.
  std::uint64_t states_until_in_step = 0;
  /// How long after its start it began to execute two checkpoint periods without another's state; nothing when that did
  /// not come in time.
  std::optional<double> executing_seconds;
  /// Whether it may not commit yet; nothing when it kept its disk.
  [[nodiscard]] std::optional<bool> is_on_probation() const;
  /// It prepares and votes for checkpoints above this sequence; nothing while it may not say anything.
  [[nodiscard]] std::optional<std::uint64_t> probation_floor() const;
  [[nodiscard]] bool is_right() const { return end.is_right() && in_step_seconds; }
};

/// Runs a local cluster under load, kills one backup with SIGKILL, and starts it again when the others have answered so
/// many operations. It is in step once it has executed as much as the others within one checkpoint period, and still
/// has at the next look. Call it from the main thread, with `stop` made before any thread. When it returns, nothing of
/// the cluster is left.
[[nodiscard]] std::variant<absence_result, replay_failure> run_absence(const absence_settings& settings,
                                                                       interruption& stop, replay_narrator& narrator);

}  // namespace hypermesh::cli
