#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "runtime/health/health_report.hpp"

namespace hypermesh::health {

/// The rule of this folder: what a node knows about its group, turned into a report. Pure, without a clock: ages are
/// inputs.

/// The bounds beyond which a replica does not count as taking part.
struct health_bounds {
  /// A replica that takes part sends a STATUS in a quarter of this time. So three of them may be lost in a row.
  std::chrono::milliseconds silence_max{2'400};
  /// How long the monitor and the reputation tracker may be without an answer. They are asked four times in it.
  std::chrono::milliseconds answer_max{2'400};
  /// How long this node may be without a view, a certified state, or executing what it committed, and still be
  /// ready.
  std::chrono::milliseconds stall_max{2'400};
  /// After this time without a step of the replica actor, or without an answer, the node is not live. It is long,
  /// because a restart of a node that is only overloaded would make the overload worse.
  std::chrono::milliseconds stuck_max{15'000};
  /// How long a replica may claim another view than that of this node. All replicas enter a view within moments, but
  /// the claim is renewed only with the next STATUS.
  std::chrono::milliseconds view_lag_max{1'200};
  /// The lag of a replica that may still take part: within a checkpoint period others can send it what it lacks.
  std::uint64_t behind_max = 128;
  /// Batches in a row without a vote of a replica. A slow replica is late for many certificates, but its late votes
  /// count too.
  std::uint64_t votes_missed_max = 64;
};

/// The bounds of a node that takes a step in each `status_period`.
[[nodiscard]] health_bounds bounds_of(const protocol::cluster_parameters& cluster, duration status_period);

/// The state of the node itself. All of it is known and not claimed.
struct own_health {
  /// The time since the monitor and the reputation tracker last answered.
  std::chrono::milliseconds since_answer{0};
  /// The error after which the node takes no part, as one line.
  std::optional<std::string> failure;
  /// The host announced the stop of the node.
  bool draining = false;
  bool stopped = false;
  /// What the watchdog says about a state machine that does not return from a call.
  std::optional<std::string> machine_complaint;
  /// The time since the last step of the replica actor.
  std::chrono::milliseconds since_step{0};
  view_number view;
  /// How long the node waits for the NEW-VIEW of `view`; nothing if it has entered the view.
  std::optional<std::chrono::milliseconds> waiting_for_view;
  bool diverged = false;
  /// How long the node knows of a certified state that it does not have; nothing if it has all of them. Under load this
  /// happens for a moment with each checkpoint.
  std::optional<std::chrono::milliseconds> lacks_state;
  bool on_probation = false;
  /// The sequence at which the node may vote again; 0 if it is not known yet.
  sequence_number probation_until;
  /// How long the node has committed batches that it does not execute; nothing if it has executed all of them.
  std::optional<std::chrono::milliseconds> not_executing;
  /// Whether the disk of the node survives a restart. Without it the replica forgets its votes.
  bool keeps_disk = true;
};

/// What the node knows about another replica. The fields under "claims" come from the STATUS of that replica, which may
/// be a lie; the others were seen by this node, or agreed by the group.
struct peer_health {
  /// False while the authenticated link is known to be down.
  bool linked = true;
  /// The age of the last STATUS; nothing if none arrived on the present link.
  std::optional<std::chrono::milliseconds> heard_ago;
  /// How long this node has waited for the first STATUS on the present link; nothing if one arrived, or if the time is
  /// not known.
  std::optional<std::chrono::milliseconds> awaited_for;
  /// The number of batches that were committed here without a vote of the replica, while nothing else spoke against
  /// it. At most twice `votes_missed_max`.
  std::uint64_t votes_missed = 0;
  bool quarantined = false;
  sequence_number quarantined_until;

  // Claims.
  view_number view;
  bool view_entered = true;
  /// How long this claim and the view of this node have been different; nothing if they are equal, or if the time is
  /// not known.
  std::optional<std::chrono::milliseconds> view_differs_for;
  /// How far the replica was behind or ahead of this node when its STATUS arrived.
  std::uint64_t behind = 0;
  std::uint64_t ahead = 0;
  bool on_probation = false;
  /// The sequence that the group orders for the readmission of the replica; 0 if it is not agreed yet.
  sequence_number probation_until;
};

struct health_input {
  protocol::group_size group{0};
  replica_id self;
  health_bounds bounds;
  own_health own;
  /// By replica number; the entry of this node is not used.
  std::vector<peer_health> peers;
};

/// What an observer found out about each replica of a group.
struct health_findings {
  protocol::group_size group{0};
  std::optional<replica_id> self;
  bool live = true;
  bool ready = true;
  std::optional<replica_id> primary;
  /// The replicas that do not take part, at most one reason for each.
  std::vector<health_reason> faults;
  /// The replicas of which it is not clear whether they take part. `disputed_faults` of them must be faulty.
  std::vector<health_reason> disputed;
  std::uint32_t disputed_faults = 0;
  /// Replicas that take part, but whose own restart is not safe.
  std::set<replica_id> not_restartable;
};

/// What speaks against another replica apart from its missing votes; `voting` if nothing does. `view` is the view of
/// this node.
[[nodiscard]] health_reason condition_without_votes(replica_id replica, const peer_health& peer, view_number view,
                                                    const health_bounds& bounds);

/// The condition of another replica. `voting` if nothing speaks against it.
[[nodiscard]] health_reason condition_of(replica_id replica, const health_input& known);

/// The condition of the node itself.
[[nodiscard]] health_reason own_condition_of(const health_input& known);

/// The report of a node.
[[nodiscard]] health_report assess(const health_input& known);

/// The last step of every assessment: faults that the group still tolerates, and replicas that are safe to restart.
///
/// A replica r is safe to restart if all of these hold, and they err on the side of "no":
/// 1. The observer takes part itself, so its knowledge is new.
/// 2. r takes part, is not in doubt, and its disk survives the restart, so r comes back with its votes.
/// 3. r is not the primary: the group would wait for a view change. A hand-over comes first. For the same reason the
///    primary takes part and is not in doubt.
/// 4. The group tolerates one more fault, which r uses up during its restart.
/// 5. Without r, a quorum of replicas takes part that are not in doubt.
[[nodiscard]] health_report conclude(const health_findings& found);

}  // namespace hypermesh::health
