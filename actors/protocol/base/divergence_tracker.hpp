#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "messages/types.hpp"

namespace hypermesh {

/// Whether this replica's state is known to be wrong (attack 27). Pure. Each class that must know has a tracker of its
/// own, and all of them follow the same rules. News travels between actors, so the news of a divergence may arrive
/// after the state that replaced the wrong one. It has no effect then.
class divergence_tracker {
 public:
  /// A quorum certified another state after `sequence`. False when an installed state covers that sequence already.
  bool on_diverged(sequence_number sequence) {
    if (sequence <= installed_) return false;
    at_ = std::max(at_.value_or(sequence), sequence);
    return true;
  }

  /// The certified state after `sequence` is in place. Returns whether it replaced a wrong one.
  bool on_installed(sequence_number sequence) {
    installed_ = std::max(installed_, sequence);
    if (!at_) return false;
    at_.reset();
    ++repairs_;
    return true;
  }

  [[nodiscard]] bool exists() const { return at_.has_value(); }
  /// How many divergences were repaired.
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }
  /// Whether the certified state after `sequence` would end the divergence. An older certified state is correct too,
  /// but the batches after it may be cut from the log already, so they could not be executed again.
  [[nodiscard]] bool ends_with(sequence_number sequence) const { return at_.has_value() && sequence >= *at_; }

 private:
  /// The newest sequence at which the state is known to be wrong.
  std::optional<sequence_number> at_;
  /// The newest state that was installed.
  sequence_number installed_;
  std::uint64_t repairs_ = 0;
};

}  // namespace hypermesh
