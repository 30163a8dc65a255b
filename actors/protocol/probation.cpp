#include "actors/protocol/probation.hpp"

#include <algorithm>

namespace hypermesh {

void probation::on_status(replica_id from, view_number view, sequence_number low, sequence_number own_low) {
  if (floor_) return;
  highest_view_ = std::max(highest_view_, view);
  // The first word of each after this replica's start is late enough; water marks only grow.
  lows_.try_emplace(from, low);
  // A low mark that is beyond what is proven counts when the proof is here, or never.
  const auto proven = std::ranges::count_if(lows_, [own_low](const auto& each) { return each.second <= own_low; });
  if (static_cast<std::uint32_t>(proven) < cluster_.group().quorum()) return;
  floor_ = own_low.plus(2ULL * cluster_.watermark_window);
  first_view_ = highest_view_.next().next();
}

}  // namespace hypermesh
