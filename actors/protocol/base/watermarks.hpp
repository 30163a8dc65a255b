#pragma once

#include "messages/require.hpp"
#include "messages/types.hpp"

namespace hypermesh::protocol {

/// h and H of §4.2. Pure. h is the sequence of the last stable checkpoint whose state this
/// replica has, so h is never above the executed sequence numbers (attack 15). h never
/// decreases.
class watermarks {
 public:
  explicit watermarks(std::uint32_t window) : window_(window) { require(window > 0, "the window is not empty"); }

  [[nodiscard]] sequence_number low() const { return low_; }
  [[nodiscard]] sequence_number high() const { return low_.plus(window_); }

  /// §4.2: "the sequence number in the pre-prepare message is between a low water mark, h, and a
  /// high water mark, H": h < n ≤ H.
  [[nodiscard]] bool contains(sequence_number sequence) const { return low_ < sequence && sequence <= high(); }

  void advance_to(sequence_number stable) {
    require(stable >= low_, "the low watermark only grows");
    low_ = stable;
  }

 private:
  std::uint32_t window_;
  sequence_number low_;
};

}  // namespace hypermesh::protocol
