#pragma once

#include <cstdint>

#include "actors/protocol/quorum.hpp"
#include "messages/limits.hpp"
#include "messages/signing.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// What all correct replicas of one epoch agree on before the first message: the genesis
/// content that the protocol needs.
struct cluster_parameters {
  signing_context signing;
  std::uint32_t replicas = limits::replicas_min;
  std::uint32_t clients = 0;
  /// K of §4.3: a checkpoint follows each sequence number divisible by K.
  std::uint32_t checkpoint_period = 128;
  /// L of §4.2: H = h + L. §4.3 wants it "large enough so that replicas do not stall waiting
  /// for a checkpoint to become stable"; twice the period is the paper's example.
  std::uint32_t watermark_window = 256;

  [[nodiscard]] constexpr group_size group() const { return group_size{replicas}; }
  [[nodiscard]] constexpr bool is_checkpoint(sequence_number sequence) const {
    return sequence.value % checkpoint_period == 0;
  }
  /// Whether the numbers make a group that PBFT can run.
  [[nodiscard]] constexpr bool is_valid() const {
    return replicas >= limits::replicas_min && replicas <= limits::replicas_max && clients <= limits::clients_max &&
           checkpoint_period >= 1 && watermark_window >= 2 * checkpoint_period &&
           watermark_window <= limits::watermark_window_max;
  }
};

}  // namespace hypermesh
