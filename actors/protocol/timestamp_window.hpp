#pragma once

#include <cstddef>
#include <set>

#include "messages/limits.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// Which of one client's recent timestamps are done. Pure. §4.1 orders a client's requests by
/// timestamp and keeps the last one; to let a client have many requests in flight, a window
/// of the latest `requests_in_flight_max` done timestamps is kept instead, and everything below it
/// counts as past. A client whose oldest open request is less than a window behind its newest never
/// loses one. A client that jumps to the largest timestamp hurts itself only (attack 34).
/// Memory: `requests_in_flight_max` timestamps.
class timestamp_window {
 public:
  enum class standing { fresh, done, past };

  [[nodiscard]] standing of(timestamp when) const {
    if (when <= floor_) return standing::past;
    return done_.contains(when) ? standing::done : standing::fresh;
  }

  /// Marks a fresh timestamp as done. Older ones fall out of a full window.
  void mark_done(timestamp when) {
    if (of(when) != standing::fresh) return;
    done_.insert(when);
    while (done_.size() > limits::requests_in_flight_max)
      raise_floor();
  }

  /// Makes everything through `when` past.
  void raise_floor_to(timestamp when) {
    if (when <= floor_) return;
    floor_ = when;
    done_.erase(done_.begin(), done_.upper_bound(when));
  }

  /// The largest timestamp that is past.
  [[nodiscard]] timestamp floor() const { return floor_; }
  [[nodiscard]] const std::set<timestamp>& done() const { return done_; }

  /// Replaces the content; `done` must be above `floor`.
  void assign(timestamp floor, std::set<timestamp> done) {
    floor_ = floor;
    done_ = std::move(done);
  }

 private:
  /// Drops the smallest done timestamp; it and all below are past from now on.
  void raise_floor() {
    floor_ = *done_.begin();
    done_.erase(done_.begin());
  }

  /// Zero: no client uses timestamp 0.
  timestamp floor_;
  std::set<timestamp> done_;
};

}  // namespace hypermesh
