#pragma once

#include <chrono>

#include "messages/time.hpp"

namespace hypermesh::actors {

/// The present moment on the actor system's clock, which is virtual in simulations. No other code reads this clock. The
/// auditor (`runtime/audit`) also reads the wall clock, for the times of its entries.
template <class Self>
moment now_of(Self* self) {
  return moment{std::chrono::duration_cast<duration>(self->clock().now().time_since_epoch())};
}

}  // namespace hypermesh::actors
