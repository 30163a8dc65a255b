#pragma once

#include <memory>
#include <optional>

#include "messages/values.hpp"

/// Effects of a pure core, as values. The actor around the core carries them out in this
/// order: persist, send, execute, report.
namespace hypermesh::protocol {

/// A frame for one replica, or for all others.
struct outgoing_message {
  /// The receiver; without a value, all other replicas.
  std::optional<replica_id> to;
  frame_ptr frame;
};

/// A batch that is committed-local (§4.2) and next in the total order, with its proof.
struct committed_batch {
  view_number view;
  sequence_number sequence;
  digest value;
  std::shared_ptr<const batch> body;
  std::shared_ptr<const commit_certificate> certificate;
  /// How far the time of the batch was behind the wall clock of this replica when its PRE-PREPARE arrived; negative if
  /// it was ahead. Nothing if the time was not measured (`time_check::lateness_of`).
  std::optional<duration> lateness = {};
};

/// A batch that a backup is asked to prepare, and whose requests have no signatures.
struct proposed_batch {
  view_number view;
  sequence_number sequence;
  /// D(m) of the batch.
  digest value;
  std::shared_ptr<const batch> body;
};

/// Why a state is fetched from other replicas.
enum class fetch_reason {
  /// The replica lags behind the certificate. Its own execution may still overtake the transfer.
  lag,
  /// The present state of the replica is wrong (attack 27), so the certified state is fetched although the present
  /// state has reached its sequence number.
  own_state_wrong,
};

/// The request of a replica that lost its disk to the other replicas. If both fields are empty, the replica only has to
/// wait.
struct readmission_wish {
  /// The replica asks for all sequences up to this floor to be ordered, because its h is below the floor.
  std::optional<sequence_number> floor;
  /// The replica's h is at the floor, and it asks the group to move on to this view.
  std::optional<view_number> view;
};

}  // namespace hypermesh::protocol
