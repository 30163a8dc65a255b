#pragma once

#include <string>

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::testing {

/// Options that identify one run of a strategy.
struct adversary_options {
  /// The names of strategies in the syntax of `make_adversary`.
  std::string strategies;
  std::uint64_t seed = 1;
  std::uint32_t replicas = 4;
  /// The number of operations of all clients together.
  std::uint32_t operations = 150;
  /// The other faults of the run. With the profile calm, there is only the situation that the strategies need.
  fault_profile under = fault_profile::calm;
};

/// A calm cluster in which f replicas, or a client, run the same strategies in the situation that the strategies need:
/// a suspended primary, or a replica that is cut off. The first of several strategies that needs a situation decides
/// it. If the seed is even, the adversaries stay for the rest of the run. The names must be names of strategies. Under
/// another profile, the plan is the plan of the seed, without the faults that would make more replicas faulty, and any
/// f replicas run the strategies.
[[nodiscard]] run_plan make_adversary_plan(const adversary_options& options);

/// The detection bound is 50 ms (R12), from the proof to the conviction, with messages that take 3 ms. If the strategy
/// cannot be proven, each of several players may lead for some time-outs before the case of one is ordered.
inline constexpr duration trial_max = 50ms;

/// The result of a run, and whether the correct replicas noticed the strategies.
struct adversary_report {
  run_report run;
  /// Whether the first strategy that can be noticed was noticed. True when no strategy can be noticed, or when the run
  /// has other faults.
  bool noticed = true;
  /// Whether each member that was proven faulty was convicted, within the bound if the situation leaves a quorum. If
  /// the strategy is provable, at least one member must have been convicted.
  bool convicted = true;
  /// Whether no correct replica suspected a correct primary, although only clients with strategies of attack 32 were
  /// faulty. True if anything else went wrong. Attack 33 is excluded: a plain flood may make all clients wait, so the
  /// primary may look slow.
  bool clients_blame_nobody = true;
};

/// Runs the plan of the options. If correct members sometimes cause the signs of the strategy too, the function also
/// runs the same plan with honest players, to compare the counts.
[[nodiscard]] adversary_report run_adversaries(const adversary_options& options, event_log::line_sink trace = {});

/// The command line that repeats a run.
[[nodiscard]] std::string replay_command(const adversary_options& options);

}  // namespace hypermesh::testing
