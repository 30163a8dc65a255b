#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hypermesh/state_machine.hpp>

#include "messages/expected.hpp"
#include "messages/types.hpp"

/// The ports between the protocol and its environment: abstract classes without CAF, so that
/// cores, actors, the product and the simulator can use the same ones. The port to a state machine is in
/// `hypermesh/state_machine.hpp`, because hosts implement it.
namespace hypermesh {

// --- Authenticator -----------------------------------------------------------

/// Signs as one principal and verifies the signatures of all principals (§2: public-key
/// signatures). The signed bytes always begin with a domain (messages/signing.hpp, and a
/// domain for the link handshake), so a signature for one purpose never verifies for another.
/// `verify` may be called from several threads at once.
class authenticator {
 public:
  virtual ~authenticator() = default;

  [[nodiscard]] virtual principal self() const = 0;
  [[nodiscard]] virtual signature sign(byte_span signing_input) const = 0;
  /// False for a principal that is not a member.
  [[nodiscard]] virtual bool verify(principal signer, byte_span signing_input, const signature& claimed) const = 0;
};

// --- Wall clock --------------------------------------------------------------

/// The wall clock of a node. A primary proposes its time with each batch, and a backup compares (§4.6). It may be wrong
/// and may step in both directions: neither the order nor any time-out depends on it. Only `wall_time_of` in
/// actors/clock.hpp reads it.
class wall_clock {
 public:
  virtual ~wall_clock() = default;

  [[nodiscard]] virtual wall_time now() const = 0;
};

// --- Stable storage ----------------------------------------------------------

/// The kinds of record on disk.
enum class record_kind : std::uint8_t {
  /// A PRE-PREPARE that this replica accepted or proposed, with its body, as a frame.
  pre_prepare = 1,
  /// The votes of this replica, as frames.
  prepare = 2,
  commit = 3,
  checkpoint = 4,
  /// A CHECKPOINT-PROOF frame: the proof of h.
  stable_checkpoint = 5,
  /// The VIEW-CHANGE of this replica, as a frame. It replaces the previous one.
  view_change = 6,
  /// The NEW-VIEW of the view that this replica entered, as a frame. It replaces the previous one.
  new_view = 7,
  /// The signed statements of a prepared certificate, beginning with that of the PRE-PREPARE.
  prepared = 8,
  /// The signed statements of a commit certificate. The record may be written late, because a replica that loses it
  /// breaks no promise.
  committed = 9,
  /// This replica had lost its disk and is a full member again, so all its promises are on the new disk. The record has
  /// no bytes.
  readmission = 10,
};
inline constexpr auto record_kind_first = record_kind::pre_prepare;
inline constexpr auto record_kind_last = record_kind::readmission;

/// Whether only the newest record of the kind counts. Such a record is never forgotten because of its sequence number.
[[nodiscard]] constexpr bool is_replaced(record_kind kind) {
  return kind == record_kind::stable_checkpoint || kind == record_kind::view_change || kind == record_kind::new_view ||
         kind == record_kind::readmission;
}

/// One durable promise or proof.
struct storage_record {
  record_kind kind = record_kind::pre_prepare;
  view_number view;
  sequence_number sequence;
  std::shared_ptr<const byte_vector> bytes;
};

/// Tells the operator how to continue after a data directory was damaged or lost, and what that costs.
inline constexpr std::string_view learner_remedy =
    "move the directory away and start the replica with --learner: it loses its votes and counts as one of the f "
    "faulty replicas until it is readmitted, so never do this to more than f replicas at a time";

/// A state that is kept on disk: the state after `sequence`, in chunks.
struct stored_state {
  sequence_number sequence;
  state_snapshot snapshot;
};

/// Everything that a node finds on its disk at its start.
struct stored_history {
  /// The newest state that was written completely.
  std::optional<stored_state> state;
  /// All records that were not forgotten, in the order in which they were written.
  std::vector<storage_record> records;
};

/// The disk of a node. Only the journal actor writes to it.
class stable_storage {
 public:
  virtual ~stable_storage() = default;

  /// Reads everything that earlier runs wrote. Returns an error if something that may have been durable is missing or
  /// damaged, because a node that forgot a vote could vote twice. Called once, before all other functions.
  [[nodiscard]] virtual or_error<stored_history> read() = 0;

  /// Makes all of `records` durable. After an error none of them is known to be durable, and
  /// the node stops, because it no longer knows its promises.
  [[nodiscard]] virtual or_error<void> write(std::span<const storage_record> records) = 0;

  /// Forgets records of sequences up to and including `last`, which a kept state covers. Records of a kind that
  /// `is_replaced` stay.
  [[nodiscard]] virtual or_error<void> forget_through(sequence_number last) = 0;

  /// Stores the chunks that are not held yet, as a part of a state that `keep_state` completes. The chunks need not be
  /// durable before `keep_state` is called. So a large state can be written in pieces, with writes of records between
  /// them.
  [[nodiscard]] virtual or_error<void> store_chunks(std::span<const state_chunk> chunks) = 0;

  /// Makes the state after `sequence` durable; its chunks were stored before. From now on `read` returns it. The
  /// previous state, and the chunks that only it needed, are forgotten.
  [[nodiscard]] virtual or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) = 0;

  /// Bytes on disk; for bounds and metrics.
  [[nodiscard]] virtual std::uint64_t bytes_held() const = 0;
};

}  // namespace hypermesh
