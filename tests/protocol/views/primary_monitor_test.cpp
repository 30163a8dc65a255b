#include "actors/protocol/views/primary_monitor.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr duration timeout = 1s;
constexpr duration look = 25ms;
/// The bound on the difference of clocks.
constexpr duration skew_max = 5s;

/// A backup that monitors its primary. The test decides how the primary serves.
struct judging_world {
  primary_monitor judge{skew_max};
  service_report report;
  moment now{1ms};
  duration stay{};
  std::size_t stays_count = 32;
  /// This number of the stays were overtaken, for this time.
  std::size_t overtaken_count = 0;
  duration overtaken{};
  std::uint64_t owed = 0;
  std::optional<suspicion_reason> found;

  judging_world() { judge.on_view(now); }

  /// Waits as the batcher records them: the last `count` waits, of which one has just ended.
  [[nodiscard]] std::vector<ended_wait> last(std::size_t count, duration each) const {
    return std::vector<ended_wait>(count, {std::max(moment{}, now - each), each});
  }
  /// Runs for `time`. Clients wait `wait` each, requests stay `stay`, and `rate` requests a second are executed.
  void serve(duration time, duration wait, std::uint64_t rate) {
    for (duration passed{}; passed < time && !found; passed += look) {
      now += look;
      report.clients_waiting = 1;
      report.longest_wait = wait;
      report.waits = last(32, wait);
      report.stays = last(stays_count, stay);
      for (std::size_t index = 0; index < overtaken_count; ++index)
        report.stays[index].overtaken = overtaken;
      owed += rate * static_cast<std::uint64_t>(look.count());
      report.requests_executed += owed / 1'000'000;
      owed %= 1'000'000;
      found = judge.judge(report, timeout, now);
    }
  }
};

}  // namespace

TEST_CASE("a primary is mute if nothing is executed while a client waits") {
  judging_world world;
  world.report.clients_waiting = 1;
  for (duration waited = look; waited < timeout; waited += look) {
    world.now += look;
    world.report.longest_wait = waited;
    REQUIRE_FALSE(world.judge.judge(world.report, timeout, world.now));
  }
  world.now += look;
  world.report.longest_wait = timeout;
  CHECK(world.judge.judge(world.report, timeout, world.now) == suspicion_reason::mute);
}

TEST_CASE("a primary is not suspected while no client waits") {
  judging_world world;
  world.now += 100 * timeout;
  CHECK_FALSE(world.judge.judge(world.report, timeout, world.now));
  // The first request after a long silence may wait for the whole time-out.
  world.report.clients_waiting = 1;
  world.report.longest_wait = timeout / 2;
  CHECK_FALSE(world.judge.judge(world.report, timeout, world.now));
}

TEST_CASE("a client that waits while the others are served is starved (attack 31)") {
  judging_world world;
  world.serve(timeout, 2ms, 5'000);
  REQUIRE_FALSE(world.found);
  world.report.longest_wait = 2 * timeout - 1us;
  CHECK_FALSE(world.judge.judge(world.report, timeout, world.now));
  world.report.longest_wait = 2 * timeout;
  CHECK(world.judge.judge(world.report, timeout, world.now) == suspicion_reason::starving);
  // If all clients wait long, the longest wait is no sign of a censored client.
  world.report.waits = world.last(32, timeout);
  CHECK_FALSE(world.judge.judge(world.report, timeout, world.now));
}

TEST_CASE("a primary that delays every request by 0.9 of the time-out is slow (attack 29)") {
  judging_world world;
  world.serve(10 * timeout, timeout * 9 / 10, 40);
  CHECK(world.found == suspicion_reason::slow);
}

TEST_CASE("a primary that delays each request is slow, also with several requests in flight per client (attack 29)") {
  judging_world world;
  // Requests are executed all the time, and no request is the oldest of its client for long.
  SUBCASE("few requests are in flight") {
    world.stay = timeout * 9 / 10;
    world.serve(10 * timeout, 30ms, 20);
    CHECK(world.found == suspicion_reason::slow);
  }
  SUBCASE("many requests in flight wait in a queue, which is not the primary's fault") {
    world.stay = timeout * 9 / 10;
    world.serve(10 * timeout, 30ms, 200);
    CHECK_FALSE(world.found);
  }
  SUBCASE("a quarter of the time-out is no reason for a suspicion") {
    world.stay = timeout / 4;
    world.serve(10 * timeout, 30ms, 20);
    CHECK_FALSE(world.found);
  }
  SUBCASE("a few requests are not enough for a verdict") {
    world.stays_count = primary_monitor::stays_min - 1;
    world.stay = timeout * 9 / 10;
    world.serve(10 * timeout, 30ms, 20);
    CHECK_FALSE(world.found);
  }
}

/// Eight clients with all their requests in progress wait for 0.6 of the time-out. Then they are served at once.
void stall(judging_world& world) {
  world.now += timeout * 6 / 10;
  world.report.waits = world.last(8, timeout * 6 / 10);
  world.report.stays = world.last(32, timeout * 6 / 10);
  world.report.requests_executed += 32;
  world.found = world.judge.judge(world.report, timeout, world.now);
}

TEST_CASE("a primary that delays some requests and serves the others is slow, however many it serves (attack 31)") {
  const auto found = [](std::size_t count, duration overtaken) {
    judging_world world;
    world.stay = 2ms;
    world.overtaken_count = count;
    world.overtaken = overtaken;
    world.serve(4s, 2ms, 10'000);
    return world.found;
  };
  CHECK(found(4, timeout / 8 + 1us) == suspicion_reason::slow);
  // A forwarded request may be lost, or slower than the client's own request.
  CHECK_FALSE(found(3, timeout / 2));
  CHECK_FALSE(found(32, timeout / 8));
  CHECK_FALSE(found(0, 0us));
}

TEST_CASE("one stall is no sign of a slow primary, however long it is remembered") {
  judging_world world;
  world.serve(2 * timeout, 2ms, 2);
  stall(world);
  CHECK_FALSE(world.found);
  // There are few requests afterwards, so no newer waits replace the long ones.
  for (duration passed{}; passed < 40 * timeout; passed += look) {
    world.now += look;
    world.report.waits.push_back({world.now - 2ms, 2ms});
    if (world.report.waits.size() > 32) world.report.waits.erase(world.report.waits.begin() + 8);
    world.report.requests_executed += 1;
    REQUIRE_FALSE(world.judge.judge(world.report, timeout, world.now));
  }
  // Much later, a stall counts as the first stall again.
  stall(world);
  CHECK_FALSE(world.found);
}

TEST_CASE("a primary that stalls periodically is slow, however fast it is in between (attack 29)") {
  judging_world world;
  world.serve(2 * timeout, 2ms, 400);
  stall(world);
  CHECK_FALSE(world.found);
  // This is long enough to forget all long waits.
  world.serve(timeout / 5, 2ms, 400);
  REQUIRE_FALSE(world.found);
  stall(world);
  CHECK(world.found == suspicion_reason::slow);
}

TEST_CASE("a burst after a pause does not raise the expected rate of a primary (attack 29)") {
  judging_world world;
  // 400 requests wait 0.9 of the time-out each.
  for (int round = 0; round < 8 && !world.found; ++round) {
    for (duration passed{}; passed < timeout * 9 / 10 && !world.found; passed += look) {
      world.now += look;
      world.report.clients_waiting = 8;
      world.found = world.judge.judge(world.report, timeout, world.now);
    }
    world.report.requests_executed += 400;
    world.report.waits = world.last(32, timeout * 4 / 10);
  }
  CHECK(world.found == suspicion_reason::slow);
}

TEST_CASE("a busy primary is not slow, however long its clients wait") {
  judging_world world;
  world.serve(5 * timeout, 5ms, 5'000);
  // With ten times as many clients, the rate is the same and all clients wait.
  world.serve(20 * timeout, timeout * 9 / 10, 5'000);
  CHECK_FALSE(world.found);
}

TEST_CASE("clients that send less often make no primary slow") {
  judging_world world;
  world.serve(5 * timeout, 5ms, 5'000);
  world.serve(20 * timeout, 5ms, 3);
  CHECK_FALSE(world.found);
}

TEST_CASE("a primary with less than half of the earlier throughput while clients wait is slow") {
  judging_world world;
  world.serve(5 * timeout, 5ms, 5'000);
  world.serve(5 * timeout, 60ms, 3'000);
  CHECK_FALSE(world.found);
  world.serve(5 * timeout, 60ms, 2'000);
  CHECK(world.found == suspicion_reason::slow);
}

TEST_CASE("a primary cannot lower the expectation step by step") {
  judging_world world;
  world.serve(5 * timeout, 5ms, 5'000);
  for (std::uint64_t step = 1; step <= 30 && !world.found; ++step)
    world.serve(2 * timeout, 5ms + step * 5ms, 5'000 - 150 * step);
  CHECK(world.found == suspicion_reason::slow);
}

TEST_CASE("a wrong expectation from a slow view is forgotten in the next views") {
  judging_world world;
  world.serve(5 * timeout, 5ms, 8'000);
  // The operations became ten times as expensive, so every primary seems slow for a few views.
  std::size_t views = 0;
  for (; views < 10; ++views) {
    world.found.reset();
    world.serve(10 * timeout, 50ms, 800);
    if (!world.found) break;
    world.judge.on_view(world.now);
  }
  CHECK(views <= 4);
  CHECK_FALSE(world.found);
}

TEST_CASE("a client is starved after sixteen time-outs, however long the others wait (attack 29)") {
  primary_monitor judge{skew_max};
  judge.on_view(moment{});
  service_report report{4, 0s, 0, std::vector<ended_wait>(32, {moment{}, 40s}), {}};
  moment now{};
  // Many requests are executed all the time.
  const auto judged_at = [&](duration wait) {
    now += 600ms;
    report.requests_executed += 10'000'000;
    report.longest_wait = wait;
    return judge.judge(report, 1s, now);
  };
  CHECK_FALSE(judged_at(15'900ms));
  CHECK(judged_at(16s) == suspicion_reason::starving);
}

TEST_CASE("a primary that does not order the sequences of a readmission is mute, however well clients are served") {
  primary_monitor judge{skew_max};
  judge.on_view(moment{});
  service_report report;
  report.wanted_through = sequence_number{100};
  constexpr duration timeout = 1s;
  // Enough of these sequences are executed in each time-out.
  moment now{};
  for (; report.executed_through < sequence_number{48}; now += timeout / 2) {
    CHECK_FALSE(judge.judge(report, timeout, now));
    report.executed_through = report.executed_through.plus(primary_monitor::advance_min / 2);
  }
  CHECK_FALSE(judge.judge(report, timeout, now));
  // Too few of them are executed, or none.
  report.executed_through = report.executed_through.plus(primary_monitor::advance_min - 1);
  CHECK_FALSE(judge.judge(report, timeout, now + timeout - 1us));
  CHECK(judge.judge(report, timeout, now + timeout) == suspicion_reason::mute);
  // The next primary gets a new time-out, and a primary that has ordered all of them is not suspected.
  judge.on_view(now + timeout);
  CHECK_FALSE(judge.judge(report, timeout, now + timeout));
  report.executed_through = report.wanted_through;
  CHECK_FALSE(judge.judge(report, timeout, now + 10 * timeout));
}

TEST_CASE("a primary whose times stay behind for a time-out is suspected (attack 42)") {
  judging_world world;
  const auto judged = [&](duration later, duration behind) {
    world.now += later;
    world.report.last_time = executed_time{world.now, behind};
    return world.judge.judge(world.report, timeout, world.now);
  };
  SUBCASE("batches that are behind over a whole time-out") {
    CHECK_FALSE(judged(0s, skew_max + 1us));
    CHECK_FALSE(judged(timeout - 1us, 1h));
    CHECK(judged(1us, skew_max + 1us) == suspicion_reason::behind);
    // The suspicion lasts while the primary proposes nothing more, and ends with the first good time.
    CHECK(world.judge.judge(world.report, timeout, world.now + timeout) == suspicion_reason::behind);
    CHECK_FALSE(judged(1us, skew_max));
  }
  SUBCASE("a time that is ahead, or behind by the bound at most") {
    CHECK_FALSE(judged(0s, skew_max));
    CHECK_FALSE(judged(2 * timeout, -1h));
    CHECK_FALSE(judged(2 * timeout, skew_max));
  }
  SUBCASE("a good time in between starts the measurement again") {
    CHECK_FALSE(judged(0s, 1h));
    CHECK_FALSE(judged(timeout / 2, 0s));
    CHECK_FALSE(judged(timeout / 2, 1h));
    CHECK_FALSE(judged(timeout - 1us, 1h));
    CHECK(judged(1us, 1h) == suspicion_reason::behind);
  }
  SUBCASE("one late batch, however long it is the last one") {
    CHECK_FALSE(judged(0s, 1h));
    CHECK_FALSE(world.judge.judge(world.report, timeout, world.now + 100 * timeout));
  }
  SUBCASE("the next primary is measured anew") {
    CHECK_FALSE(judged(0s, 1h));
    world.judge.on_view(world.now);
    CHECK_FALSE(judged(2 * timeout, 1h));
  }
}

TEST_CASE("times that stay behind hide no other reason, because the others need no right clock") {
  judging_world world;
  const auto judged = [&](duration later) {
    world.now += later;
    ++world.report.requests_executed;
    world.report.last_time = executed_time{world.now, 1h};
    return world.judge.judge(world.report, timeout, world.now);
  };
  world.serve(timeout, 2ms, 5'000);
  REQUIRE_FALSE(world.found);
  CHECK_FALSE(judged(0s));
  SUBCASE("a client starves") {
    world.report.longest_wait = 2 * timeout;
    CHECK(judged(timeout) == suspicion_reason::starving);
  }
  SUBCASE("the primary is slow, and less is expected of the next one") {
    world.stay = 900ms;
    for (duration passed{}; passed < 8 * timeout && !world.found; passed += look) {
      world.report.last_time = executed_time{world.now, 1h};
      world.serve(look, 900ms, 50);
      // The finding needs a second look, and the times are found first.
      if (world.found == suspicion_reason::behind) world.found.reset();
    }
    CHECK(world.found == suspicion_reason::slow);
  }
  SUBCASE("no client waits") {
    world.report.clients_waiting = 0;
    CHECK(judged(timeout) == suspicion_reason::behind);
  }
}
