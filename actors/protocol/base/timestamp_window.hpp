#pragma once

#include <cstddef>
#include <set>

#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The recent timestamps of one session that are done. Pure. Differs from §4.1, which orders a client's requests by
/// timestamp and keeps only the last one, because a session may have many requests in flight. The window keeps the
/// latest `requests_in_flight_max` done timestamps. When a timestamp falls out of the window, it and all smaller ones
/// are past. A client never loses a request if its oldest open request is less than a window behind its newest one. A
/// client that jumps to the largest timestamp harms only itself (attack 34).
///
/// In an ordered session only the timestamp after the last done one is fresh, and later ones are early. Example: 1 and
/// 2 are done. 3 is fresh, 4 is early. When 3 is done, 4 is fresh.
///
/// Memory: `requests_in_flight_max` timestamps.
class timestamp_window {
 public:
  enum class standing { fresh, early, done, past };

  explicit timestamp_window(session_mode mode = session_mode::independent) : mode_(mode) {}

  [[nodiscard]] session_mode mode() const { return mode_; }

  [[nodiscard]] standing of(timestamp when) const {
    if (when <= floor_) return standing::past;
    if (done_.contains(when)) return standing::done;
    return mode_ == session_mode::ordered && when != next() ? standing::early : standing::fresh;
  }

  /// The timestamp after the newest one that is done.
  [[nodiscard]] timestamp next() const { return done_.empty() ? floor_.next() : done_.rbegin()->next(); }

  /// Marks a fresh timestamp as done. If the window is full, its smallest timestamp falls out.
  void mark_done(timestamp when) {
    if (of(when) != standing::fresh) return;
    done_.insert(when);
    while (done_.size() > limits::requests_in_flight_max)
      raise_floor();
  }

  /// The largest timestamp that is past.
  [[nodiscard]] timestamp floor() const { return floor_; }
  [[nodiscard]] const std::set<timestamp>& done() const { return done_; }

  /// Replaces the content. All of `done` must be above `floor`.
  void assign(timestamp floor, std::set<timestamp> done) {
    floor_ = floor;
    done_ = std::move(done);
  }

  friend bool operator==(const timestamp_window&, const timestamp_window&) = default;

 private:
  /// Drops the smallest done timestamp. It and all smaller timestamps are past from now on.
  void raise_floor() {
    floor_ = *done_.begin();
    done_.erase(done_.begin());
  }

  session_mode mode_;
  /// The largest timestamp that is past. It begins with 0, because no client uses timestamp 0 for an operation.
  timestamp floor_;
  std::set<timestamp> done_;
};

}  // namespace hypermesh::protocol
