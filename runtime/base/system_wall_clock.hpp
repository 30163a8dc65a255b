#pragma once

#include <chrono>

#include "actors/ports.hpp"

namespace hypermesh::base {

/// The wall clock of the operating system, which NTP or an operator may step.
class system_wall_clock final : public wall_clock {
 public:
  [[nodiscard]] wall_time now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace hypermesh::base
