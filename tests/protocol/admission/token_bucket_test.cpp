#include "actors/protocol/admission/token_bucket.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The number of tokens that can be taken at once.
std::uint64_t takable(token_bucket& tested, microseconds_t now) {
  std::uint64_t count = 0;
  while (tested.take(8, 1, 250, now))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a token bucket gives its tokens at once, and then one per period") {
  token_bucket tested{8, 0};
  CHECK(takable(tested, 0) == 8);
  CHECK(takable(tested, 249) == 0);
  CHECK(takable(tested, 250) == 1);
  CHECK(takable(tested, 1'000) == 3);
}

TEST_CASE("a token bucket never holds more than its bound, however long it is not used") {
  token_bucket tested{8, 0};
  CHECK(takable(tested, 1'000'000) == 8);
  tested.add(100, 8);
  CHECK(takable(tested, 1'000'000) == 8);
}

TEST_CASE("a part of a period is not lost when a token is taken") {
  token_bucket tested{0, 0};
  CHECK(takable(tested, 200) == 0);
  CHECK(takable(tested, 260) == 1);
  CHECK(takable(tested, 499) == 0);
  CHECK(takable(tested, 500) == 1);
}

TEST_CASE("a pause empties the bucket, and no token is earned before it ends") {
  token_bucket tested{8, 0};
  tested.pause(5'000);
  CHECK(takable(tested, 4'999) == 0);
  CHECK(takable(tested, 5'249) == 0);
  CHECK(takable(tested, 5'250) == 1);
}

TEST_CASE("a clock that stands still or goes back adds no token and breaks nothing") {
  token_bucket tested{1, 1'000};
  CHECK(takable(tested, 500) == 1);
  CHECK(takable(tested, 500) == 0);
  CHECK(takable(tested, 1'250) == 1);
}
