#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/durability/snapshot_writer.hpp"
#include "actors/protocol/durability/write_ahead.hpp"

namespace hypermesh {

/// The single writer of the node's stable storage. `write_ahead` decides what leaves the node when; `snapshot_writer`
/// decides which pieces of a state are written when.
struct journal_state {
  static inline const char* name = "journal";

  node_identity identity;
  std::shared_ptr<stable_storage> storage;
  std::unique_ptr<snapshot_writer> keeper;
  std::shared_ptr<const node_actors> with;
  write_ahead outbox;
  /// For the replica, after the next write.
  std::vector<checkpoint_taken> taken;
  bool piece_is_due = false;
  /// Its state is not on disk yet, so the replica does not know of it.
  std::optional<state_installed> installed_unreported;
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
