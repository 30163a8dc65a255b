#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "messages/expected.hpp"
#include "messages/types.hpp"

/// The ports between the consensus cores and the world: abstract classes without CAF,
/// so that pure cores, actors, product and simulator share them.
namespace hypermesh {

// --- State machine -----------------------------------------------------------

/// The outcome of one operation.
enum class operation_status : std::uint8_t {
  /// Executed; the payload is the machine's answer.
  applied = 0,
  /// Well-formed but refused by the machine's rules; the payload is the reason, as text.
  refused = 1,
  /// Not an operation of this machine; the payload is the reason, as text.
  malformed = 2,
  /// Executed, but the answer exceeds `limits::result_bytes_max` or the bound of the reply, or it was dropped from the
  /// client table because newer replies filled its space.
  result_too_large = 3,
};
inline constexpr auto operation_status_last = operation_status::result_too_large;

struct operation_result {
  operation_status status = operation_status::applied;
  byte_vector payload;

  friend bool operator==(const operation_result&, const operation_result&) = default;
};

/// The place of an operation in the total order; equal at every correct replica.
struct operation_context {
  sequence_number sequence;
  client_id client;
  timestamp when;
  /// Index of the operation inside its request.
  std::uint32_t index = 0;
  /// The session of the client, in which `when` counts.
  session_id session = {};
};

/// A piece of state under one leaf of the state's Merkle tree. Immutable and shared:
/// consecutive snapshots share the chunks that did not change.
struct state_chunk {
  /// At most `limits::state_chunk_bytes_max` bytes.
  std::shared_ptr<const byte_vector> bytes;
  /// `state_chunk_digest(*bytes)`.
  digest leaf;
};

/// The chunks of one state in a fixed order; the order is part of the root.
using state_snapshot = std::vector<state_chunk>;

/// The leaf that stands for a chunk in the state's Merkle tree.
[[nodiscard]] digest state_chunk_digest(byte_span bytes);

/// Root of the Merkle tree over the chunks of `snapshot`.
[[nodiscard]] digest state_root(const state_snapshot& snapshot);

/// A deterministic, replicated machine (§2: "replicas must be deterministic … and
/// start in the same state"). Equal operations in equal order give equal results and
/// equal snapshots on every machine and compiler: integers only, no iteration in hash
/// order, no clock, no randomness, no address. Called by one thread at a time.
class state_machine {
 public:
  virtual ~state_machine() = default;

  /// Name for people and for the genesis file: "key-value", "scheduler".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Executes one operation. `operation` comes from a client and may be any bytes;
  /// an operation that the machine does not know gives `malformed` and changes nothing.
  virtual operation_result apply(const operation_context& context, byte_span operation) = 0;

  /// Answers a read-only operation from the present state without changing it.
  /// An operation that would write gives `refused`. `apply` accepts the same reads.
  [[nodiscard]] virtual operation_result query(byte_span operation) const = 0;

  /// The whole state as chunks. Cost: proportional to what changed since the last call.
  [[nodiscard]] virtual state_snapshot snapshot() = 0;

  /// Replaces the state by that of `snapshot`, whose bytes were verified against a
  /// quorum-signed root. After an error the state is unchanged.
  [[nodiscard]] virtual or_reason<void> restore(const state_snapshot& snapshot) = 0;

  /// Root of `snapshot()`.
  [[nodiscard]] virtual digest root() = 0;
};

// --- Authenticator -----------------------------------------------------------

/// Signs as one principal and verifies signatures of all (§2: public-key signatures). The
/// bytes are always a signing input with a domain (messages/signing.hpp, and one of the link
/// handshake), never a bare message.
/// `verify` may be called from several threads at once.
class authenticator {
 public:
  virtual ~authenticator() = default;

  [[nodiscard]] virtual principal self() const = 0;
  [[nodiscard]] virtual signature sign(byte_span signing_input) const = 0;
  /// False for a principal that is not a member.
  [[nodiscard]] virtual bool verify(principal signer, byte_span signing_input, const signature& claimed) const = 0;
};

// --- Stable storage ----------------------------------------------------------

/// The kinds of record on disk.
enum class record_kind : std::uint8_t {
  /// The frame of a PRE-PREPARE that was accepted or proposed, with its body.
  pre_prepare = 1,
  /// The own votes, as frames.
  prepare = 2,
  commit = 3,
  checkpoint = 4,
  /// A CHECKPOINT-PROOF frame: the proof of h.
  stable_checkpoint = 5,
  /// The own VIEW-CHANGE, as frame. It replaces the previous one.
  view_change = 6,
  /// The NEW-VIEW of the view that was entered, as frame. It replaces the previous one.
  new_view = 7,
  /// A prepared certificate: its signed statements, that of the PRE-PREPARE first.
  prepared = 8,
  /// A commit certificate: its signed statements. It may be written late, because its loss breaks no promise.
  committed = 9,
  /// This replica had lost its disk and is a full member again: all its promises are on the new disk. No bytes.
  readmission = 10,
};
inline constexpr auto record_kind_first = record_kind::pre_prepare;
inline constexpr auto record_kind_last = record_kind::readmission;

/// Whether only the newest record of the kind counts, whatever its sequence. It is never forgotten by sequence.
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

/// The remedy for a data directory that is damaged or lost beyond recovery, and its cost.
inline constexpr std::string_view learner_remedy =
    "move the directory away and start the replica with --learner: it loses its votes and counts as one of the f "
    "faulty replicas until it is readmitted, so never do this to more than f replicas at a time";

/// The kept state after a sequence.
struct stored_state {
  sequence_number sequence;
  state_snapshot snapshot;
};

/// Everything that a node had written and not forgotten, as it finds it at its start.
struct stored_history {
  /// The newest state that was kept completely.
  std::optional<stored_state> state;
  /// In the order in which they were written.
  std::vector<storage_record> records;
};

/// The node's disk. One writer: the journal actor.
class stable_storage {
 public:
  virtual ~stable_storage() = default;

  /// Reads everything of the last run. Returns an error if something that may have been durable is missing or damaged,
  /// because a node that forgot a vote could vote twice. Called once, before all other functions.
  [[nodiscard]] virtual or_error<stored_history> read() = 0;

  /// Makes all of `records` durable. After an error none of them is known to be durable, and
  /// the node stops, because it no longer knows its promises.
  [[nodiscard]] virtual or_error<void> write(std::span<const storage_record> records) = 0;

  /// Forgets records of sequences up to and including `last`, which a kept state covers. Records of a kind that
  /// `is_replaced` stay.
  [[nodiscard]] virtual or_error<void> forget_through(sequence_number last) = 0;

  /// Stores the chunks that are not held yet, as a part of a state that `keep_state` completes. They need not be
  /// durable before that. So a large state can be written in pieces, with writes of records between them.
  [[nodiscard]] virtual or_error<void> store_chunks(std::span<const state_chunk> chunks) = 0;

  /// Makes the state after `sequence` durable; its chunks were stored before. From now on `read` returns it. The
  /// previous state, and the chunks that only it needed, are forgotten.
  [[nodiscard]] virtual or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) = 0;

  /// Bytes on disk; for bounds and metrics.
  [[nodiscard]] virtual std::uint64_t bytes_held() const = 0;
};

}  // namespace hypermesh
