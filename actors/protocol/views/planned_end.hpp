#pragma once

#include <optional>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/reputation/readmission_ledger.hpp"

namespace hypermesh::protocol {

/// The checkpoint at which a hand-over is carried out that the group knows since the batch `at`: the end of the
/// checkpoint period. After a restart the group may already be past the end of the period in which it agreed. Pure.
[[nodiscard]] sequence_number hand_over_point(const agreed_moves& moves, sequence_number at,
                                              const cluster_parameters& cluster);

/// The last sequence number of `view`, if the group has agreed to leave it: when the checkpoint there is stable. Its
/// primary proposes nothing after it, because the next view would have to agree on such batches again. Nothing if the
/// view has no planned end. `stepped_down` contains views whose primaries step down. Pure.
[[nodiscard]] std::optional<sequence_number> planned_end_of(view_number view, const agreed_moves& moves,
                                                            const std::vector<view_number>& stepped_down,
                                                            sequence_number at, const cluster_parameters& cluster);

}  // namespace hypermesh::protocol
