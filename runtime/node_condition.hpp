#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include <hypermesh/expected.hpp>

#include "actors/protocol/base/observations.hpp"

namespace hypermesh::runtime {

/// What the end of a node waits for. Its health is in `health/`.
struct condition_facts {
  view_number view;
  std::uint64_t requests_pending = 0;
  /// Whether the node admits requests of clients.
  bool is_admitting = true;
  /// The host wants the stop at once, without the waits of a drain.
  bool is_hurried = false;
  /// The first error after which the node takes no part.
  or_error<void> running;

  void note(const observation& what);

  /// Whether a drain has nothing to wait for.
  [[nodiscard]] bool must_stop() const { return !running || is_hurried; }
};

/// The facts behind a lock: the monitor writes, the host reads and waits. Shared with the monitor, which may live
/// slightly longer than the host's handle of the node.
class node_condition {
 public:
  void on_observation(const observation& what);
  /// Keeps the first error. Returns whether this is the first one.
  bool on_failure(const world_error& error);
  void on_hurry();

  [[nodiscard]] condition_facts facts() const;

  /// Waits until `holds`, or until `deadline`. Returns whether it holds.
  bool wait_until(std::chrono::steady_clock::time_point deadline,
                  const std::function<bool(const condition_facts&)>& holds) const;

 private:
  template <class Change>
  void change(const Change& by);

  mutable std::mutex guard_;
  mutable std::condition_variable changed_;
  condition_facts facts_;
};

}  // namespace hypermesh::runtime
