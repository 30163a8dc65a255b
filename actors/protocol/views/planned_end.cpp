#include "actors/protocol/views/planned_end.hpp"

#include <algorithm>

namespace hypermesh::protocol {

sequence_number hand_over_point(const agreed_moves& moves, sequence_number at, const cluster_parameters& cluster) {
  return std::min(readmission_ledger::period_end(at, cluster), moves.advance_through);
}

std::optional<sequence_number> planned_end_of(view_number view, const agreed_moves& moves,
                                              const std::vector<view_number>& stepped_down, sequence_number at,
                                              const cluster_parameters& cluster) {
  const bool ends = view < moves.least_view || std::ranges::find(stepped_down, view) != stepped_down.end();
  return ends ? std::optional{hand_over_point(moves, at, cluster)} : std::nullopt;
}

}  // namespace hypermesh::protocol
