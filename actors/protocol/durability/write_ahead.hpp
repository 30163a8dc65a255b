#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/effects.hpp"

namespace hypermesh {

/// One step of a core on its way out: make the records durable, then send the frames in order and hand over the
/// batches (replica, checkpointer, coordinator, fault detector and state transfer to journal).
struct persist_and_send {
  std::shared_ptr<const std::vector<storage_record>> records;
  std::shared_ptr<const std::vector<outgoing_message>> sends;
  /// For the executor, in order; null for none. Their answers rest on the own COMMITs among the records before.
  std::shared_ptr<const std::vector<committed_batch>> committed = nullptr;
};

/// Write before send (attack 9): a frame leaves the node only when the records of its step, and of all steps before,
/// are durable. A replica that forgot a vote could cast a conflicting one after a restart (I7). Pure: the caller owns
/// the disk.
///
/// Steps that come while the disk works are written in one go. Example: a PREPARE with its record starts a write. While
/// it runs, two COMMITs with their records arrive. The next write holds both, and then both leave in their order.
///
/// A step of commit certificates alone starts no write, because a certificate binds nobody. It is written with the next
/// vote.
///
/// Memory: the steps since the last write. Cores take a step only on credit of a link, and the replica is at most a
/// window ahead of the disk (attack 33).
class write_ahead {
 public:
  struct accepted_step {
    /// The caller starts a write soon; true once for each write.
    bool write_became_due = false;
    /// To be executed now, because everything that they rest on is durable; null for none.
    std::shared_ptr<const std::vector<committed_batch>> executable;
  };

  [[nodiscard]] accepted_step on_step(const persist_and_send& step);

  /// Something outside of the steps waits for the next write. True when the write became due by that.
  [[nodiscard]] bool request_write() { return !failed_ && !std::exchange(write_is_due_, true); }

  /// The records of all steps that wait, in their order. The caller then reports `on_written` or `on_failed`.
  [[nodiscard]] std::vector<storage_record> start_write();

  /// The records are durable. Returns the steps whose frames and batches leave now, in their order.
  [[nodiscard]] std::vector<persist_and_send> on_written();

  /// The state after `sequence` is on disk with its proof, which did not wait here. A proof of an earlier checkpoint
  /// that waits still is not written any more: the last one written counts, and a restart would go back to it without
  /// the promises in between (attack 9).
  void on_proof_written(sequence_number sequence) { proof_written_ = std::max(proof_written_, sequence); }

  /// The disk failed, so the node does not know what it has promised. Nothing leaves any more.
  void on_failed();
  [[nodiscard]] bool has_failed() const { return failed_; }

 private:
  std::vector<persist_and_send> waiting_;
  std::vector<persist_and_send> being_written_;
  sequence_number proof_written_;
  bool write_is_due_ = false;
  bool failed_ = false;
};

}  // namespace hypermesh
