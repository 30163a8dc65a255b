#pragma once

#include <chrono>

#include "messages/time.hpp"

namespace hypermesh::lab {

/// A time of the steady clock, which all processes of a machine share, as a moment. The clock of a real actor system
/// is the same one.
[[nodiscard]] inline moment moment_of(std::chrono::steady_clock::time_point time) {
  return moment{std::chrono::duration_cast<duration>(time.time_since_epoch())};
}

}  // namespace hypermesh::lab
