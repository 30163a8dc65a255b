#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "messages/types.hpp"

namespace hypermesh {

/// Whether this replica's state is known to be wrong (attack 27), kept alike by everybody who must know. News travels
/// between actors: that of a divergence may arrive after the state that replaced the wrong one, and says nothing then.
class divergence {
 public:
  /// A quorum certified another state after `sequence`. False when what was installed covers that already.
  bool on_diverged(sequence_number sequence) {
    if (sequence <= installed_) return false;
    at_ = std::max(at_.value_or(sequence), sequence);
    return true;
  }

  /// The certified state after `sequence` is in place. Whether it replaced a wrong one.
  bool on_installed(sequence_number sequence) {
    installed_ = std::max(installed_, sequence);
    if (!at_) return false;
    at_.reset();
    ++repairs_;
    return true;
  }

  [[nodiscard]] bool exists() const { return at_.has_value(); }
  /// How many it were that are over.
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }
  /// Whether the certified state after `sequence` would end it: an older one would be right too, but what follows it
  /// may be cut from the log already, and could not be executed again.
  [[nodiscard]] bool ends_with(sequence_number sequence) const { return at_.has_value() && sequence >= *at_; }

 private:
  /// The newest sequence at which the state is known to be wrong.
  std::optional<sequence_number> at_;
  /// The newest state that was installed.
  sequence_number installed_;
  std::uint64_t repairs_ = 0;
};

}  // namespace hypermesh
