#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>

namespace hypermesh {

/// A length of time. The difference of two moments may be negative. Settings of files are checked by the configuration
/// reader, and those of a client by `check_client_settings`, so that the sum of a moment and a setting cannot overflow.
using duration = std::chrono::duration<std::int64_t, std::micro>;

/// The clock of the actor system. It never steps, and only the difference of two of its moments has a meaning. It has
/// no `now`, because actors/clock.hpp is the only place that reads the actor system's clock.
struct node_clock {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<node_clock, duration>;
  static constexpr bool is_steady = true;
};

/// A moment on the clock of the actor system.
using moment = node_clock::time_point;

/// A time on a wall clock, since the Unix epoch, in UTC without leap seconds. A wall clock may be wrong and may step in
/// both directions, so no time-out depends on it. It has no `now`, because actors/clock.hpp is the only place of the
/// actors that reads a wall clock.
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// Literals such as `150ms`.
using namespace std::chrono_literals;

}  // namespace hypermesh
