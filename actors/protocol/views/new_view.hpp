#pragma once

#include <vector>

#include "messages/values.hpp"

namespace hypermesh {

/// The batches that a set V of VIEW-CHANGEs obliges the new view to propose (§4.4). The primary, the backups and the
/// validator compute it with `plan_of`, so all of them get the same result.
struct new_view_plan {
  /// min-s: "the sequence number of the latest stable checkpoint in V", and its proof.
  sequence_number min_s;
  checkpoint_certificate proof;
  /// The digest for each sequence number from min-s + 1 to max-s: that of the null request where V has no certificate.
  std::vector<digest> digests;

  [[nodiscard]] sequence_number max_s() const { return min_s.plus(digests.size()); }
};

/// Computes the plan from at least one VIEW-CHANGE. All of them were verified. Pure; min-s and the digests do not depend
/// on the order of `view_changes`.
[[nodiscard]] new_view_plan plan_of(const std::vector<view_change>& view_changes);

/// The statements that the primary of `view` signs as PRE-PREPAREs for `plan`: O of §4.4, in the order of the sequence
/// numbers.
[[nodiscard]] std::vector<statement> reproposals_of(const new_view_plan& plan, view_number view, replica_id primary,
                                                    epoch_number epoch);

}  // namespace hypermesh
