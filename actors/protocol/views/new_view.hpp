#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The batches that a set V of VIEW-CHANGEs obliges the new view to propose (§4.4). The primary and the validator of
/// each backup compute it with `plan_of`, so all of them get the same result.
struct new_view_plan {
  /// min-s: "the sequence number of the latest stable checkpoint in V", and its proof.
  sequence_number min_s;
  checkpoint_certificate proof;
  /// The digest for each sequence number from min-s + 1 to max-s. Where V has no certificate, it is the digest of the
  /// null request.
  std::vector<digest> digests;

  [[nodiscard]] sequence_number max_s() const { return min_s.plus(digests.size()); }
};

/// A NEW-VIEW whose V is genuine, with the plan that follows from V. Only three classes create such an object,
/// because they know that V is genuine: `validator`, after it has checked the NEW-VIEW; `view_changer`, which builds
/// the NEW-VIEW of a primary from verified VIEW-CHANGEs; and `record_reader`, which reads a NEW-VIEW that was verified
/// before it was written. So the replica can adopt the plan without computing it again.
class planned_new_view {
 public:
  [[nodiscard]] const new_view& message() const { return *message_; }
  [[nodiscard]] const new_view_plan& plan() const { return plan_; }

 private:
  friend class validator;
  friend class view_changer;
  friend class record_reader;

  planned_new_view(std::shared_ptr<const new_view> message, new_view_plan plan)
      : message_(std::move(message)), plan_(std::move(plan)) {}

  std::shared_ptr<const new_view> message_;
  new_view_plan plan_;
};

/// Computes the plan from at least one VIEW-CHANGE. All VIEW-CHANGEs must have been verified before. Pure. min-s and
/// the digests do not depend on the order of `view_changes`.
[[nodiscard]] new_view_plan plan_of(const std::vector<view_change>& view_changes);

/// The statements that the primary of `view` signs as PRE-PREPAREs for `plan`: O of §4.4, in the order of the sequence
/// numbers.
[[nodiscard]] std::vector<statement> reproposals_of(const new_view_plan& plan, view_number view, replica_id primary,
                                                    epoch_number epoch);

}  // namespace hypermesh::protocol
