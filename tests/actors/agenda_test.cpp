#include "actors/agenda.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::actors;

namespace {

constexpr moment start{1s};

using items = std::vector<int>;

}  // namespace

TEST_CASE("a lone item has a timer of its own, exactly when it is due") {
  agenda<int> list;
  CHECK(list.add(1, start + 20ms, start) == 20ms);
  CHECK(list.take_due(start + 19ms).empty());
  CHECK(list.arm(start + 19ms).has_value());
  CHECK(list.take_due(start + 21ms) == items{1});
  CHECK_FALSE(list.arm(start + 21ms));
}

TEST_CASE("many items share one timer, and none is forgotten") {
  agenda<int> list;
  std::size_t timers = 0;
  for (int number = 0; number < 100; ++number)
    timers += list.add(number, start + 20ms + number * 10us, start + number * 10us) ? 1 : 0;
  CHECK(timers == 1);
  auto now = start + 20ms;
  std::size_t seen = 0;
  for (int round = 0; round < 10 && seen < 100; ++round) {
    seen += list.take_due(now).size();
    const auto next = list.arm(now);
    if (!next) break;
    CHECK(*next >= agenda<int>::grain);
    now += *next;
  }
  CHECK(seen == 100);
}

TEST_CASE("an earlier item gets an earlier timer") {
  agenda<int> list;
  CHECK(list.add(1, start + 400ms, start) == 400ms);
  CHECK(list.add(2, start + 20ms, start) == 20ms);
  CHECK_FALSE(list.add(3, start + 50ms, start));
  CHECK(list.take_due(start + 20ms) == items{2});
  CHECK(list.arm(start + 20ms) == 30ms);
}
