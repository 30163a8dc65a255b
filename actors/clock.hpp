#pragma once

#include <algorithm>
#include <chrono>

#include "actors/ports.hpp"
#include "messages/limits.hpp"

namespace hypermesh::actors {

/// The present moment on the actor system's clock, which is virtual in simulations. No other code reads this clock. The
/// auditor (`runtime/audit`) also reads the wall clock, for the times of its entries.
template <class Self>
moment now_of(Self* self) {
  return moment{std::chrono::duration_cast<duration>(self->clock().now().time_since_epoch())};
}

/// The reading of a node's wall clock, in the range that a batch may carry. Zero, which means no time, if the node has
/// no wall clock.
inline wall_time wall_time_of(const std::shared_ptr<const wall_clock>& clock) {
  constexpr wall_time last{std::chrono::milliseconds{limits::proposed_time_ms_max}};
  return clock == nullptr ? wall_time{} : std::clamp(clock->now(), wall_time{}, last);
}

}  // namespace hypermesh::actors
