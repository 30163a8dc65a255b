#include "runtime/group_watch.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::runtime;

TEST_CASE("a drain waits in vain when fewer replicas than a quorum are linked for a second") {
  const auto start = std::chrono::steady_clock::time_point{};
  const auto at = [start](int time_ms) { return start + std::chrono::milliseconds{time_ms}; };
  group_watch group{group_size{7}, start};
  // Five of seven are a quorum, so four links are enough.
  CHECK_FALSE(group.is_gone(3, at(999)));
  CHECK_FALSE(group.is_gone(4, at(1'000)));
  // The links that were open again begin a new measurement.
  CHECK_FALSE(group.is_gone(3, at(1'999)));
  CHECK(group.is_gone(3, at(2'000)));
  CHECK(group.is_gone(6, at(2'100)));
  CHECK(group.was_gone());
}
