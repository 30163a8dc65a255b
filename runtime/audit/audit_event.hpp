#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/protocol/effects.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

/// What an audit trail tells. Values here are what entries mean; whether the signatures in them are genuine is for
/// `audit_verifier`.
namespace hypermesh {

/// What an entry is about. Part of the hash of every entry, so a number is never reused.
enum class audit_kind : std::uint8_t {
  // The trail itself.
  started = 1,
  stopped = 2,
  /// The node's signature over everything before.
  seal = 3,
  /// The end of an interrupted run was not complete and was cut away.
  tail_cut = 4,
  /// Entries that could not be written.
  lost = 5,
  // Signed statements, as they went to the node's disk.
  proposal = 6,
  vote = 7,
  prepared = 8,
  committed = 9,
  checkpoint_stable = 10,
  view_change = 11,
  view_entered = 12,
  // The node's own word.
  suspicion = 13,
  donor_replaced = 14,
  state_installed = 15,
  divergence = 16,
  probation = 17,
  failure = 18,
  // What is said and agreed about faulty replicas.
  evidence = 32,
  complaint = 33,
  conviction = 34,
  quarantine = 35,
  release = 36,
};
inline constexpr auto audit_kind_last = audit_kind::release;

/// snake_case name, also in JSON and for --kind.
[[nodiscard]] std::string_view to_string(audit_kind kind);
[[nodiscard]] std::optional<audit_kind> audit_kind_of(std::string_view name);

/// The node took part from here on.
struct run_started {
  view_number view;
  sequence_number last_executed;
};

/// The node stopped in order.
struct run_stopped {};

/// The owner's signature over cluster, replica, index and time of this entry, the chain's hash before it, and the
/// newest stable checkpoint.
struct trail_seal {
  sequence_number checkpoint;
  signature by;
};

struct tail_was_cut {
  /// Where, and how much.
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  /// The head had a sector that could not be read.
  bool head_was_damaged = false;
};

/// Why entries are missing from the trail although they happened.
enum class loss_reason : std::uint8_t {
  /// They came faster than the disk took them.
  overload = 1,
  /// The disk did not take them.
  write_failed = 2,
};
inline constexpr auto loss_reason_last = loss_reason::write_failed;

struct entries_were_lost {
  loss_reason reason = loss_reason::overload;
  std::uint64_t entries = 0;
  /// When the first of them was lost, on the node's clock.
  std::uint64_t since_us = 0;
};

/// A PRE-PREPARE header that was accepted or sent.
struct proposal_noted {
  signed_statement header;
};

/// An own PREPARE, COMMIT or CHECKPOINT.
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

/// A frame that proves itself: CHECKPOINT-PROOF, own VIEW-CHANGE, or the NEW-VIEW of the view that was entered.
struct proof_noted {
  audit_kind kind = audit_kind::checkpoint_stable;
  frame_ptr frame;
};

/// What the fault detector and the agreed ledger say of a member. Text and bytes are theirs; the trail keeps them as
/// they are.
struct guard_noted {
  audit_kind kind = audit_kind::evidence;
  principal about;
  /// The sequence where it was said or agreed, or from which on it holds.
  sequence_number from;
  /// Until when it holds; zero when it has no end.
  sequence_number until;
  /// At most `audit_text_bytes_max`; longer texts lose their end.
  std::string offence;
  /// For `evidence`: what proves it by itself.
  byte_vector proof;
};

/// One entry's content. Observations stand for themselves.
using audit_event =
    std::variant<run_started, run_stopped, trail_seal, tail_was_cut, entries_were_lost, proposal_noted, vote_noted,
                 batch_was_prepared, batch_was_committed, proof_noted, primary_suspected, donor_replaced,
                 state_was_installed, divergence_found, probation_changed, node_failed, guard_noted>;

[[nodiscard]] audit_kind kind_of(const audit_event& event);

/// Texts in an entry.
inline constexpr std::size_t audit_text_bytes_max = 255;
/// What an entry holds besides its bounded frame or proof: numbers, and two texts.
inline constexpr std::size_t audit_fields_bytes_max = 1'024;
/// The longest payload: a NEW-VIEW.
inline constexpr std::size_t audit_payload_bytes_max = limits::frame_bytes_max + audit_fields_bytes_max;

/// The payload of an entry. One encoding for each value: no slack, no order to choose.
[[nodiscard]] byte_vector encode_audit_payload(const audit_event& event);
/// Nothing when the bytes are not exactly what `encode_audit_payload` makes for some event of `kind`.
[[nodiscard]] std::optional<audit_event> decode_audit_payload(audit_kind kind, byte_span payload);

/// What a record of the node's disk tells; nothing for those that tell nothing new.
[[nodiscard]] std::optional<audit_event> audit_event_of(const storage_record& record);
/// What an observation tells; nothing for those that are numbers only, or that stand in a record too.
[[nodiscard]] std::optional<audit_event> audit_event_of(const observation& what);

}  // namespace hypermesh
