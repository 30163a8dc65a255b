#pragma once

#include <chrono>

#include "messages/layers.hpp"
#include "messages/time.hpp"

namespace hypermesh::base {

/// The present moment of the steady clock, which all processes of a machine share. The clock of a real actor system is
/// the same one, so this moment can be compared with those in observations.
[[nodiscard]] inline moment steady_moment() {
  return moment{std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

}  // namespace hypermesh::base
