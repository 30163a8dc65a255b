#include "actors/protocol/ordering/probation.hpp"

#include <algorithm>
#include <vector>

namespace hypermesh::protocol {

void probation::on_status(replica_id from, view_number view, sequence_number low, sequence_number own_low) {
  // The first report of a replica after this start is late enough, because views and watermarks only grow. A later one
  // would only delay the end of the probation.
  heard_.try_emplace(from, position{view, low});
  const std::size_t quorum = cluster_.group().quorum();
  if (heard_.size() < quorum) return;
  std::vector<view_number> views;
  for (const auto& [replica, at] : heard_)
    views.push_back(at.view);
  // The view at place `quorum` in ascending order is the latest one in the quorum with the earliest views. The
  // forgotten VIEW-CHANGE may be for the view after it. Example with n = 7: views 4, 4, 4, 5 and 900 give first view
  // 902; a sixth report of view 4 turns it into 7.
  const auto latest = views.begin() + static_cast<std::ptrdiff_t>(quorum - 1);
  std::ranges::nth_element(views, latest);
  first_view_ = latest->next().next();
  // A reported h counts once this replica's h, which is proven, has reached it. So a false report that is too high
  // never counts.
  const auto proven = std::ranges::count_if(heard_, [own_low](const auto& each) { return each.second.low <= own_low; });
  if (floor_ || static_cast<std::size_t>(proven) < quorum) return;
  floor_ = own_low.plus(2ULL * cluster_.watermark_window);
}

}  // namespace hypermesh::protocol
