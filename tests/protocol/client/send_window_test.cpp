#include "actors/protocol/client/send_window.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace hypermesh;
using namespace hypermesh::protocol;

namespace {

constexpr duration resend = 500ms;
constexpr duration late = 200ms;

send_window window_of(std::size_t most) { return {most, resend}; }

/// Requests that were sent together and are answered together, as a round.
struct answered_round {
  int count = 0;
  moment sent{};
  duration took{};
};

void give(send_window& to, const answered_round& round, std::size_t under_way) {
  for (int each = 0; each < round.count; ++each)
    to.on_answered(round.sent, under_way, round.sent + round.took);
}

/// A client that always has more requests, and a group that executes them one after the other.
struct window_bench {
  send_window tested = window_of(128);
  moment now{1h};

  /// The group executes `count` requests. Each takes `service`, and its answer needs `route` in addition. The client
  /// sends each again when it is due, which changes nothing but the window.
  void run(int count, duration service, duration route = 1ms) {
    for (int each = 0; each < count; ++each) {
      while (under_way_.size() < tested.size())
        under_way_.push_back({now, now + tested.resend_after()});
      const auto next = under_way_.front();
      now = std::max(now + service, next.sent_at + route);
      if (now >= next.resend_at) tested.on_lost(next.sent_at, next.resend_at);
      longest = std::max(longest, now - next.sent_at);
      tested.on_answered(next.sent_at, under_way_.size(), now);
      under_way_.pop_front();
    }
  }
  /// The longest time of an answer.
  duration longest{};

 private:
  struct open_request {
    moment sent_at{};
    moment resend_at{};
  };
  std::deque<open_request> under_way_ = {};
};

}  // namespace

TEST_CASE("the window doubles with each round, and not beyond its bound") {
  window_bench bench;
  CHECK(bench.tested.size() == 4);
  bench.run(4, 10us);
  CHECK(bench.tested.size() == 8);
  bench.run(8, 10us);
  CHECK(bench.tested.size() == 16);
  bench.run(1'000, 10us);
  CHECK(bench.tested.size() == 128);
  CHECK(window_of(1).size() == 1);
}

TEST_CASE("a window that is not half full does not grow") {
  auto tested = window_of(128);
  give(tested, {100, moment{1h}, 1ms}, 1);
  CHECK(tested.size() == 4);
  give(tested, {1, moment{1h}, 1ms}, 2);
  CHECK(tested.size() == 5);
}

TEST_CASE("the queue of a busy group stays short, and the group always has work") {
  // The share of one client may be 100 to 2,000 requests a second.
  for (const auto service : {duration{10ms}, duration{2ms}, duration{500us}}) {
    window_bench bench;
    bench.run(2'000, service);
    bench.longest = {};
    bench.run(1'000, service);
    CAPTURE(service.count());
    CHECK(bench.longest <= late + service);
    CHECK(bench.longest >= std::min(late / 2, 128 * service));
  }
}

TEST_CASE("late answers of one round shrink the window once, and then it grows by one in each round") {
  auto tested = window_of(128);
  const moment sent{1h};
  give(tested, {12, sent - 10ms, 10ms}, 16);
  REQUIRE(tested.size() == 16);
  give(tested, {16, sent, 210ms}, 16);
  CHECK(tested.size() == 12);
  give(tested, {12, sent + 300ms, 10ms}, 12);
  CHECK(tested.size() == 13);
}

TEST_CASE("lost requests of one round halve the window once, and at least four requests may be under way") {
  auto tested = window_of(128);
  const moment now{1h};
  give(tested, {16, now - 10ms, 10ms}, 20);
  REQUIRE(tested.size() == 20);
  for (int each = 0; each < 5; ++each)
    tested.on_lost(now, now + 1s);
  CHECK(tested.size() == 10);
  for (int round = 1; round < 10; ++round)
    tested.on_lost(now + round * 2s, now + round * 2s + 1s);
  CHECK(tested.size() == send_window::least);
  auto small = window_of(2);
  small.on_lost(now, now + 1s);
  CHECK(small.size() == 2);
  // It grows again when answers come.
  give(tested, {8, now + 1min, 1ms}, 4);
  CHECK(tested.size() > send_window::least);
}

TEST_CASE("a long route is no queue, also if it is longer than the time after which requests are sent again") {
  for (const auto route : {duration{400ms}, duration{900ms}}) {
    CAPTURE(route.count());
    window_bench bench;
    bench.run(20'000, 10us, route);
    CHECK(bench.tested.late_after() == route + route / 4);
    CHECK(bench.tested.resend_after() >= 2 * route);
    CHECK(bench.tested.resend_after() <= 2 * route + 1ms);
    CHECK(bench.tested.size() == 128);
    bench.run(100'000, 10us, 10ms);
    CHECK(bench.tested.late_after() == late);
    bench.run(50'000, 10us, route);
    CHECK(bench.tested.late_after() == route + route / 4);
    CHECK(bench.tested.size() == 128);
  }
}
