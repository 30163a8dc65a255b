#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/protocol/base/quorum.hpp"

namespace hypermesh::health {

/// Why a replica does not take part, as an observer sees it. Nodes report the number of a condition to clients as a
/// counter, so a new condition is added at the end.
enum class replica_condition : std::uint8_t {
  /// No reason is known: the replica takes part.
  voting,
  /// No STATUS arrived for `number` milliseconds; none at all if `number` is 0.
  silent,
  unlinked,
  /// The replica is `number` sequence numbers behind.
  behind,
  /// The replica is in view `number`, in which too few replicas are.
  other_view,
  /// The replica waits for the NEW-VIEW of view `number`.
  changing_view,
  /// `number` batches in a row were committed without a vote of the replica.
  not_voting,
  fetching_state,
  /// The replica has committed batches and has executed none of them for `number` milliseconds.
  not_executing,
  /// The replica lost its disk, and does not commit until sequence `number`; 0 if the sequence is not known yet.
  on_probation,
  /// The group agreed that the replica is faulty, until sequence `number`; 0 if the sequence is not known yet.
  quarantined,
  /// The replica found that its own state is wrong.
  diverged,
  /// Another replica contradicts what this replica says about itself, or this replica contradicts another one.
  disputed,
  /// The condition is not known yet: the replica has just started or connected, and its first report is still to come.
  unreported,
  /// The replica actor of the node has made no step for `number` milliseconds.
  stuck,
  /// The host announced the stop of the replica.
  draining,
  /// The node met an error after which it takes no part.
  failed,
  /// The host stopped the replica.
  stopped,
  /// The state machine of the replica does not return from a call.
  blocked,
  /// The replica hears from `number` other replicas, which are too few for a quorum. So it serves nobody, and does not
  /// know whether it lags.
  isolated,
};
inline constexpr auto replica_condition_last = replica_condition::isolated;

/// The name in snake_case, for example "on_probation". JSON and metrics use the same name.
[[nodiscard]] std::string_view to_string(replica_condition condition);

struct health_reason {
  replica_id replica;
  replica_condition condition = replica_condition::voting;
  /// Its meaning depends on the condition.
  std::uint64_t number = 0;
  /// More about the condition of the node itself, for example its error. One line of at most `detail_bytes_max`
  /// bytes; empty for other replicas.
  std::string detail = {};

  friend bool operator==(const health_reason&, const health_reason&) = default;
};

/// The bound of `health_reason::detail`, so that an error does not hide the rest of a sentence.
inline constexpr std::size_t detail_bytes_max = 200;

/// "replica 3 on probation until sequence 512"
[[nodiscard]] std::string text_of(const health_reason& reason);

/// The health of a node and of its group, as this node sees it; or of a group, as a client sees it. Memory: 64 bytes
/// for each replica.
struct health_report {
  protocol::group_size group{0};
  /// The reporting replica; nothing if a client made the report.
  std::optional<replica_id> self;
  /// The node works. If it does not, only a restart helps.
  bool live = true;
  /// The node executes, answers and votes, and hears from a quorum.
  bool ready = true;
  /// The host announced the stop of the node.
  bool draining = false;
  /// The primary of the view of the observer; nothing if a client found no view in which f + 1 replicas are.
  std::optional<replica_id> primary;
  /// One reason for each replica that does not take part or that is in doubt, in ascending order of replicas.
  std::vector<health_reason> reasons;
  /// The number of replicas that take part.
  std::uint32_t voting = 0;
  /// Whether a quorum takes part.
  bool service_possible = false;
  /// How many of the replicas that take part may fail, at most f, before the guarantees of PBFT end.
  std::uint32_t faults_tolerated = 0;
  /// The replicas of which any one may be restarted now, in ascending order. The report holds until one of them is
  /// restarted, so an operator asks again after each restart.
  std::vector<replica_id> safe_to_restart;

  [[nodiscard]] bool degraded() const { return !reasons.empty(); }
  [[nodiscard]] bool is_safe_to_restart(replica_id replica) const;
};

/// One sentence: "tolerates 1 more fault; replica 3 on probation until sequence 512; safe to restart: 1, 2 (one at a
/// time)". It names at most four reasons and eight ranges of replicas, so it has at most 800 characters for any group.
[[nodiscard]] std::string sentence_of(const health_report& report);

/// The report as a JSON object with stable keys. The README of this folder lists them.
[[nodiscard]] std::string json_of(const health_report& report);

}  // namespace hypermesh::health
