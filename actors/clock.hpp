#pragma once

#include <chrono>

#include "messages/time.hpp"

namespace hypermesh::actors {

/// The time of the actor system's clock, the only clock that actors read. It is virtual in simulations.
template <class Self>
moment now_of(Self* self) {
  return moment{std::chrono::duration_cast<duration>(self->clock().now().time_since_epoch())};
}

}  // namespace hypermesh::actors
