#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// Whether the present state is known to be wrong (attack 27). Pure. The only instance belongs to `replicated_state`,
/// because that class owns the state.
///
/// Another actor reports a certificate that contradicts a root of this replica. The report may arrive after the wrong
/// state was replaced; it then has no effect.
class divergence_tracker {
 public:
  /// A quorum certified another state after `sequence`. Returns false if an installed state already covers that
  /// sequence number.
  bool on_disproven(sequence_number sequence) {
    if (sequence <= installed_) return false;
    at_ = std::max(at_.value_or(sequence), sequence);
    return true;
  }

  /// The certified state after `sequence` was installed. Returns whether it replaced a wrong state.
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

}  // namespace hypermesh::protocol
