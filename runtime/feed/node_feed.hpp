#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/feed/event_log.hpp"
#include "runtime/feed/operation_log.hpp"

namespace hypermesh::feed {

/// The two logs of a node behind one lock: the node's monitor writes, subscribers on other threads read and wait. A
/// subscriber never delays the node for longer than one page takes to copy.
class node_feed {
 public:
  /// Called on the thread of the monitor after news, without the lock. It must return at once.
  using listener = std::function<void()>;

  node_feed(replica_id self, std::uint32_t replicas) : reader_(self, replicas) {}

  void on_observation(const observation& what);
  void add_event(node_event what);
  /// The node stopped: nobody waits from now on.
  void close();
  /// Sets the one listener; an empty one removes it.
  void set_listener(listener told);

  /// The evidence that this node found in this run, the newest pieces. Each has at most 1 MiB.
  static constexpr std::size_t evidence_max = 64;
  [[nodiscard]] std::vector<std::shared_ptr<const messages::evidence>> evidence() const;

  /// Return at once.
  [[nodiscard]] operation_page operations_from(operation_position from, page_limits limits = {}) const;
  [[nodiscard]] event_page events_from(std::uint64_t from, std::size_t max) const;
  [[nodiscard]] operation_position operations_end() const;
  [[nodiscard]] std::uint64_t events_end() const;

  /// Wait until there is something to read, `patience` has passed, or the feed is closed.
  [[nodiscard]] operation_page wait_for_operations(operation_position from, std::chrono::milliseconds patience) const;
  [[nodiscard]] event_page wait_for_events(std::uint64_t from, std::chrono::milliseconds patience) const;

 private:
  /// Returns whether the log of operations has grown. The caller holds the lock.
  bool note_operations(const observation& what);
  void tell();

  mutable std::mutex guard_;
  mutable std::condition_variable changed_;
  event_reader reader_;
  event_log events_;
  operation_log operations_;
  std::deque<std::shared_ptr<const messages::evidence>> evidence_;
  listener listener_;
  bool is_closed_ = false;
};

/// The streams of `consensus_manager`.
[[nodiscard]] std::unique_ptr<event_stream> events_of(std::shared_ptr<const node_feed> from);
[[nodiscard]] std::unique_ptr<operation_stream> operations_of(std::shared_ptr<const node_feed> from,
                                                              std::optional<operation_position> first);

}  // namespace hypermesh::feed
