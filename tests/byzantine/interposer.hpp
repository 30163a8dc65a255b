#pragma once

#include <memory>

#include "tests/byzantine/adversary.hpp"

namespace hypermesh::testing {

/// Stands between a member and its links. It shows each frame to the strategy and remembers the newest frames.
class interposer {
 public:
  interposer(adversary_hands hands, std::unique_ptr<adversary> strategy);

  /// Called when the node sends. Returns the frame that leaves in its place, or null when no frame leaves.
  [[nodiscard]] frame_ptr on_send(principal to, const frame_ptr& frame);
  /// Called when a frame arrives. Returns the frame for the node, or null.
  [[nodiscard]] frame_ptr on_receive(principal from, const frame_ptr& frame);
  void on_tick() { strategy_->on_tick(hands_); }

 private:
  adversary_hands hands_;
  std::unique_ptr<adversary> strategy_;
};

}  // namespace hypermesh::testing
