#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <hypermesh/reports.hpp>

#include "runtime/node_news.hpp"

namespace hypermesh::feed {

struct event_page {
  std::vector<node_event> events;
  /// The number of the event after the last one.
  std::uint64_t next = 1;
  /// Events before the first of this page that the log has forgotten.
  std::uint64_t dropped = 0;
};

/// The last events of a node, for any number of readers. Each reader keeps the number of its next event. Pure. Memory:
/// `events_max` events, each with a line of at most `text_bytes_max`; together about 1 MiB.
class event_log {
 public:
  static constexpr std::size_t events_max = 1'024;
  static constexpr std::size_t text_bytes_max = 1'024;

  /// Gives the event its number, and cuts its text to `text_bytes_max`.
  void add(node_event what);

  [[nodiscard]] event_page read(std::uint64_t from, std::size_t max) const;

  /// The number of the next event.
  [[nodiscard]] std::uint64_t end() const { return next_; }

 private:
  std::deque<node_event> events_;
  std::uint64_t next_ = 1;
};

/// Turns observations into events, with the lines that an operator's log would have. Pure. Memory: fixed.
class event_reader {
 public:
  event_reader(replica_id self, std::uint32_t replicas) : news_(self, replicas) {}

  /// Nothing for an observation that is no event: ordinary progress, counters, rejected frames, and a failed query
  /// that came soon after others. Failures come from the handler of failures, because not all of them are observations.
  [[nodiscard]] std::optional<node_event> of(const observation& what, runtime::node_news::time now);

 private:
  runtime::node_news news_;
};

}  // namespace hypermesh::feed
