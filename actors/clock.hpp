#pragma once

#include <chrono>

#include "messages/types.hpp"

namespace hypermesh::actors {

/// The time of the actor system's clock, the only clock that actors read. It is virtual in simulations.
template <class Self>
microseconds_t now_of(Self* self) {
  return static_cast<microseconds_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(self->clock().now().time_since_epoch()).count());
}

}  // namespace hypermesh::actors
