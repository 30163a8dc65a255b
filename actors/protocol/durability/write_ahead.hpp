#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/effects.hpp"

namespace hypermesh::protocol {

/// The output of one step of a core: make the records durable, then send the frames in order and hand over the batches
/// to the executor (replica, checkpointer, coordinator, fault detector and state transfer to journal).
struct persist_and_send {
  std::shared_ptr<const std::vector<storage_record>> records;
  std::shared_ptr<const std::vector<outgoing_message>> sends;
  /// Batches for the executor, in order; null for none. They wait for the records of this and earlier steps, because
  /// the answers to clients depend on COMMITs of this replica, whose records are among them.
  std::shared_ptr<const std::vector<committed_batch>> committed = nullptr;
};

/// Write before send (attack 9): a frame leaves the node only when the records of its step, and of all steps before,
/// are durable. A replica that forgot a vote could cast a conflicting vote after a restart (I7). Pure: the caller owns
/// the disk.
///
/// Steps that arrive during a write are written together in the next write. Example: a PREPARE with its record starts a
/// write. During this write, two COMMITs with their records arrive. The next write contains both records, and then both
/// frames are sent in order.
///
/// A step that has only commit certificates starts no write, because a certificate is no promise of this replica. It is
/// written together with the next vote.
///
/// Memory: the steps since the last write. Their number is bounded because each message that causes a step holds credit
/// of its link, and because the replica is at most a window ahead of the disk (attack 33).
class write_ahead {
 public:
  struct accepted_step {
    /// The caller has to start a write. True once for each write.
    bool write_became_due = false;
    /// Batches to execute now, because all records on which they depend are durable; null for none.
    std::shared_ptr<const std::vector<committed_batch>> executable;
  };

  [[nodiscard]] accepted_step on_step(const persist_and_send& step);

  /// The caller itself waits for the next write. Returns true if the caller has to start one.
  [[nodiscard]] bool request_write() { return !failed_ && !std::exchange(write_is_due_, true); }

  /// The records of all waiting steps, in order. After the write the caller must call `on_written` or `on_failed`.
  [[nodiscard]] std::vector<storage_record> start_write();

  /// The records are durable. Returns the steps whose frames and batches can be sent now, in order.
  [[nodiscard]] std::vector<persist_and_send> on_written();

  /// The state after `sequence` is on disk together with its proof, which was written directly. If the proof of an
  /// earlier checkpoint still waits here, it is not written: the last written proof counts at a restart, so the replica
  /// would restart from the earlier checkpoint, without the promises between the two (attack 9).
  void on_proof_written(sequence_number sequence) { proof_written_ = std::max(proof_written_, sequence); }

  /// The disk failed, so the node does not know which promises are durable. No frame is sent from now on.
  void on_failed();
  [[nodiscard]] bool has_failed() const { return failed_; }

 private:
  std::vector<persist_and_send> waiting_;
  std::vector<persist_and_send> being_written_;
  sequence_number proof_written_;
  bool write_is_due_ = false;
  bool failed_ = false;
};

}  // namespace hypermesh::protocol
