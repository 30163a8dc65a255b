#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace hypermesh {

/// Bounds what one remote node may have delivered and this node has not handled yet (attack 33). Each
/// frame takes credit; when more is out than `bytes_max`, the link stops reading and TCP holds the sender back;
/// when half has come back, it reads again. No CAF in here: the link tells in `reopened` how it is woken.
///
/// `take`, `exceeded` and `must_halt` belong to the link's thread; credit is released from any thread, and may
/// outlive the link.
class inbound_window : public std::enable_shared_from_this<inbound_window> {
 public:
  /// What a frame costs beside its bytes: the message, two control blocks, the place in a mailbox.
  static constexpr std::size_t frame_overhead_bytes = 256;

  /// `reopened` is called from the thread that releases the credit, once for each time that `must_halt`
  /// returned true.
  inbound_window(std::size_t bytes_max, std::function<void()> reopened)
      : bytes_max_(bytes_max), reopened_(std::move(reopened)) {}

  /// Counts a frame until the returned value is released.
  [[nodiscard]] std::shared_ptr<void> take(std::size_t frame_bytes);

  [[nodiscard]] bool exceeded() const { return outstanding_.load() > bytes_max_; }

  /// Called when `exceeded`: true when reading must stop until `reopened` is called. False when so much credit
  /// returned meanwhile that reading goes on; then `reopened` is not called.
  [[nodiscard]] bool must_halt();

  [[nodiscard]] std::size_t outstanding_bytes() const { return outstanding_.load(); }

 private:
  struct credit;

  void release(std::size_t bytes);

  const std::size_t bytes_max_;
  const std::function<void()> reopened_;
  // The link writes `halted_` and then reads `outstanding_`; a releaser writes `outstanding_` and then reads `halted_`.
  // In one total order (seq_cst) at least one of them sees the other's write, so no wake-up is lost;
  // the exchange lets exactly one of them act on it.
  std::atomic<std::size_t> outstanding_{0};
  std::atomic<bool> halted_{false};
};

}  // namespace hypermesh
