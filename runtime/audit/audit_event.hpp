#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

/// The contents of an audit trail. These values define the meaning of entries; `audit_verifier` checks whether the
/// signatures in them are genuine.
namespace hypermesh::audit {

/// The kind of an entry. It is part of the hash of every entry, so a number is never reused.
enum class audit_kind : std::uint8_t {
  // Entries about the trail itself.
  started = 1,
  stopped = 2,
  /// The node's signature over all previous entries.
  seal = 3,
  /// An interrupted run left an incomplete end of the trail, and this start removed that end.
  tail_cut = 4,
  /// Some entries could not be written.
  lost = 5,
  // Signed statements, as they were written to the node's disk.
  proposal = 6,
  vote = 7,
  prepared = 8,
  committed = 9,
  checkpoint_stable = 10,
  view_change = 11,
  view_entered = 12,
  // Claims of the node itself, without a signature of another member.
  suspicion = 13,
  donor_replaced = 14,
  state_installed = 15,
  divergence = 16,
  probation = 17,
  failure = 18,
  // Evidence, complaints and agreed decisions about faulty members.
  evidence = 32,
  complaint = 33,
  conviction = 34,
  quarantine = 35,
  release = 36,
};
inline constexpr auto audit_kind_last = audit_kind::release;

/// The name in snake_case, as JSON output and the option --kind use it.
[[nodiscard]] std::string_view to_string(audit_kind kind);
[[nodiscard]] std::optional<audit_kind> audit_kind_of(std::string_view name);

/// A run of the node began here.
struct run_started {
  view_number view;
  sequence_number last_executed;
};

/// The node stopped cleanly.
struct run_stopped {};

/// The owner's signature over cluster, replica, index and time of this entry, the chain's hash before this entry, and
/// the newest stable checkpoint.
struct trail_seal {
  sequence_number checkpoint;
  signature by;
};

struct tail_was_cut {
  /// The place where the trail was cut, and the number of bytes that were removed.
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  /// One sector of the head could not be read.
  bool head_was_damaged = false;
};

/// The reason why entries are missing from the trail although the events happened.
enum class loss_reason : std::uint8_t {
  /// Entries arrived faster than the disk wrote them.
  overload = 1,
  /// The disk refused the write.
  write_failed = 2,
};
inline constexpr auto loss_reason_last = loss_reason::write_failed;

struct entries_were_lost {
  loss_reason reason = loss_reason::overload;
  std::uint64_t entries = 0;
  /// The time when the first of these entries was lost, on the wall clock of the node.
  std::uint64_t since_us = 0;
};

/// A PRE-PREPARE header that the node accepted or sent.
struct proposal_noted {
  signed_statement header;
};

/// A PREPARE, COMMIT or CHECKPOINT of this node.
struct vote_noted {
  message_kind kind = message_kind::prepare;
  signed_statement vote;
};

struct batch_was_prepared {
  prepared_certificate certificate;
};

struct batch_was_committed {
  commit_certificate certificate;
};

/// A frame that any member can verify: CHECKPOINT-PROOF, this node's VIEW-CHANGE, or the NEW-VIEW of the entered view.
struct proof_noted {
  audit_kind kind = audit_kind::checkpoint_stable;
  frame_ptr frame;
};

/// A finding of the fault detector, or a decision of the reputation ledger, about a member. The trail keeps the text
/// and bytes unchanged.
struct guard_noted {
  audit_kind kind = audit_kind::evidence;
  principal about;
  /// The sequence number at which the finding was reported or agreed, or from which the decision is in force.
  sequence_number from;
  /// The sequence number until which the decision is in force; zero if there is no end.
  sequence_number until;
  /// A text of at most `audit_text_bytes_max` bytes. Longer texts are truncated.
  std::string misbehaviour_kind;
  /// The encoded evidence, which any member can verify. Only entries of the kind `evidence` have it.
  byte_vector proof;
};

/// The content of one entry. Some observations are stored unchanged.
using audit_event =
    std::variant<run_started, run_stopped, trail_seal, tail_was_cut, entries_were_lost, proposal_noted, vote_noted,
                 batch_was_prepared, batch_was_committed, proof_noted, primary_suspected, donor_replaced,
                 state_was_installed, divergence_found, probation_changed, node_failed, guard_noted>;

[[nodiscard]] audit_kind kind_of(const audit_event& event);

/// The longest text in an entry, in bytes.
inline constexpr std::size_t audit_text_bytes_max = 255;
/// Bound on the size of all other fields of an entry, without its frame or proof: numbers and two texts.
inline constexpr std::size_t audit_fields_bytes_max = 1'024;
/// The longest payload: a NEW-VIEW.
inline constexpr std::size_t audit_payload_bytes_max = limits::frame_bytes_max + audit_fields_bytes_max;

/// Encodes the payload of an entry. Each value has exactly one encoding, without padding or optional order.
[[nodiscard]] byte_vector encode_audit_payload(const audit_event& event);
/// Returns nothing unless the bytes are exactly the encoding that `encode_audit_payload` makes for some event of
/// `kind`.
[[nodiscard]] std::optional<audit_event> decode_audit_payload(audit_kind kind, byte_span payload);

/// The event for a record of the node's disk; nothing if the record adds nothing to the trail.
[[nodiscard]] std::optional<audit_event> audit_event_of(const storage_record& record);
/// The event for an observation; nothing if the observation is only a number, or if a record has the same content.
[[nodiscard]] std::optional<audit_event> audit_event_of(const observation& what);

}  // namespace hypermesh::audit
