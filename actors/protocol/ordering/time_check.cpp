#include "actors/protocol/ordering/time_check.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

void time_check::on_status(replica_id by, sequence_number last) {
  require(by.value < decided_.size(), "a STATUS comes from a replica");
  auto& known = decided_[by.value];
  known = std::max(known, last);
}

std::optional<duration> time_check::lateness_of(const pre_prepare& arrived) const {
  if (!now_ || arrived.body->is_null()) return std::nullopt;
  return *now_ - arrived.body->proposed_time;
}

bool time_check::lags_at(sequence_number executed) const {
  const auto ahead = std::ranges::count_if(decided_, [executed](const auto& each) { return each >= executed; });
  return static_cast<std::uint32_t>(ahead) >= group_.quorum();
}

}  // namespace hypermesh::protocol
