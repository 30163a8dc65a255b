#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "messages/types.hpp"

namespace hypermesh {

/// Whether the state in place is known to be wrong (attack 27). Pure; `replicated_state` owns the only one, because it
/// owns the state.
///
/// A certificate that contradicts the own root reaches the owner from another actor. So the news may arrive after the
/// wrong state was replaced, and has no effect then.
class divergence_tracker {
 public:
  /// A quorum certified another state after `sequence`. False when an installed state covers that sequence already.
  bool on_disproven(sequence_number sequence) {
    if (sequence <= installed_) return false;
    at_ = std::max(at_.value_or(sequence), sequence);
    return true;
  }

  /// The certified state after `sequence` is in place. Returns whether it replaced a wrong one.
  bool on_installed(sequence_number sequence) {
    installed_ = std::max(installed_, sequence);
    return std::exchange(at_, std::nullopt).has_value();
  }

  [[nodiscard]] bool exists() const { return at_.has_value(); }
  /// Whether the certified state after `sequence` would end the divergence. An older certified state is correct too,
  /// but the batches after it may be cut from the log already, so they could not be executed again.
  [[nodiscard]] bool ends_with(sequence_number sequence) const { return at_.has_value() && sequence >= *at_; }

 private:
  /// The newest sequence at which the state is known to be wrong.
  std::optional<sequence_number> at_;
  /// The newest state that was installed.
  sequence_number installed_;
};

}  // namespace hypermesh
