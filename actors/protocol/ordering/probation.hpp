#pragma once

#include <map>
#include <optional>

#include "actors/protocol/base/cluster.hpp"

namespace hypermesh::protocol {

/// Decides what a replica that lost its disk may sign. The replica does not know what it signed before, so it must sign
/// nothing that a forgotten statement may contradict (attack 9). The rules follow the estimation of TOCS '02 §4.3.2,
/// with the content of STATUS and of certificates. Pure. Memory: one position for each other replica.
///
/// Sequence numbers: a quorum certified the last h of this replica. So in every quorum of other replicas there is a
/// correct one that voted for that checkpoint, and the checkpoint was at or below the H of that replica at that time.
/// The present h of this replica is proven. When a quorum of other replicas has reported values of h that are not above
/// it, the old h was at most h + L. So this replica never voted for a sequence number above h + 2L. This number is the
/// `floor`. As soon as the floor is known, the replica may vote for checkpoints above it. When h reaches the floor, a
/// stable checkpoint covers every statement that the replica may have forgotten, so it may also prepare.
///
/// Views: the replica may have forgotten a VIEW-CHANGE for a view that is still to come. That VIEW-CHANGE lacks the
/// certificates of all batches that the replica would commit before that view. A bound for this view follows in five
/// steps:
/// 1. Let V be the highest view such that a quorum has sent VIEW-CHANGEs for V or for later views.
/// 2. A replica asks to leave a view only after it has entered that view, or after a quorum has left for it. It leaves
///    only for a view that it or another correct replica asks for (`view_changer`). So no correct replica has ever left
///    for a view above V + 1.
/// 3. The quorum behind V has so many correct members besides this replica that every quorum of other replicas contains
///    one of them. That member is in view V or in a later view.
/// 4. So the forgotten VIEW-CHANGE is for a view at most one above the latest view in any quorum of other replicas that
///    have reported their positions.
/// 5. Of all these quorums, the quorum with the earliest views gives the bound. So faulty replicas cannot raise the
///    bound to a view that no replica will ever reach, if they are no more than the group can miss besides this
///    replica.
///
/// Therefore this replica sends VIEW-CHANGEs only for views above the bound. It becomes a full member, which may
/// COMMIT, only when it enters such a view, because a new view is safe only if the VIEW-CHANGEs of a replica agree with
/// its COMMITs.
class probation {
 public:
  explicit probation(const cluster_parameters& cluster) : cluster_(cluster) {}

  /// Another replica reports its position. `own_low` is the proven h of this replica.
  void on_status(replica_id from, view_number view, sequence_number low, sequence_number own_low);

  /// The sequence number above which this replica has never voted. Nothing until enough other replicas have reported
  /// their positions.
  [[nodiscard]] std::optional<sequence_number> floor() const { return floor_; }
  /// The first view for which this replica has certainly signed nothing. A further report may turn it into an earlier
  /// one.
  [[nodiscard]] view_number first_view() const { return first_view_; }

  /// Whether PRE-PREPARE and PREPARE above `own_low` contradict no forgotten statement.
  [[nodiscard]] bool may_prepare(sequence_number own_low) const { return floor_ && own_low >= *floor_; }
  /// Whether COMMIT in `view` and VIEW-CHANGE for `view` contradict no forgotten statement.
  [[nodiscard]] bool may_commit(view_number view, sequence_number own_low) const {
    return may_prepare(own_low) && view >= first_view_;
  }

 private:
  cluster_parameters cluster_;
  struct position {
    view_number view;
    sequence_number low;
  };
  /// The first position that each other replica reported after this replica started.
  std::map<replica_id, position> heard_;
  std::optional<sequence_number> floor_;
  view_number first_view_;
};

}  // namespace hypermesh::protocol
