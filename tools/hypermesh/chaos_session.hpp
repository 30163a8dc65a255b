#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tools/hypermesh/cluster_reports.hpp"
#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/interruption.hpp"
#include "tools/hypermesh/local_cluster.hpp"
#include "tools/hypermesh/replay_session.hpp"

namespace hypermesh::cli {

/// Whom SIGKILL hits.
enum class chaos_victims : std::uint8_t { primary, all };

struct chaos_settings {
  std::uint32_t replicas = limits::replicas_min;
  chaos_victims victims = chaos_victims::primary;
  std::chrono::milliseconds every{5'000};
  std::chrono::milliseconds duration{60'000};
  /// How long a killed replica stays away.
  std::chrono::milliseconds away{1'000};
  /// Operations under way.
  std::size_t in_flight = 64;
};

/// One SIGKILL and what the clients felt of it.
struct chaos_kill {
  double at_seconds = 0;
  view_number view;
  std::vector<std::uint32_t> victims;
  /// The longest time without any answer from the kill to the next one.
  double gap_seconds = 0;
};

/// What became of the increments of one counter.
struct counter_check {
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::int64_t final_value = 0;
  /// Two acknowledged increments gave the same sum, so one of them was undone.
  std::uint64_t repeated_sums = 0;
};

struct chaos_result {
  chaos_settings settings;
  std::vector<chaos_kill> kills;
  double elapsed_seconds = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  /// Acknowledged and not in the final state, or there twice.
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  cluster_reports reports;
  bool roots_are_equal = false;

  [[nodiscard]] std::optional<double> median_gap_seconds() const;
  [[nodiscard]] bool is_right() const { return lost == 0 && doubled == 0 && failed == 0 && roots_are_equal; }
};

/// Runs a local cluster under load and kills replicas with SIGKILL again and again. Every operation adds 1 to one of some
/// counters, so the sums tell whether an acknowledged one was lost or executed twice. Call it from the main thread, with
/// `stop` made before any thread. When it returns, nothing of the cluster is left.
[[nodiscard]] std::variant<chaos_result, replay_failure> run_chaos(const chaos_settings& settings, interruption& stop,
                                                                   replay_narrator& narrator);

}  // namespace hypermesh::cli
