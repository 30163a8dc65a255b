#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "messages/expected.hpp"
#include "messages/types.hpp"

/// The ports between the protocol and its environment: abstract classes without CAF, so that
/// cores, actors, the product and the simulator can use the same ones.
namespace hypermesh {

// --- State machine -----------------------------------------------------------

/// The outcome of one operation.
enum class operation_status : std::uint8_t {
  /// The operation was executed. The payload is the answer of the machine.
  applied = 0,
  /// The operation is well-formed, but the rules of the machine forbid it. The payload is the reason, as text.
  refused = 1,
  /// The bytes are not an operation of this machine. The payload is the reason, as text.
  malformed = 2,
  /// The operation was executed, but its answer is not available: it exceeds `limits::result_bytes_max` or the bound of
  /// a reply, or the client table has dropped it to make room for newer replies.
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
  /// The time since the Unix epoch that the replicas agreed on with the batch. It never decreases from one operation to
  /// the next. It is zero in a cluster that has not agreed on a time yet. A machine may decide by it, because it is the
  /// same at every replica. It follows the clocks of the replicas only roughly.
  std::chrono::sys_time<std::chrono::milliseconds> ordered_time{};
};

/// A piece of state under one leaf of the state's Merkle tree. A chunk is immutable.
/// Consecutive snapshots share the chunks that did not change.
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

/// A deterministic, replicated machine (§2: "replicas must be deterministic … and start in
/// the same state"). Equal operations in equal order must give equal results and equal
/// snapshots on every computer and with every compiler. So an implementation uses no
/// floating-point numbers, no iteration in hash order, no clock, no randomness and no
/// addresses. It is called by one thread at a time.
class state_machine {
 public:
  virtual ~state_machine() = default;

  /// The name of the machine in the genesis file and in messages to people, for example "key-value".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Executes one operation. `operation` comes from a client and may be any bytes;
  /// an operation that the machine does not know gives `malformed` and changes nothing.
  virtual operation_result apply(const operation_context& context, byte_span operation) = 0;

  /// Answers a read-only operation from the present state without changing it.
  /// An operation that would write gives `refused`. `apply` accepts the same reads.
  [[nodiscard]] virtual operation_result query(byte_span operation) const = 0;

  /// The whole state as chunks. The cost must be proportional to the changes since the last call.
  [[nodiscard]] virtual state_snapshot snapshot() = 0;

  /// Replaces the state by the one in `snapshot`, whose bytes were verified against a
  /// certified root. An error leaves the state unchanged.
  [[nodiscard]] virtual or_reason<void> restore(const state_snapshot& snapshot) = 0;

  /// Root of `snapshot()`.
  [[nodiscard]] virtual digest root() = 0;
};

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
