#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// Decides how many requests a client has under way, and after which time it sends one again, by the time that they
/// take. Pure.
///
/// Requests beyond those that the group executes at once stand in queues at the replicas. If the queues are long, each
/// request is sent again before it is executed, every replica verifies it again, and the group executes less the more
/// it is offered. So the window follows the load, as that of TCP does (Jacobson, 1988; Brakmo and Peterson, 1995):
///
/// - It begins with `least` requests. Each answer adds one, so the window doubles with each round. A window that is
///   not half full does not grow, because its answers say nothing about more requests.
/// - An answer that took longer than `late_after()` shows a queue. The window shrinks to three quarters, and from then
///   on it grows by one request with each round. A round is the time from the sending of a request to its answer, and
///   the answers of one round shrink the window once.
/// - A request that has no answer when it is sent again, or that f + 1 replicas refused, halves the window.
///
/// The window never has fewer than `least` requests, or `most`. A batch costs the same votes however few requests it
/// has, so a slow group with one request of each client would become slower still.
///
/// Example: a group executes 2,000 requests a second, and 32 clients have more than that. Answers take 200 ms when
/// the group's queue holds 400 requests, so each window stays at about twelve requests.
///
/// Memory: eight numbers.
class send_window {
 public:
  static constexpr std::size_t least = 4;
  /// The shortest time is that of the present and of the previous period of this length, so a longer route is noticed.
  static constexpr duration period = std::chrono::seconds{60};

  /// `retransmit_after`: no request is sent again earlier.
  send_window(std::size_t most, duration retransmit_after)
      : most_(most), retransmit_after_(retransmit_after), size_(std::min(least, most)), growth_until_(most) {}

  /// A request that was sent at `sent_at` has its answer. Up to now `under_way` requests were under way.
  void on_answered(moment sent_at, std::size_t under_way, moment now);
  /// A request that was sent at `sent_at` was refused, or is sent again because it has no answer.
  void on_lost(moment sent_at, moment now);

  /// The number of requests that may be under way.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// An answer that takes longer shows a queue: two fifths of `retransmit_after`, or a quarter more than the shortest
  /// time of an answer. The second bound is for groups with long routes.
  [[nodiscard]] duration late_after() const;
  /// The time after which a request is sent again: `retransmit_after`, or twice the usual time of an answer. So a
  /// request with a long route is not sent twice.
  [[nodiscard]] duration resend_after() const { return std::max(retransmit_after_, unusual_after()); }
  /// A request that takes longer takes unusually long: twice the usual time of an answer; 0 before the first one.
  [[nodiscard]] duration unusual_after() const { return 2 * usual_.value_or(duration{}); }

 private:
  void measure(duration took, moment now);
  void grow();
  void shrink(std::size_t to, moment now);

  std::size_t most_;
  duration retransmit_after_;
  std::size_t size_;
  /// Below this size each answer adds a request.
  std::size_t growth_until_;
  /// Answers since the window last grew by one request.
  std::size_t answered_ = 0;
  /// Requests that were sent before this moment no longer shrink the window.
  moment shrunk_at_{};
  /// A moving average of the time of an answer.
  std::optional<duration> usual_;
  std::optional<duration> shortest_;
  std::optional<duration> shortest_before_;
  moment period_at_{};
};

}  // namespace hypermesh::protocol
