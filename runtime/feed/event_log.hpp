#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <hypermesh/reports.hpp>

#include "runtime/events/event_limiter.hpp"
#include "runtime/events/event_maker.hpp"

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

/// The events of the table that are for hosts (`runtime/events`), with the lines of the log. Pure. Memory: fixed.
class event_reader {
 public:
  explicit event_reader(const cluster_parameters& cluster) : events_(cluster) {}

  /// Nothing for an observation that is no event for hosts, and for a failed query that came soon after others.
  /// Failures come from the handler of failures, because not all of them are observations.
  [[nodiscard]] std::optional<node_event> of(const observation& what, moment now);

 private:
  runtime::observation_events events_;
  runtime::event_limiter limiter_;
};

}  // namespace hypermesh::feed
