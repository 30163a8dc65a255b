#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/byzantine/notice_tally.hpp"
#include "tests/simulation/event_log.hpp"
#include "tests/simulation/fault_driver.hpp"
#include "tests/simulation/invariant_checker.hpp"
#include "tests/simulation/run_plan.hpp"

namespace hypermesh::testing {

struct run_report {
  /// The options of the run. For a plan without a seed, they contain only its sizes.
  run_options options;
  /// The profile that the seed chose.
  fault_profile profile = fault_profile::calm;
  std::optional<violation> failure;
  /// The last events before a failure, one line for each.
  std::vector<std::string> last_events;
  /// The hash of all events. Equal plans give equal hashes on every machine.
  digest event_hash;
  /// The hash of the content of all disks at the end. Equal plans give equal hashes.
  digest disk_hash;
  std::uint64_t steps = 0;
  /// Three virtual times: of the whole run, from healing until a batch was committed, and from healing until all
  /// agreed.
  duration virtual_time{};
  duration progress{};
  duration settling{};
  std::uint64_t batches = 0;
  std::uint64_t requests = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t state_transfers = 0;
  std::uint64_t checkpoints = 0;
  /// Operations that the run gave to clients so that lagging replicas could catch up while the cluster was idle.
  std::uint64_t nudges = 0;
  /// The number of reads that were answered without being ordered.
  std::uint64_t queries = 0;
  /// The queries among them that are linearizable reads.
  std::uint64_t reads = 0;
  /// The linearizable reads that were ordered.
  std::uint64_t reads_ordered = 0;
  /// The number of restarts of nodes, of starts on probation, and of disks that lost data that they had reported as
  /// durable.
  std::uint64_t restarts = 0;
  std::uint64_t learner_starts = 0;
  std::uint64_t disks_that_lied = 0;
  /// The number of replicas that became full members again after the loss of their disk.
  std::uint64_t readmissions = 0;
  /// The number of places that the check for linearizability visited, and of keys for which it gave up.
  std::uint64_t search_states = 0;
  std::uint64_t keys_undecided = 0;
  network_counters network;
  /// The signs of faulty members that correct replicas noticed.
  notice_tally noticed;

  [[nodiscard]] bool passed() const { return !failure; }
};

/// An observation of a replica, and the faults that were active at that time.
struct run_moment {
  moment now;
  replica_id replica;
  const observation& what;
  const std::vector<planned_fault>& active_faults;
};

/// A test's own invariant, checked at every moment of a run. It returns a violation, or nothing.
using run_probe = std::function<std::optional<violation>(const run_moment&)>;

/// Runs a cluster in two phases. In the chaos phase faults begin and end, and no invariant may break. In the healing
/// phase, from `heals_at` on, there are no faults, and the cluster must make progress: a batch is committed within
/// `progress_max`, and within `settling_max` every operation is answered and all correct replicas have the same
/// state. A replica may have left its view alone, because the other replicas that wanted to leave forgot this or were
/// faulty. It catches up at a checkpoint, so the run gives a client an operation from time to time when the cluster is
/// idle. Every invariant is checked after every step, and the linearizability of the clients' history at the end. The
/// plan must be valid.
[[nodiscard]] run_report run_simulation(const run_plan& plan, event_log::line_sink trace = {}, run_probe probe = {});
/// Runs the plan of a seed.
[[nodiscard]] run_report run_simulation(const run_options& options, event_log::line_sink trace = {});

/// The longest time after healing in which nothing is committed although clients wait. Replicas leave a view that does
/// not work after at most the time-outs that a few seconds of chaos can have doubled.
inline constexpr duration progress_max = 20s;

/// The longest time after healing until a cluster agrees without new operations, and the interval of new operations
/// after that.
inline constexpr duration calm_max = 5s;
inline constexpr duration nudge_period = 1s;

/// The longest time of a run after healing and the last operation: STATUS and CHECKPOINT periods of half a second,
/// retransmissions of at most two seconds, and several rounds of each for a group that lost much.
inline constexpr duration settling_max = 30s;

/// The command that repeats a run.
[[nodiscard]] std::string replay_command(const run_options& options);

}  // namespace hypermesh::testing
