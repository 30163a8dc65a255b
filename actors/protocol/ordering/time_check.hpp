#pragma once

#include <optional>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// Decides whether a backup vouches for the time that the primary proposed with a batch (§4.6; attack 42). Pure: the
/// caller passes the readings of the wall clock. Memory: one reading.
///
/// A time may be ahead of the own wall clock by at most the bound of the genesis. The last reading may be a little old,
/// so the check is a little stricter than the bound. No time is too early, for two reasons. A PRE-PREPARE may arrive
/// late, because messages have no bound on their delay; then its time is early although its primary is correct. And an
/// early time is harmless to the order: ordered time does not follow it (`replicated_state::execute`). A primary whose
/// times stay behind is suspected instead (`primary_monitor`).
///
/// So a refused time becomes acceptable when the own clock has reached it, and the group makes progress whatever its
/// clocks show: every backup at once vouches for the primary whose clock is the slowest.
class time_check {
 public:
  explicit time_check(duration skew_max) : skew_max_(skew_max) {}

  /// The wall clock of this node shows `now`. It may show less than before.
  void on_wall_clock(wall_time now) { now_ = now; }

  /// Without a reading, only a batch without a time is accepted.
  [[nodiscard]] bool vouches_for(wall_time proposed) const {
    return proposed == wall_time{} || (now_ && proposed <= *now_ + skew_max_);
  }

 private:
  duration skew_max_;
  std::optional<wall_time> now_;
};

}  // namespace hypermesh::protocol
