#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>

namespace hypermesh {

/// A length of time. May be negative as a difference of moments; settings are checked to be positive where they are
/// read.
using duration = std::chrono::duration<std::int64_t, std::micro>;

/// The clock of the actor system: it never steps, and only differences of its moments mean anything.
/// No `now`: actors/clock.hpp is the only place that reads it.
struct node_clock {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<node_clock, duration>;
  static constexpr bool is_steady = true;
};

/// A moment on the clock of the actor system.
using moment = node_clock::time_point;

/// `150ms` reads as in a text.
using namespace std::chrono_literals;

}  // namespace hypermesh
