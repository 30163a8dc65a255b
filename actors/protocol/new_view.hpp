#pragma once

#include <vector>

#include "messages/values.hpp"

namespace hypermesh {

/// What a set V of VIEW-CHANGEs obliges the new view to propose (§4.4). Equal at primary and backups, because both
/// compute it with `plan_of`.
struct new_view_plan {
  /// min-s: "the sequence number of the latest stable checkpoint in V", and its proof.
  sequence_number min_s;
  checkpoint_certificate proof;
  /// The digest for each sequence number from min-s + 1 to max-s; the null request's where no certificate
  /// binds another.
  std::vector<digest> digests;

  [[nodiscard]] sequence_number max_s() const { return min_s.plus(digests.size()); }
};

/// Computes the plan of valid VIEW-CHANGEs. Pure; the order of `view_changes` does not matter.
[[nodiscard]] new_view_plan plan_of(const std::vector<view_change>& view_changes);

/// The statements that the primary of `view` signs as PRE-PREPAREs for `plan`: O of §4.4, in the order of the sequence
/// numbers.
[[nodiscard]] std::vector<statement> reproposals_of(const new_view_plan& plan, view_number view, replica_id primary,
                                                    epoch_number epoch);

}  // namespace hypermesh
