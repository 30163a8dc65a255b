#pragma once

#include <chrono>

#include "messages/types.hpp"

namespace hypermesh {

/// The clock of the actor system, the only one that actors read: virtual in simulations.
template <class Self>
microseconds_t now_of(Self* self) {
  return static_cast<microseconds_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(self->clock().now().time_since_epoch()).count());
}

}  // namespace hypermesh
