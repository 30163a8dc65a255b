#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tools/hypermesh-lab/demo/demo_state.hpp"

namespace hypermesh::lab {

/// What became of an order: the sentence that says what was done, or why it was refused and what to do.
using order_reply = or_error<std::string>;

/// Carries the orders of pages to the main thread, which owns all processes, and the replies back. Thread-safe. Memory:
/// `waiting_max` orders.
class order_inbox {
 public:
  static constexpr std::size_t waiting_max = 8;

  /// An order whose sender waits. The main thread replies once; without a reply the sender waits until its patience
  /// ends.
  class order {
   public:
    explicit order(demo_request request) : request_(request) {}

    [[nodiscard]] const demo_request& request() const { return request_; }

   private:
    friend class order_inbox;
    demo_request request_;
    std::optional<order_reply> reply_;
  };

  /// Waits for the reply to an order. Called by the threads of the server.
  [[nodiscard]] order_reply send(const demo_request& request, std::chrono::milliseconds patience);

  /// The oldest order that nobody has taken. Called by the main thread.
  [[nodiscard]] std::shared_ptr<order> take();
  void reply(const std::shared_ptr<order>& to, order_reply reply);

  /// Refuses all orders that have no reply and all further ones.
  void close();

 private:
  std::mutex guard_;
  std::condition_variable replied_;
  std::deque<std::shared_ptr<order>> waiting_;
  bool is_closed_ = false;
};

}  // namespace hypermesh::lab
