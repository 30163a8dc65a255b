#include <doctest/doctest.h>

#include "actors/protocol/batch_builder.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using admission = batch_builder::admission;

namespace {

constexpr client_id self{1};
constexpr session_id seven{7};

/// A batcher that has seen client 1 open session 7.
struct session_world {
  request_factory factory{small_cluster(4, 16)};
  batch_builder builder{{}};

  explicit session_world(session_mode mode = session_mode::ordered) { open(seven, mode); }

  void open(session_id session, session_mode mode = session_mode::ordered) {
    builder.on_executed({{{self, timestamp{0}, session}, true, false, mode}}, false, 0);
  }
  [[nodiscard]] request ask(std::uint64_t when, session_id session = seven) const {
    return factory.session_request(self, session, timestamp{when});
  }
  admission admit(std::uint64_t when, microseconds_t now = 0, session_id session = seven) {
    return builder.admit(ask(when, session), now);
  }
  void execute(std::uint64_t when, microseconds_t now = 0, bool too_early = false) {
    builder.on_executed({{{self, timestamp{when}, seven}, !too_early, too_early}}, false, now);
  }
  /// The timestamps of the next batch.
  std::vector<std::uint64_t> cut() {
    std::vector<std::uint64_t> times;
    const auto next = builder.cut(true);
    if (!next) return times;
    for (const auto& each : next->requests)
      times.push_back(each.id.when.value);
    return times;
  }
};

using times = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("of an ordered session only what follows without a gap is proposed") {
  session_world world;
  for (const std::uint64_t when : {4, 2, 1})
    REQUIRE(world.admit(when) == admission::accepted);
  CHECK(world.cut() == times{1, 2});
  CHECK_FALSE(world.builder.has_waiting());
  REQUIRE(world.admit(3) == admission::accepted);
  CHECK(world.cut() == times{3, 4});
}

TEST_CASE("an independent session has no gaps") {
  session_world world{session_mode::independent};
  for (const std::uint64_t when : {4, 2})
    REQUIRE(world.admit(when) == admission::accepted);
  CHECK(world.cut() == times{2, 4});
}

TEST_CASE("requests of a session that is not open yet wait for it") {
  session_world world;
  REQUIRE(world.admit(1, 0, session_id{8}) == admission::accepted);
  CHECK_FALSE(world.builder.has_waiting());
  REQUIRE(world.admit(0, 0, session_id{8}) == admission::accepted);
  CHECK(world.cut() == times{0});
  world.open(session_id{8});
  CHECK(world.cut() == times{1});
}

TEST_CASE("a request that came too early in the order is proposed again, after the one before it") {
  session_world world;
  REQUIRE(world.admit(1) == admission::accepted);
  REQUIRE(world.admit(2) == admission::accepted);
  REQUIRE(world.cut() == times{1, 2});
  // A change of the view lost 1, and the batch with 2 survived it.
  world.builder.on_view(10);
  world.execute(2, 20, true);
  CHECK(world.builder.requests_pending() == 2);
  CHECK(world.cut() == times{1, 2});
}

TEST_CASE("what comes too early blames nobody, and its wait begins when it could be served (attack 32)") {
  session_world world;
  REQUIRE(world.admit(2, 0) == admission::accepted);
  CHECK(world.builder.service(1'000'000).clients_waiting == 0);
  CHECK_FALSE(world.builder.is_oldest({self, timestamp{2}, seven}));
  world.execute(1, 1'000'000);
  CHECK(world.builder.service(1'000'300).clients_waiting == 1);
  CHECK(world.builder.service(1'000'300).longest_wait_us == 300);
}

TEST_CASE("the wait of what stands behind the oldest is not lost when that is executed") {
  session_world world;
  REQUIRE(world.admit(1, 0) == admission::accepted);
  REQUIRE(world.admit(2, 0) == admission::accepted);
  world.builder.on_handed_on({self, timestamp{2}, seven}, 100);
  world.execute(1, 1'000);
  world.execute(2, 5'000);
  const auto report = world.builder.service(5'000);
  REQUIRE(report.stays.size() == 2);
  CHECK(report.stays.back().took == 4'900);
}

TEST_CASE("sessions of one client take turns, so that none keeps the others waiting") {
  session_world world;
  world.open(session_id{8});
  for (std::uint64_t when = 1; when <= 3; ++when)
    REQUIRE(world.admit(when) == admission::accepted);
  for (std::uint64_t when = 1; when <= 3; ++when)
    REQUIRE(world.admit(when, 0, session_id{8}) == admission::accepted);
  const auto next = world.builder.cut(true);
  REQUIRE(next);
  std::vector<std::uint64_t> sessions;
  for (const auto& each : next->requests)
    sessions.push_back(each.id.session.value);
  CHECK(sessions == std::vector<std::uint64_t>{7, 8, 7, 8, 7, 8});
}

TEST_CASE("what is pending of a session that ends is dropped, and never taken again") {
  session_world world;
  REQUIRE(world.admit(2) == admission::accepted);
  for (std::uint64_t number = 0; number < limits::sessions_per_client_max; ++number)
    world.open(session_id{100 + number});
  CHECK(world.builder.requests_pending() == 0);
  CHECK(world.admit(2) == admission::past);
  CHECK(world.admit(0) == admission::past);
}

TEST_CASE("two openings of one session convict nobody") {
  session_world world;
  const auto opening = [&](std::uint8_t nonce) {
    return world.factory.session_request(self, session_id{8}, timestamp{0}, session_mode::ordered, nonce);
  };
  REQUIRE(world.builder.admit(opening(1), 0) == admission::accepted);
  CHECK(world.builder.admit(opening(2), 0) == admission::contradicting);
  CHECK_FALSE(world.builder.contradiction_with(opening(2)));
  const exhibits both{{exhibit{message_kind::request, opening(1).raw}, exhibit{message_kind::request, opening(2).raw}}};
  CHECK_FALSE(case_of(both, world.factory.cluster()));
}

TEST_CASE("after any mixture of events in sessions the counts are those of what is held") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    sample_source random{seed};
    session_world world;
    world.open(session_id{8}, session_mode::independent);
    std::map<std::uint64_t, std::uint64_t> last{{7, 0}, {8, 0}};
    for (int step = 0; step < 600; ++step) {
      const auto now = static_cast<microseconds_t>(step) * 100;
      const session_id session{7 + random.below(2)};
      const auto when = last[session.value] + 1 + random.below(6);
      switch (random.below(6)) {
        case 0:
          (void)world.builder.cut(random.below(2) == 0);
          break;
        case 1:
          world.builder.on_view(now);
          break;
        case 2: {
          // The next of the session; what the batcher has not seen was sent elsewhere.
          const auto next = ++last[session.value];
          world.builder.on_executed({{{self, timestamp{next}, session}, true}}, random.below(2) == 0, now);
          break;
        }
        case 3:
          world.builder.on_executed({{{self, timestamp{when + 1}, seven}, false, true}}, false, now);
          break;
        default:
          (void)world.admit(when, now, session);
      }
      std::size_t bytes = 0;
      const auto held = world.builder.pending();
      for (const auto& each : held)
        bytes += each.raw.view.size();
      CAPTURE(seed);
      CAPTURE(step);
      // Without a request that could be served the client waits for nothing, and nothing is handed on.
      if (!held.empty()) CHECK(world.builder.requests_pending() == held.size());
      if (!held.empty()) CHECK(world.builder.bytes_pending() == bytes);
    }
  }
}
