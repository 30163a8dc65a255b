#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "messages/types.hpp"

/// The places where the world touches the consensus core: abstract classes without
/// CAF, so that pure cores, actors, product and simulator share them.
namespace hypermesh {

// --- State machine -----------------------------------------------------------

/// What became of one operation.
enum class operation_status : std::uint8_t {
  /// Executed; the payload is the machine's answer.
  applied = 0,
  /// Well-formed but refused by the machine's rules; the payload says why, as text.
  refused = 1,
  /// Not an operation of this machine; the payload says why, as text.
  malformed = 2,
  /// Executed, but the answer exceeds `limits::result_bytes_max` or the reply's bound, or is so old and large that it
  /// is no longer held.
  result_too_large = 3,
};
inline constexpr auto operation_status_last = operation_status::result_too_large;

struct operation_result {
  operation_status status = operation_status::applied;
  byte_vector payload;

  friend bool operator==(const operation_result&, const operation_result&) = default;
};

/// Where in the total order an operation stands; equal at every correct replica.
struct operation_context {
  sequence_number sequence;
  client_id client;
  timestamp when;
  /// Index of the operation inside its request.
  std::uint32_t index = 0;
  /// Of the client; timestamps count inside it.
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

  /// Executes one operation. `operation` comes from a client and may be anything;
  /// what is not understood gives `malformed` and changes nothing.
  virtual operation_result apply(const operation_context& context, byte_span operation) = 0;

  /// Answers a read-only operation from the present state without changing it.
  /// An operation that would write gives `refused`. `apply` accepts the same reads.
  [[nodiscard]] virtual operation_result query(byte_span operation) const = 0;

  /// The whole state as chunks. Cost: proportional to what changed since the last call.
  [[nodiscard]] virtual state_snapshot snapshot() = 0;

  /// Replaces the state by that of `snapshot`, whose bytes were verified against a
  /// quorum-signed root. An error text leaves the present state unchanged.
  [[nodiscard]] virtual std::optional<std::string> restore(const state_snapshot& snapshot) = 0;

  /// Root of `snapshot()`.
  [[nodiscard]] virtual digest root() = 0;
};

// --- Authenticator -----------------------------------------------------------

/// Signs as one principal and verifies all (§2: public-key signatures). The bytes
/// are always a signing input (messages/signing.hpp), never a bare message.
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

/// What a record on disk is about.
enum class record_kind : std::uint8_t {
  /// A frame that was accepted or proposed, with its body.
  pre_prepare = 1,
  /// The own votes, as frames.
  prepare = 2,
  commit = 3,
  checkpoint = 4,
  /// A CHECKPOINT-PROOF frame: the proof of h.
  stable_checkpoint = 5,
  /// The own VIEW-CHANGE, as frame. It replaces the one before.
  view_change = 6,
  /// The NEW-VIEW of the view that was entered, as frame. It replaces the one before.
  new_view = 7,
  /// A prepared certificate: its signed statements, the PRE-PREPARE's first.
  prepared = 8,
  /// A commit certificate: its signed statements. Written after the fact: losing it loses no promise.
  committed = 9,
  /// A replica that had lost its disk is a full member again: everything that binds it is on this one. No bytes.
  readmission = 10,
};
inline constexpr auto record_kind_first = record_kind::pre_prepare;
inline constexpr auto record_kind_last = record_kind::readmission;

/// Whether only the newest record of the kind counts, whatever its sequence; it is never forgotten by sequence.
[[nodiscard]] constexpr bool is_replaced(record_kind kind) {
  return kind == record_kind::stable_checkpoint || kind == record_kind::view_change || kind == record_kind::new_view ||
         kind == record_kind::readmission;
}

/// One durable statement.
struct storage_record {
  record_kind kind = record_kind::pre_prepare;
  view_number view;
  sequence_number sequence;
  std::shared_ptr<const byte_vector> bytes;
};

/// Where the cause of a `world_error` is to be looked for; the binaries' exit codes tell the two apart.
enum class fault_origin {
  /// Disk, memory, network, another process.
  machine,
  /// What the operator wrote: a file, an option, the place of a directory.
  configuration,
};

/// What went wrong in the world and what the operator can do about it.
struct world_error {
  std::string what;
  std::string remedy;
  fault_origin origin = fault_origin::machine;
};

/// What to do with a data directory that is damaged or lost beyond recovery, and what that costs.
inline constexpr std::string_view learner_remedy =
    "move the directory away and start the replica with --learner: it forgets what it has promised and counts as one "
    "of "
    "the f faulty replicas until it is readmitted, so never do this to more than f replicas at a time";

/// The state after a sequence, as it was kept.
struct stored_state {
  sequence_number sequence;
  state_snapshot snapshot;
};

/// What a node finds when it starts: all that it had written and not forgotten.
struct stored_history {
  /// The newest state that was kept as a whole.
  std::optional<stored_state> state;
  /// In the order in which they were written.
  std::vector<storage_record> records;
};

/// The node's disk. One writer: the journal actor.
class stable_storage {
 public:
  virtual ~stable_storage() = default;

  /// Everything of the last run. An error when something is missing or damaged that may have been durable: a node that
  /// forgot a vote could vote twice. Called once, before anything else.
  [[nodiscard]] virtual std::variant<stored_history, world_error> read() = 0;

  /// Makes all of `records` durable, or none of them known to be: after an error the
  /// node stops, because it no longer knows what it has promised.
  [[nodiscard]] virtual std::optional<world_error> write(std::span<const storage_record> records) = 0;

  /// Forgets records of sequences up to and including `last`, which a kept state covers. Those that `is_replaced` stay.
  [[nodiscard]] virtual std::optional<world_error> forget_through(sequence_number last) = 0;

  /// Stores the chunks that are not held yet, as a part of a state that `keep_state` completes; not necessarily durable
  /// before that. Lets a large state be written in pieces, with writes of records between them.
  [[nodiscard]] virtual std::optional<world_error> store_chunks(std::span<const state_chunk> chunks) = 0;

  /// Makes the state after `sequence` durable, whose chunks were stored; `read` gives it from now on. The state before
  /// it and the chunks that no other state needs are forgotten.
  [[nodiscard]] virtual std::optional<world_error> keep_state(sequence_number sequence,
                                                              std::span<const digest> leaves) = 0;

  /// Bytes held; for bounds and metrics.
  [[nodiscard]] virtual std::uint64_t bytes_held() const = 0;
};

}  // namespace hypermesh
