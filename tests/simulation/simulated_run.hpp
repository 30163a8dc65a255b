#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/event_log.hpp"
#include "tests/simulation/fault_plan.hpp"
#include "tests/simulation/invariant_checker.hpp"

namespace hypermesh::testing {

/// One run of the simulator; everything else follows from the seed.
struct run_options {
  std::uint64_t seed = 1;
  std::uint32_t replicas = 4;
  /// Operations of all clients together.
  std::uint32_t operations = 200;
  fault_profile profile = fault_profile::mixed;
};

struct run_report {
  run_options options;
  /// What the seed chose.
  fault_profile profile = fault_profile::calm;
  std::optional<violation> failure;
  /// The last events before a failure, a line each.
  std::vector<std::string> last_events;
  /// Equal for equal options, on every machine.
  digest event_hash;
  std::uint64_t steps = 0;
  /// Virtual time of the whole run, and from healing until everybody agreed.
  microseconds_t virtual_us = 0;
  microseconds_t settling_us = 0;
  std::uint64_t batches = 0;
  std::uint64_t requests = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t state_transfers = 0;
  std::uint64_t checkpoints = 0;
  network_counters network;

  [[nodiscard]] bool passed() const { return !failure; }
};

/// Runs a cluster through its fault plan, heals the network, and expects that every operation is answered
/// and all replicas reach the same state within `settling_us_max`; every invariant is checked after every step.
[[nodiscard]] run_report run_simulation(const run_options& options, event_log::line_sink trace = {});

/// How long after healing a run may take: STATUS and CHECKPOINT periods of half a second, retransmissions of at
/// most two, and several rounds of each for a group that lost much.
inline constexpr microseconds_t settling_us_max = 30'000'000;

/// The command that repeats a run.
[[nodiscard]] std::string replay_command(const run_options& options);

}  // namespace hypermesh::testing
