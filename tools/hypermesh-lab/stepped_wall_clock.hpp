#pragma once

#include <atomic>

#include "runtime/base/system_wall_clock.hpp"

namespace hypermesh::lab {

/// The wall clock of the operating system, with an error that an adversary chooses. Several threads may use it at once.
class stepped_wall_clock final : public wall_clock {
 public:
  [[nodiscard]] wall_time now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(true_clock_.now() + duration{error_us_.load()});
  }

  void step(duration by) { error_us_ += by.count(); }

 private:
  base::system_wall_clock true_clock_;
  std::atomic<std::int64_t> error_us_{0};
};

}  // namespace hypermesh::lab
