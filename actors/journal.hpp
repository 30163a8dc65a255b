#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/durability/snapshot_writer.hpp"
#include "actors/protocol/durability/write_ahead.hpp"

namespace hypermesh::actors {

/// The single writer of the node's stable storage. `write_ahead` decides when frames and batches leave the node.
/// `snapshot_writer` decides which states are written, and in which pieces.
struct journal_state {
  static inline const char* name = "journal";

  node_identity identity;
  std::shared_ptr<stable_storage> storage;
  std::unique_ptr<snapshot_writer> keeper;
  std::shared_ptr<const node_actors> with;
  write_ahead outbox;
  /// The taken states that are reported to the replica after the next write.
  std::vector<checkpoint_taken> taken;
  bool piece_is_due = false;
  /// The installed state that is not on disk yet. It is reported to the replica once it is on disk.
  std::optional<state_installed> installed_unreported;
};

/// The content of the disk at the start, as the last run left it.
struct kept_before {
  /// The sequence number of the kept state.
  sequence_number kept;
  /// The digests of the chunks of the kept state.
  std::vector<digest> leaves;
  /// The bytes of all records on disk.
  std::uint64_t record_bytes = 0;
};

/// `retained_bytes` is the number of bytes of records that stay on disk although a stable state covers them.
journal_actor::behavior_type journal(journal_actor::stateful_pointer<journal_state> self, node_identity identity,
                                     std::shared_ptr<stable_storage> storage, std::uint64_t retained_bytes,
                                     kept_before before);

}  // namespace hypermesh::actors
