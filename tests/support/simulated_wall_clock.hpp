#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// The wall clock of one machine of a simulated world: the virtual time plus the error of this clock. The world, which
/// gives the virtual time, must outlive it.
class simulated_wall_clock final : public wall_clock {
 public:
  /// The wall time at which every world begins: the begin of 2020. It differs from zero, so that a time that was left
  /// out is noticed.
  static constexpr wall_time begin{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}};

  simulated_wall_clock(std::function<moment()> now, duration error) : now_(std::move(now)), error_(error) {}

  [[nodiscard]] wall_time now() const override {
    const auto shown = std::chrono::floor<std::chrono::milliseconds>(begin + now_().time_since_epoch() + error_);
    latest_ = std::max(latest_, shown);
    return shown;
  }

  /// The clock steps forward, or backward if `by` is negative.
  void step(duration by) { error_ += by; }
  /// The latest time that anybody has read from this clock.
  [[nodiscard]] wall_time latest() const { return latest_; }

 private:
  std::function<moment()> now_;
  duration error_;
  mutable wall_time latest_{};
};

}  // namespace hypermesh::testing
