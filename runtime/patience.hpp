#pragma once

#include <algorithm>
#include <chrono>

namespace hypermesh::runtime {

/// The time that a function of a host waits at most, for the `patience` of its caller. A host that wants to wait for
/// ever passes the largest value of the type; a clock to which that is added overflows, and the wait would end at once.
/// A year is as good, and fits into the nanoseconds of every clock.
[[nodiscard]] constexpr std::chrono::milliseconds bounded(std::chrono::milliseconds patience) {
  return std::clamp<std::chrono::milliseconds>(patience, std::chrono::milliseconds{0}, std::chrono::hours{24 * 365});
}

}  // namespace hypermesh::runtime
