#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <hypermesh/expected.hpp>
#include <hypermesh/types.hpp>

/// The port to the replicated machine. A host that brings its own machine derives a class from `state_machine`, or from
/// `small_state_machine` if its state is small.
namespace hypermesh {

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

/// What a client learns about its operation: the result that f+1 replicas gave, or why there is none.
using submit_outcome = std::variant<operation_result, client_error>;

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
///
/// A machine that breaks these rules never makes a client accept a wrong answer, because f+1 replicas must give it:
/// - If `apply`, `snapshot`, `restore` or `root` throws, the replica stops with an error that names the machine and the
///   operation. If `query` throws, the query has no answer.
/// - If a function blocks, `consensus_manager::health` reports it.
/// - If replicas disagree about the state, the replicas in the minority find it at the next checkpoint.
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

  /// Root of `snapshot()`. A replica asks for it when its host asks for `consensus_manager::state`, and when a client
  /// asks for the position of the replica: at most once after each operation, snapshot or restoration that may have
  /// changed the state, so a client cannot repeat the cost by asking again.
  [[nodiscard]] virtual digest root() = 0;
};

/// The base of a machine with a small state: the host writes `name`, `apply`, `query`, `save` and `load`, and this
/// class makes chunks and root of the saved bytes.
///
/// Cost: each checkpoint (every `checkpoint_period` batches) saves and hashes the whole state, about 2 ms for each MiB,
/// and execution pauses meanwhile. So does the first question for the root after the state changed (see
/// `state_machine::root`). Chunks that did not change are shared, so they are neither written to the disk again
/// nor sent to a replica that has them. Memory: the saved bytes once more. A state of more than `saved_bytes_max` stops
/// the replica with an error, so a machine must refuse operations that would make its state larger. A machine with more
/// state derives from `state_machine`.
class small_state_machine : public state_machine {
 public:
  /// Bytes that `save` may return: 32 MiB, which cost about 60 ms at each checkpoint.
  static constexpr std::size_t saved_bytes_max = 32 * 1024 * 1024;

  /// The whole state as bytes. Equal states give equal bytes.
  [[nodiscard]] virtual byte_vector save() const = 0;

  /// Replaces the state by the one that `save` returned at this or another replica. Called with no bytes, if the state
  /// is one that saves no bytes. An error leaves the state unchanged.
  [[nodiscard]] virtual or_reason<void> load(byte_span saved) = 0;

  [[nodiscard]] state_snapshot snapshot() final;
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) final;
  [[nodiscard]] digest root() final;

 private:
  /// The chunks of the last call, to share those that did not change.
  state_snapshot last_;
};

}  // namespace hypermesh
