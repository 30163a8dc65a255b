#pragma once

#include <optional>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Judges the times that the primary proposes with its batches (§4.6; attack 42). Pure: the caller passes the readings
/// of the wall clock. Memory: one reading, and one number for each replica.
///
/// *Ahead.* A backup vouches for a time that is ahead of its own wall clock by at most the bound of the genesis. The
/// last reading may be a little old, so the check is a little stricter than the bound. So a refused time becomes
/// acceptable when the own clock has reached it, and the group makes progress whatever its clocks show: every backup at
/// once vouches for the primary whose clock is the slowest.
///
/// *Behind.* No time is too early for a vote, for two reasons. A PRE-PREPARE may arrive late, because messages have no
/// bound on their delay; then its time is early although its primary is correct. And an early time is harmless to the
/// order: ordered time does not follow it (`replicated_state::execute`). The lateness is only measured, and a primary
/// whose times stay behind is suspected (`primary_monitor`).
class time_check {
 public:
  explicit time_check(const cluster_parameters& cluster)
      : skew_max_(cluster.clock_skew_max), group_(cluster.group()), decided_(cluster.replicas) {}

  /// The wall clock of this node shows `now`. It may show less than before.
  void on_wall_clock(wall_time now) { now_ = now; }

  /// `by` says in a STATUS of the present view that it has decided all sequence numbers up to `last`.
  void on_status(replica_id by, sequence_number last);

  /// The view was left, so what replicas have decided in it no longer counts.
  void on_view() { decided_.assign(decided_.size(), {}); }

  /// Without a reading, only a batch without a time is accepted.
  [[nodiscard]] bool vouches_for(wall_time proposed) const {
    return proposed == wall_time{} || (now_ && proposed <= *now_ + skew_max_);
  }

  /// How far the time of a PRE-PREPARE that arrives now is behind the own wall clock; negative if it is ahead. It is
  /// measured at the arrival, because the time until the execution contains the work that waits at this replica.
  /// Nothing without a reading, and for a null request, which has no time.
  [[nodiscard]] std::optional<duration> lateness_of(const pre_prepare& arrived) const;

  /// Whether a quorum of other replicas has decided this sequence number, which this replica executes now. Then this
  /// replica lags or was away, and gets old batches again. They are late without a fault of their primary, so the
  /// measurement does not count. A faulty primary cannot use this exception to hide its times: when the first f + 1
  /// correct replicas execute a batch, at most f correct and f faulty ones can say that they have decided it, which is
  /// less than a quorum. So f + 1 correct replicas measure each batch. They are enough to end the view.
  [[nodiscard]] bool lags_at(sequence_number executed) const;

 private:
  duration skew_max_;
  group_size group_;
  std::optional<wall_time> now_;
  /// For each replica, the last sequence number that it has decided in the present view, as it says.
  std::vector<sequence_number> decided_;
};

}  // namespace hypermesh::protocol
