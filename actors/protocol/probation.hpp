#pragma once

#include <map>
#include <optional>

#include "actors/protocol/cluster.hpp"

namespace hypermesh {

/// How a replica that lost its disk comes back: it may have promised anything, so it must not speak of what it may have
/// spoken of before. After the estimation of TOCS '02 §4.3.2, with what STATUS and certificates say. Pure.
///
/// Sequences: its last h was certified by a quorum, so of every 2f+1 others one correct replica had voted for it, and
/// had it below its own H then. Once the own h, which is proven, is not below what 2f+1 others say theirs is, the old h
/// was at most h + L, and nothing above h + 2L was ever voted for. From the `floor` on this replica prepares and votes
/// for checkpoints, because what it may have said before is below the water marks of everybody who matters.
///
/// Views: an old VIEW-CHANGE may stand for a view that is still to come, and it does not hold what this replica would
/// commit before that view. Let V be the highest view for which, or for a later one, a quorum has sent VIEW-CHANGEs. A
/// replica wants to leave a view only once it has entered it or a quorum has left for it, and goes where it or a
/// correct other wants to go (`view_change_set`), so no correct replica ever left for a view above V + 1. Of the quorum
/// behind V enough are correct others that every quorum of others has one of them, in a view not before V. So the old
/// VIEW-CHANGE is for a view at most one above the latest view in any quorum of others that have said where they are,
/// and of all these quorums the one with the earliest views counts: so many liars as the group can miss besides this
/// replica cannot name a view that nobody will ever reach. COMMIT and VIEW-CHANGE, the two whose agreement makes a new
/// view safe, are for the views above that.
class probation {
 public:
  explicit probation(const cluster_parameters& cluster) : cluster_(cluster) {}

  /// Another replica says where it is. `own_low` is this replica's proven h.
  void on_status(replica_id from, view_number view, sequence_number low, sequence_number own_low);

  /// Everything above was never voted for; unknown until enough others have said where they are.
  [[nodiscard]] std::optional<sequence_number> floor() const { return floor_; }
  /// The first view in which this replica did nothing yet; it may turn out to be an earlier one while others are heard.
  [[nodiscard]] view_number first_view() const { return first_view_; }

  /// Whether PRE-PREPARE, PREPARE and CHECKPOINT above `own_low` are new words.
  [[nodiscard]] bool may_prepare(sequence_number own_low) const { return floor_ && own_low >= *floor_; }
  /// Whether COMMIT in `view` and VIEW-CHANGE for `view` contradict nothing.
  [[nodiscard]] bool may_commit(view_number view, sequence_number own_low) const {
    return may_prepare(own_low) && view >= first_view_;
  }

 private:
  cluster_parameters cluster_;
  struct position {
    view_number view;
    sequence_number low;
  };
  /// The first word of each other replica since this one's start.
  std::map<replica_id, position> heard_;
  std::optional<sequence_number> floor_;
  view_number first_view_;
};

}  // namespace hypermesh
