#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/system_request_kinds.hpp"
#include "messages/values.hpp"

/// Reports of the cores about their steps, for the log, metrics and tests. They are never an input to another core.
namespace hypermesh::protocol {

struct frame_rejected {
  principal sender;
  rejection reason = rejection::empty_frame;
};

/// When a batch reached its phases at this replica; `moment{}` if that is unknown. The actors set these moments,
/// because no core reads a clock.
struct phase_times {
  /// The primary received the oldest request of the batch; unknown at a backup.
  moment requested;
  /// The PRE-PREPARE was sent or accepted.
  moment proposed;
  moment prepared;
  moment committed;

  friend bool operator==(const phase_times&, const phase_times&) = default;
};

/// When the vote of another replica for a batch arrived here. The actors set this moment too.
struct vote_arrival {
  replica_id replica;
  /// PREPARE or COMMIT.
  message_kind kind = message_kind::prepare;
  moment arrived;

  friend bool operator==(const vote_arrival&, const vote_arrival&) = default;
};

/// A slot is committed-local (§4.2), and the certificate proves it.
struct slot_committed {
  committed_batch content;
  phase_times times = {};
  /// The votes of other replicas that had arrived by then, in any order; at most two of each replica. Votes for another
  /// digest are left out.
  std::vector<vote_arrival> votes = {};
};

/// One request of a client in an executed batch.
struct executed_request {
  request_id id;
  /// Whether the request was executed with this batch. If not, it was executed before, will never be executed, or is
  /// `too_early`.
  bool first_time = true;
  /// Whether the request was not executed because the previous request of its session is missing, or the session is not
  /// open yet. Such a request has to be ordered again.
  bool too_early = false;
  /// The mode of the session that this request opened.
  std::optional<session_mode> opened = {};

  friend bool operator==(const executed_request&, const executed_request&) = default;
};

/// The batch of a sequence number was executed.
struct batch_was_executed {
  sequence_number sequence;
  std::shared_ptr<const std::vector<executed_request>> requests;
  /// The names of the system requests of the batch.
  std::vector<case_name> cases = {};
  /// The content of the batch.
  std::shared_ptr<const batch> body = {};
  /// The outcome of each request in `requests`, in the same order. Null if the request has no answer.
  std::vector<std::shared_ptr<const request_outcome>> outcomes = {};
  /// When the batch was executed, and when its replies were handed to the links; as in `phase_times`.
  moment executed;
  moment replied;
  /// The ordered time of its operations.
  wall_time ordered_time{};
};

/// h moved; H = h + L.
struct watermarks_moved {
  sequence_number low;
  sequence_number high;
};

struct checkpoint_became_stable {
  sequence_number sequence;
  digest root;
};

/// The executor made a snapshot of the state after `sequence`. Execution paused for `pause` meanwhile.
struct snapshot_was_taken {
  sequence_number sequence;
  duration pause{};
};

struct state_was_installed {
  sequence_number sequence;
  digest root;
};

/// The state after `sequence` is on disk, and the records that it covers are forgotten.
struct state_was_kept {
  sequence_number sequence;
  /// Bytes of the whole storage afterwards.
  std::uint64_t bytes_held = 0;
};

struct divergence_found {
  sequence_number sequence;
};

/// The NEW-VIEW of `view` was accepted, or sent.
struct view_was_entered {
  view_number view;
};

/// The reason for which a backup suspects the primary.
enum class suspicion_reason : std::uint8_t {
  /// Requests wait and nothing is executed.
  mute,
  /// One client waits much longer than the others (attack 31).
  starving,
  /// All clients wait longer than the load explains (attack 29).
  slow,
  /// There is evidence against the primary, ordered or not yet.
  proven,
  /// The times that the primary proposes stay behind the own wall clock (attack 42).
  behind,
};
inline constexpr auto suspicion_reason_last = suspicion_reason::behind;

[[nodiscard]] std::string_view to_string(suspicion_reason reason);

/// This replica wants to leave `view`.
struct primary_suspected {
  view_number view;
  suspicion_reason reason = suspicion_reason::mute;
};

/// Why a fetcher of a state replaces a donor.
enum class donor_fault : std::uint8_t {
  /// The donor did not answer within the time that the fetcher waits for it.
  late,
  /// The donor sent a part that does not match the certified root.
  lied,
  /// The donor answered that it does not have this state.
  refused,
};
inline constexpr auto donor_fault_last = donor_fault::refused;

[[nodiscard]] constexpr std::string_view to_string(donor_fault why) {
  switch (why) {
    case donor_fault::late:
      return "late";
    case donor_fault::lied:
      return "lied";
    case donor_fault::refused:
      return "refused";
  }
  return {};
}

/// The fetcher no longer asks this donor: for a while, or until the end of the transfer if the donor lied.
struct donor_replaced {
  replica_id replica;
  donor_fault reason = donor_fault::late;
};

/// After a restart the node has restored the state after `last_executed`.
struct execution_resumed {
  sequence_number last_executed;
};

/// This node saw two conflicting signed messages, or one message that no correct member signs.
struct fault_proven {
  principal accused;
  /// The number of the `misbehaviour_kind`.
  std::uint8_t misbehaviour_kind = 0;
  /// The evidence, which any member can verify.
  std::shared_ptr<const evidence> proof;
};

/// A committed batch or a checkpoint changed an agreed standing: a conviction, a counted complaint, the beginning of a
/// quarantine, or the end of a quarantine or rate limit.
struct standing_changed {
  enum class what : std::uint8_t { convicted, complained, quarantined, released };
  static constexpr auto what_last = what::released;
  what happened = what::convicted;
  principal about;
  /// The misbehaviour or complaint reason.
  std::uint8_t reason = 0;
  sequence_number sequence;
  /// The end of the quarantine or rate limit that begins; 0 for all other changes.
  sequence_number until;
};

/// A READMISSION or a HAND-OVER was executed and granted.
struct move_agreed {
  group_request wanted;
  sequence_number sequence;
  /// For a readmission: all sequences up to this one are to be ordered, with null requests if no request is pending.
  sequence_number through;
};

/// A change of what a replica that lost its disk may sign.
struct probation_changed {
  /// The replica may vote for sequences above this one.
  sequence_number floor;
  /// The replica commits and changes views from this view on.
  view_number first_view;
  /// The replica is a full member again.
  bool over = false;
};

/// The position of the replica and the number of its slots, reported after each step that changed one of them, and in
/// each status period.
struct replica_progress {
  view_number view;
  /// Whether the view is entered; otherwise the replica waits for the NEW-VIEW of `view`.
  bool active = true;
  sequence_number last_proposed;
  std::uint64_t slots_in_use = 0;
  /// Whether the state of the replica is known to be wrong, so that the replica takes no part.
  bool diverged = false;
  /// Whether a certificate proves a state that the replica does not have.
  bool lacks_state = false;
};

/// A STATUS of another replica. Its signature was verified, but its content is only the claim of that replica.
struct status_was_heard {
  replica_id replica;
  view_number view;
  /// Whether the replica has entered `view`.
  bool active = true;
  sequence_number last_decided;
  bool on_probation = false;
  sequence_number low_watermark = {};
};

/// The number and the bytes of the pending requests.
struct batcher_progress {
  std::uint64_t requests_pending = 0;
  std::uint64_t bytes_pending = 0;
  /// Whether new requests of clients are admitted. False once the node prepares its stop.
  bool is_admitting = true;
};

/// The audit trail could not be written. The node continues without it, and a later entry of the trail will show how
/// many entries are missing.
struct audit_interrupted {
  world_error error;
};

/// The machine failed to answer a query that is not ordered. The query has no answer, and the node goes on, because a
/// query does not change the state. If it stopped the node, one client could stop all replicas with one query.
struct query_failed {
  /// The text of the exception.
  std::string why;
};

/// The node has to stop. The error is for the operator.
struct node_failed {
  world_error error;
};

using observation =
    std::variant<frame_rejected, slot_committed, batch_was_executed, watermarks_moved, checkpoint_became_stable,
                 snapshot_was_taken, state_was_installed, state_was_kept, divergence_found, view_was_entered,
                 primary_suspected, donor_replaced, execution_resumed, probation_changed, move_agreed, replica_progress,
                 status_was_heard, batcher_progress, fault_proven, standing_changed, audit_interrupted, query_failed,
                 node_failed>;

}  // namespace hypermesh::protocol
