#include "runtime/dashboard/standing_history.hpp"

namespace hypermesh::runtime {

bool standing_point::differs_from(const standing_point& other) const {
  return score != other.score || local_score != other.local_score || convictions != other.convictions ||
         quarantined_until != other.quarantined_until;
}

void standing_history::note(const std::vector<reputation>& all, wall_time now) {
  last_.resize(all.size());
  for (std::uint32_t number = 0; number < all.size(); ++number) {
    const auto& each = all[number];
    const standing_point point{now,
                               replica_id{number},
                               each.agreed.score,
                               each.local_score,
                               each.agreed.convictions,
                               each.agreed.quarantined_until};
    auto& last = last_[number];
    if (last && !last->differs_from(point)) continue;
    last = point;
    points_.push_back(point);
    if (points_.size() > points_max) points_.pop_front();
  }
}

}  // namespace hypermesh::runtime
