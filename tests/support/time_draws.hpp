#pragma once

#include "messages/time.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// Draws a duration of at least zero and less than `bound`, in whole microseconds. Takes one number from `chance`.
[[nodiscard]] inline duration draw_below(splitmix64& chance, duration bound) {
  return duration{chance.below(static_cast<std::uint64_t>(bound.count()))};
}

/// Draws a moment from `first` on and before `end`. Takes one number from `chance`.
[[nodiscard]] inline moment draw_between(splitmix64& chance, moment first, moment end) {
  return first + draw_below(chance, end - first);
}

}  // namespace hypermesh::testing
