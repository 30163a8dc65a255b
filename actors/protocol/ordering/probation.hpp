#pragma once

#include <map>
#include <optional>

#include "actors/protocol/base/cluster.hpp"

namespace hypermesh {

/// Decides what a replica that lost its disk may sign. It may have signed anything before, so it must sign nothing that
/// its forgotten statements may contradict (attack 9). After the estimation of TOCS '02 §4.3.2, with the content of
/// STATUS and of certificates. Pure. Memory: one position for each other replica.
///
/// Sequence numbers: a quorum certified the last h of this replica. So in every quorum of others one correct replica
/// had voted for that checkpoint, which was at or below the H of that replica then. Once the own h, which is proven, is
/// not below the h that a quorum of others reports, the old h was at most h + L, and nothing above h + 2L was ever
/// voted for. From this `floor` on the replica prepares and votes for checkpoints, because every statement that it may
/// have forgotten is then covered by a stable checkpoint.
///
/// Views: a forgotten VIEW-CHANGE may name a view that is still to come, and it lacks the certificates of batches that
/// this replica would commit before that view. Let V be the highest view such that a quorum has sent VIEW-CHANGEs for V
/// or for later views. A replica wants to leave a view only once it has entered it or a quorum has left for it, and it
/// goes where it, or another correct replica, wants to go (`view_changer`). So no correct replica ever left for a view
/// above V + 1. The quorum behind V has so many other correct members that every quorum of others contains one of them,
/// which is in view V or a later one. So the forgotten VIEW-CHANGE is for a view at most one above the latest view in
/// any quorum of others that have reported their positions. Of all these quorums the one with the earliest views
/// counts. So as many liars as the group can miss besides this replica cannot name a view that no replica will ever
/// reach. So VIEW-CHANGE is allowed only for views above that one, and the replica becomes a full member, which may
/// COMMIT, only when it enters such a view: the agreement of these two messages makes a new view safe.
class probation {
 public:
  explicit probation(const cluster_parameters& cluster) : cluster_(cluster) {}

  /// Another replica reports its position. `own_low` is the proven h of this replica.
  void on_status(replica_id from, view_number view, sequence_number low, sequence_number own_low);

  /// This replica never voted above the floor. It is unknown until enough other replicas have reported their positions.
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

}  // namespace hypermesh
