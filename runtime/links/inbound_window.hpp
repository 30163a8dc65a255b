#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace hypermesh::links {

/// Bounds the bytes that one remote node has delivered and this node has not handled yet (attack 33). Each frame takes
/// credit. When more than `bytes_max` is taken, the link stops reading, and TCP then slows the sender down. When at
/// most half of `bytes_max` is taken, the link reads again. The window does not depend on CAF: `reopened` wakes the
/// link.
///
/// `take`, `exceeded` and `must_halt` are called on the link's thread. Credit may be released on any thread and may
/// outlive the link.
class inbound_window : public std::enable_shared_from_this<inbound_window> {
 public:
  /// The memory in bytes that a frame costs besides its content: the message, two control blocks, the place in a
  /// mailbox.
  static constexpr std::size_t frame_overhead_bytes = 256;

  /// `reopened` is called on the thread that releases the credit, once for each time that `must_halt` returned true.
  inbound_window(std::size_t bytes_max, std::function<void()> reopened)
      : bytes_max_(bytes_max), reopened_(std::move(reopened)) {}

  /// Counts a frame until the returned value is destroyed.
  [[nodiscard]] std::shared_ptr<void> take(std::size_t frame_bytes);

  [[nodiscard]] bool exceeded() const { return outstanding_.load() > bytes_max_; }

  /// Call this when `exceeded` is true. True means that reading must stop until `reopened` is called. False means that
  /// enough credit was released in the meantime: reading continues, and `reopened` is not called.
  [[nodiscard]] bool must_halt();

  /// The number of bytes whose credit is taken. For tests.
  [[nodiscard]] std::size_t outstanding_bytes() const { return outstanding_.load(); }

 private:
  struct credit;

  void release(std::size_t bytes);

  const std::size_t bytes_max_;
  const std::function<void()> reopened_;
  // The link writes `halted_` and then reads `outstanding_`; a releasing thread writes `outstanding_` and then reads
  // `halted_`. In the single total order of seq_cst, at least one of the two threads sees the other thread's write, so
  // no wake-up is lost. The exchange makes exactly one thread act on the flag.
  std::atomic<std::size_t> outstanding_{0};
  std::atomic<bool> halted_{false};
};

}  // namespace hypermesh::links
