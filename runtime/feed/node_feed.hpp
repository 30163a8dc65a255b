#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <hypermesh/reports.hpp>

#include "actors/protocol/base/cluster.hpp"
#include "runtime/feed/event_log.hpp"
#include "runtime/feed/operation_log.hpp"

namespace hypermesh::feed {

/// Evidence that a node found, as a SYSTEM-REQUEST frame, which every member can verify.
struct found_evidence {
  principal accused;
  frame_ptr frame;
};

/// Whether a feed keeps the evidence that its node finds. A host without actors gets no evidence, so its feed keeps
/// none.
enum class kept_evidence { none, newest };

/// The two logs of a node behind one lock: the node's monitor writes, subscribers on other threads read and wait. A
/// subscriber never delays the node for longer than one page takes to copy.
class node_feed {
 public:
  /// Called on the thread of the monitor after news, without the lock. It must return at once.
  using listener = std::function<void()>;

  node_feed(replica_id self, const cluster_parameters& cluster, kept_evidence keeps = kept_evidence::none)
      : self_(self), cluster_(cluster), keeps_(keeps), reader_(cluster) {}

  void on_observation(const observation& what);
  /// The node failed; the event is `failed`.
  void on_failure(const world_error& error);
  /// The node is being drained. Only the first call makes an event.
  void on_draining();
  /// The node stopped: nobody waits from now on.
  void close();
  /// Sets the one listener; an empty one removes it.
  void set_listener(listener told);

  /// The evidence that this node found in this run: the newest pieces, of at most `evidence_bytes_max` together. One
  /// piece has at most 1 MiB, so these are at least the newest 16 pieces.
  static constexpr std::size_t evidence_max = 64;
  static constexpr std::size_t evidence_bytes_max = 16 * 1024 * 1024;
  [[nodiscard]] std::vector<found_evidence> evidence() const;

  /// Return at once.
  [[nodiscard]] operation_page operations_from(operation_position from, page_limits limits = {}) const;
  [[nodiscard]] event_page events_from(std::uint64_t from, std::size_t max) const;
  [[nodiscard]] operation_position operations_end() const;
  [[nodiscard]] std::uint64_t events_end() const;
  [[nodiscard]] bool is_closed() const;

  /// Wait until there is something to read, `patience` has passed, or the feed is closed.
  [[nodiscard]] operation_page wait_for_operations(operation_position from, std::chrono::milliseconds patience) const;
  [[nodiscard]] event_page wait_for_events(std::uint64_t from, std::chrono::milliseconds patience) const;

 private:
  void add_event(node_event what);
  void note_evidence(const fault_proven& found);
  /// Returns whether the log of operations has grown. The caller holds the lock.
  bool note_operations(const observation& what);
  void tell();

  replica_id self_;
  cluster_parameters cluster_;
  kept_evidence keeps_;
  mutable std::mutex guard_;
  mutable std::condition_variable changed_;
  event_reader reader_;
  event_log events_;
  operation_log operations_;
  std::deque<found_evidence> evidence_;
  std::size_t evidence_bytes_ = 0;
  listener listener_;
  bool is_draining_ = false;
  bool is_closed_ = false;
};

/// The streams of `consensus_manager`.
[[nodiscard]] std::unique_ptr<hypermesh::event_stream> events_of(std::shared_ptr<const node_feed> from);
[[nodiscard]] std::unique_ptr<operation_stream> operations_of(std::shared_ptr<const node_feed> from,
                                                              std::optional<operation_position> first);

}  // namespace hypermesh::feed
