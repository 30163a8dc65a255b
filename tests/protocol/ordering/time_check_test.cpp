#include "actors/protocol/ordering/time_check.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr wall_time noon{std::chrono::hours{12}};
constexpr duration skew_max = 10s;

}  // namespace

TEST_CASE("a backup vouches for a time up to the bound ahead of its clock (attack 42)") {
  time_check checks{skew_max};
  checks.on_wall_clock(noon);
  CHECK(checks.vouches_for(noon));
  CHECK(checks.vouches_for(noon + 10s));
  CHECK_FALSE(checks.vouches_for(noon + 10s + 1ms));
  // The clock goes on, so the backup waits at most for the rest.
  checks.on_wall_clock(noon + 1ms);
  CHECK(checks.vouches_for(noon + 10s + 1ms));
}

TEST_CASE("no time is too early, because the order does not follow an early time") {
  time_check checks{skew_max};
  checks.on_wall_clock(noon);
  CHECK(checks.vouches_for(wall_time{1ms}));
  CHECK(checks.vouches_for(wall_time{}));
}

TEST_CASE("a clock that steps back makes the backup stricter") {
  time_check checks{skew_max};
  checks.on_wall_clock(noon);
  checks.on_wall_clock(noon - std::chrono::hours{1});
  CHECK_FALSE(checks.vouches_for(noon));
  CHECK(checks.vouches_for(noon - std::chrono::hours{1}));
}

TEST_CASE("without a reading a backup vouches only for a batch without a time") {
  const time_check checks{skew_max};
  CHECK(checks.vouches_for(wall_time{}));
  CHECK_FALSE(checks.vouches_for(wall_time{1ms}));
}
