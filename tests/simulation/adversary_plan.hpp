#pragma once

#include <string>

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::testing {

/// One run of a strategy by its number.
struct adversary_options {
  /// As `make_adversary` understands it.
  std::string strategies;
  std::uint64_t seed = 1;
  std::uint32_t replicas = 4;
  /// Operations of all clients together.
  std::uint32_t operations = 150;
  /// What else goes wrong meanwhile. Calm: nothing but the occasion that the strategies need.
  fault_profile under = fault_profile::calm;
};

/// A calm cluster in which f replicas, or a client, play the strategies, all of them the same, with the situation that
/// the strategies need: a suspended primary, or a replica that is cut off. The first of several strategies that needs a
/// situation decides it. The adversaries stay for the rest of the run if the seed is even. The names must be names of
/// strategies. Under a profile the plan is that of the seed, without the faults that would make more replicas faulty,
/// and any f replicas play.
[[nodiscard]] run_plan make_adversary_plan(const adversary_options& options);

/// Detected within 50 ms (R12): from the proof to the conviction, with messages that take 3 ms. If the strategy cannot
/// be proven, each of several players may lead for some time-outs before the case of one is ordered.
inline constexpr microseconds_t trial_us_max = 50'000;

/// A run of a plan, and whether the honest replicas noticed.
struct adversary_report {
  run_report run;
  /// Of the first strategy that can be noticed; true when none can, or when more goes wrong than the strategies.
  bool noticed = true;
  /// Whether each member that was proven faulty was convicted, in that time if the situation leaves a quorum; and
  /// whether a member was convicted at all, if the strategy is provable.
  bool convicted = true;
  /// No correct replica suspected a correct primary, although only clients were faulty, with strategies of attack 32,
  /// and nothing else went wrong; true otherwise. A plain flood may make all clients wait, and so the primary look
  /// slow.
  bool clients_blame_nobody = true;
};

/// Runs the plan of the options. If honest members cause the signs of the strategy now and then as well, runs the same
/// plan with honest players, to compare.
[[nodiscard]] adversary_report run_adversaries(const adversary_options& options, event_log::line_sink trace = {});

/// The command that repeats a run.
[[nodiscard]] std::string replay_command(const adversary_options& options);

}  // namespace hypermesh::testing
