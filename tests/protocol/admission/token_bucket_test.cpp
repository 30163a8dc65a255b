#include "actors/protocol/admission/token_bucket.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The number of tokens that can be taken at once.
std::uint64_t takable(token_bucket& tested, moment now) {
  std::uint64_t count = 0;
  while (tested.take(8, 1, 250us, now))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a token bucket gives its tokens at once, and then one per period") {
  token_bucket tested{8, moment{}};
  CHECK(takable(tested, moment{}) == 8);
  CHECK(takable(tested, moment{249us}) == 0);
  CHECK(takable(tested, moment{250us}) == 1);
  CHECK(takable(tested, moment{1ms}) == 3);
}

TEST_CASE("a token bucket never holds more than its bound, however long it is not used") {
  token_bucket tested{8, moment{}};
  CHECK(takable(tested, moment{1s}) == 8);
  tested.add(100, 8);
  CHECK(takable(tested, moment{1s}) == 8);
}

TEST_CASE("a part of a period is not lost when a token is taken") {
  token_bucket tested{0, moment{}};
  CHECK(takable(tested, moment{200us}) == 0);
  CHECK(takable(tested, moment{260us}) == 1);
  CHECK(takable(tested, moment{499us}) == 0);
  CHECK(takable(tested, moment{500us}) == 1);
}

TEST_CASE("a pause empties the bucket, and no token is earned before it ends") {
  token_bucket tested{8, moment{}};
  tested.pause(moment{5ms});
  CHECK(takable(tested, moment{4'999us}) == 0);
  CHECK(takable(tested, moment{5'249us}) == 0);
  CHECK(takable(tested, moment{5'250us}) == 1);
}

TEST_CASE("a clock that stands still or goes back adds no token and breaks nothing") {
  token_bucket tested{1, moment{1ms}};
  CHECK(takable(tested, moment{500us}) == 1);
  CHECK(takable(tested, moment{500us}) == 0);
  CHECK(takable(tested, moment{1'250us}) == 1);
}
