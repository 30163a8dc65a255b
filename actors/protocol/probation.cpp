#include "actors/protocol/probation.hpp"

#include <algorithm>
#include <vector>

namespace hypermesh {

void probation::on_status(replica_id from, view_number view, sequence_number low, sequence_number own_low) {
  // The first word of each after this replica's start is late enough; views and water marks only grow.
  heard_.try_emplace(from, position{view, low});
  const std::size_t quorum = cluster_.group().quorum();
  if (heard_.size() < quorum) return;
  std::vector<view_number> views;
  for (const auto& [replica, at] : heard_)
    views.push_back(at.view);
  const auto latest = views.begin() + static_cast<std::ptrdiff_t>(quorum - 1);
  std::ranges::nth_element(views, latest);
  first_view_ = latest->next().next();
  // A low mark that is beyond what is proven counts when the proof is here, or never.
  const auto proven = std::ranges::count_if(heard_, [own_low](const auto& each) { return each.second.low <= own_low; });
  if (floor_ || static_cast<std::size_t>(proven) < quorum) return;
  floor_ = own_low.plus(2ULL * cluster_.watermark_window);
}

}  // namespace hypermesh
