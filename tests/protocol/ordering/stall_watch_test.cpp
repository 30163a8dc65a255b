#include "actors/protocol/ordering/stall_watch.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("a tick is stalled if neither execution nor decision advanced since the previous one") {
  stall_watch tested;
  CHECK(tested.on_tick(sequence_number{0}, sequence_number{0}));
  CHECK_FALSE(tested.on_tick(sequence_number{0}, sequence_number{1}));
  CHECK_FALSE(tested.on_tick(sequence_number{1}, sequence_number{1}));
  CHECK(tested.on_tick(sequence_number{1}, sequence_number{1}));
  // A repair sets execution back, which is not a stall.
  CHECK_FALSE(tested.on_tick(sequence_number{0}, sequence_number{1}));
}

TEST_CASE("the wait for a state restarts after h moved") {
  stall_watch tested;
  CHECK(tested.count_wait() == 1);
  CHECK(tested.count_wait() == 2);
  tested.end_wait();
  CHECK(tested.count_wait() == 1);
}
