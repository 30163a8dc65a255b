#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/state_keeper.hpp"

namespace hypermesh {

/// The single writer of the node's stable storage. Records are durable before the frames that depend on
/// them are handed to the links (attack 9); what comes while the disk works is written in one go. After a failed write
/// the node does not know what it has promised, so nothing is sent any more.
struct journal_state {
  static inline const char* name = "journal";

  node_identity identity;
  std::shared_ptr<stable_storage> storage;
  std::unique_ptr<state_keeper> keeper;
  std::shared_ptr<const neighbours> with;
  /// What waits for the next write.
  std::vector<persist_and_send> waiting;
  bool flush_is_due = false;
  /// For the replica, after the next write.
  std::vector<checkpoint_taken> taken;
  bool piece_is_due = false;
  /// The state is not on disk yet.
  std::optional<state_installed> untold;
  bool failed = false;
};

/// What the disk holds of the last run.
struct kept_before {
  /// The state after this sequence.
  sequence_number kept;
  /// Of its chunks.
  std::vector<digest> leaves;
  /// Of the records.
  std::uint64_t record_bytes = 0;
};

/// `retained_bytes`: records that stay on disk although a stable state covers them.
journal_actor::behavior_type journal(journal_actor::stateful_pointer<journal_state> self, node_identity identity,
                                     std::shared_ptr<stable_storage> storage, std::uint64_t retained_bytes,
                                     kept_before before);

}  // namespace hypermesh
