#pragma once

#include "messages/time.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// A length of at least zero and less than `bound`, in whole microseconds. One draw.
[[nodiscard]] inline duration draw_below(splitmix64& chance, duration bound) {
  return duration{chance.below(static_cast<std::uint64_t>(bound.count()))};
}

/// A moment from `first` on and before `end`. One draw.
[[nodiscard]] inline moment draw_between(splitmix64& chance, moment first, moment end) {
  return first + draw_below(chance, end - first);
}

}  // namespace hypermesh::testing
