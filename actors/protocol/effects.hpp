#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/accusation.hpp"
#include "messages/values.hpp"

/// What a pure core wants done in the world, as values. The actor around a core carries
/// them out in this order: persist, send, execute, report.
namespace hypermesh {

/// A frame for one replica, or for all others.
struct outgoing_message {
  /// Nothing: every other replica.
  std::optional<replica_id> to;
  frame_ptr frame;
};

/// A batch that is committed-local (§4.2) and next in the total order, with its proof.
struct committed_batch {
  view_number view;
  sequence_number sequence;
  digest value;
  std::shared_ptr<const batch> body;
  std::shared_ptr<const commit_certificate> certificate;
};

// --- Observations ------------------------------------------------------------

struct frame_rejected {
  principal sender;
  rejection reason = rejection::empty_frame;
};

/// committed-local holds; the certificate says why.
struct slot_committed {
  committed_batch content;
};

/// One request of a batch: executed, or not.
struct executed_request {
  request_id id;
  /// Executed here. Otherwise it was executed before, or is never executed.
  bool first_time = true;
  /// Not executed because the one before it in its session was not yet: it has to be ordered again.
  bool too_early = false;
  /// It opened its session, in this mode.
  std::optional<session_mode> opened = {};

  friend bool operator==(const executed_request&, const executed_request&) = default;
};

/// The batch of a sequence went through the state machine.
struct batch_was_executed {
  sequence_number sequence;
  std::shared_ptr<const std::vector<executed_request>> requests;
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

/// The executor stopped for so long to take the state after `sequence`.
struct snapshot_was_taken {
  sequence_number sequence;
  microseconds_t pause_us = 0;
};

struct state_was_installed {
  sequence_number sequence;
  digest root;
};

/// The state after `sequence` is on disk, and the records before it are not.
struct state_was_kept {
  sequence_number sequence;
  /// Of the whole disk, after that.
  std::uint64_t bytes_held = 0;
};

struct divergence_found {
  sequence_number sequence;
};

/// The NEW-VIEW of `view` was accepted, or sent.
struct view_was_entered {
  view_number view;
};

/// Why a backup wants another primary.
enum class suspicion_reason : std::uint8_t {
  /// Requests wait and nothing is executed.
  mute,
  /// One client waits much longer than the others (attack 31).
  starving,
  /// All clients wait longer than the load explains (attack 29).
  slow,
  /// There is proof against it.
  proven,
};
inline constexpr auto suspicion_reason_last = suspicion_reason::proven;

[[nodiscard]] std::string_view to_string(suspicion_reason reason);

/// This replica wants to leave `view`.
struct primary_suspected {
  view_number view;
  suspicion_reason reason = suspicion_reason::mute;
};

/// Why a fetcher of a state looks for another donor.
enum class donor_fault : std::uint8_t {
  /// It answered nothing for its patience.
  late,
  /// What it gave is not under the certified root.
  lied,
  /// It says that it has not this state.
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

/// A donor of the state that is being fetched is asked no more: for a while, or for this transfer when it lied.
struct donor_replaced {
  replica_id replica;
  donor_fault reason = donor_fault::late;
};

/// After a restart everything through `last_executed` is executed again.
struct execution_resumed {
  sequence_number last_executed;
};

/// This node saw two words that exclude each other, or one that nobody may say; `offence` is its number.
struct fault_proven {
  principal accused;
  std::uint8_t offence = 0;
  /// What proves it, to anybody.
  std::shared_ptr<const exhibits> proof;
};

/// The order convicted somebody, or put a replica into quarantine or released it.
struct standing_changed {
  enum class what : std::uint8_t { convicted, complained, quarantined, released };
  static constexpr auto what_last = what::released;
  what happened = what::convicted;
  principal about;
  /// The offence or grievance.
  std::uint8_t reason = 0;
  sequence_number sequence;
  sequence_number until;
};

/// The order granted a READMISSION or a HAND-OVER.
struct move_agreed {
  ballot wanted;
  sequence_number sequence;
  /// Of a readmission: sequences through here are ordered, with null requests if nothing else waits.
  sequence_number through;
};

/// What a replica that lost its disk may say by now.
struct probation_changed {
  /// It votes for sequences above this one.
  sequence_number floor;
  /// It commits and changes views from this view on.
  view_number first_view;
  /// It is a full member again.
  bool over = false;
};

/// How full the replica is, after each of its steps that changed something.
struct replica_progress {
  view_number view;
  /// Whether the view is entered; else the replica waits for its NEW-VIEW.
  bool active = true;
  sequence_number last_proposed;
  std::uint64_t slots_in_use = 0;
};

/// How full the batcher is.
struct batcher_progress {
  std::uint64_t requests_pending = 0;
  std::uint64_t bytes_pending = 0;
};

/// The audit trail could not be written; the node goes on without it, and the trail will say what is missing.
struct audit_interrupted {
  world_error error;
};

/// The node cannot go on: the message is for the operator.
struct node_failed {
  world_error error;
};

using observation =
    std::variant<frame_rejected, slot_committed, batch_was_executed, watermarks_moved, checkpoint_became_stable,
                 snapshot_was_taken, state_was_installed, state_was_kept, divergence_found, view_was_entered,
                 primary_suspected, donor_replaced, execution_resumed, probation_changed, move_agreed, replica_progress,
                 batcher_progress, fault_proven, standing_changed, audit_interrupted, node_failed>;

/// What a replica that lost its disk asks the others for; nothing when it needs only patience.
struct readmission_wish {
  /// Its h is below this floor.
  std::optional<sequence_number> floor;
  /// It has the floor, and the group is in a view before this one.
  std::optional<view_number> view;
};

/// What one step of `replica_core` wants.
struct replica_effects {
  /// After the loss of the disk: asked for again until it is over.
  std::optional<readmission_wish> wish;
  /// After the loss of the disk: this replica is a full member again.
  bool readmitted = false;
  /// After the loss of the disk: checkpoints above this sequence may be voted for.
  std::optional<sequence_number> voting_above;
  std::vector<storage_record> records;
  std::vector<outgoing_message> sends;
  std::vector<committed_batch> committed;
  std::shared_ptr<const checkpoint_certificate> fetch;
  /// A proof that came with a NEW-VIEW, for the checkpointer.
  std::shared_ptr<const checkpoint_certificate> learned;
  /// A stable checkpoint covers everything through this sequence.
  std::optional<sequence_number> forget_through;
  /// §4.4: the own VIEW-CHANGE, when a view was left.
  std::shared_ptr<const view_change> view_left;
  std::optional<view_number> view_entered;
  std::vector<observation> observations;
};

}  // namespace hypermesh
