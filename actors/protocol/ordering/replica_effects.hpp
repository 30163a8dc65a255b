#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The effects of one step of `replica_core`, to be carried out in the order persist, send, execute, report.
struct replica_effects {
  /// After the loss of the disk: the request of this replica to the group, which is repeated until the probation ends.
  std::optional<readmission_wish> wish;
  /// After the loss of the disk: this replica is a full member again.
  bool readmitted = false;
  /// After the loss of the disk: this replica may vote for checkpoints above this sequence number.
  std::optional<sequence_number> voting_above;
  /// Records that must be durable before a frame in `sends` is sent (attack 9).
  std::vector<storage_record> records;
  /// This replica has prepared sequence numbers up to this one, in some view and some run. The executor must hear of it
  /// before a COMMIT in `sends` leaves (attack 35). The first one of a run also says that the replica knows its votes.
  std::optional<sequence_number> prepared_through;
  std::vector<outgoing_message> sends;
  /// Batches for the executor, in the total order.
  std::vector<committed_batch> committed;
  /// Batches that this replica prepares once their requests are known to be authentic. Empty if clients sign requests.
  std::vector<proposed_batch> unproven;
  /// A certified state that is to be fetched from other replicas.
  std::shared_ptr<const checkpoint_certificate> fetch;
  /// The checkpoint certificate of a NEW-VIEW, for the checkpointer.
  std::shared_ptr<const checkpoint_certificate> learned;
  /// h moved: a stable checkpoint covers all sequence numbers up to this one.
  std::optional<sequence_number> forget_through;
  /// §4.4: this replica's VIEW-CHANGE, if a view was left.
  std::shared_ptr<const view_change> view_left;
  std::optional<view_number> view_entered;
  std::vector<observation> observations;
};

}  // namespace hypermesh::protocol
