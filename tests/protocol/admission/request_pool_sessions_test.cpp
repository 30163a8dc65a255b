#include <doctest/doctest.h>

#include "actors/protocol/admission/request_pool.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using admission = request_pool::admission;

namespace {

constexpr client_id self{1};
constexpr session_id seven{7};

/// A batcher in which client 1 has opened session 7.
struct session_world {
  request_factory factory{small_cluster(4, 16)};
  request_pool builder{{}};

  explicit session_world(session_mode mode = session_mode::ordered) { open(seven, mode); }

  void open(session_id session, session_mode mode = session_mode::ordered) {
    builder.on_executed({{{self, timestamp{0}, session}, true, false, mode}}, false, moment{});
  }
  [[nodiscard]] request ask(std::uint64_t when, session_id session = seven) const {
    return factory.session_request(self, session, timestamp{when});
  }
  admission admit(std::uint64_t when, moment now = {}, session_id session = seven) {
    return builder.admit(ask(when, session), now);
  }
  void execute(std::uint64_t when, moment now = {}, bool too_early = false) {
    builder.on_executed({{{self, timestamp{when}, seven}, !too_early, too_early}}, false, now);
  }
  /// The timestamps of the requests in the next batch.
  std::vector<std::uint64_t> cut() {
    std::vector<std::uint64_t> times;
    const auto next = builder.cut(true);
    if (!next) return times;
    for (const auto& each : next->content.requests)
      times.push_back(each.id.when.value);
    return times;
  }
};

using times = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("requests of an ordered session are proposed only without a gap") {
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

TEST_CASE("requests of a session that is not open yet wait for the opening") {
  session_world world;
  REQUIRE(world.admit(1, moment{}, session_id{8}) == admission::accepted);
  CHECK_FALSE(world.builder.has_waiting());
  REQUIRE(world.admit(0, moment{}, session_id{8}) == admission::accepted);
  CHECK(world.cut() == times{0});
  world.open(session_id{8});
  CHECK(world.cut() == times{1});
}

TEST_CASE("a request that was ordered too early is proposed again after its predecessor") {
  session_world world;
  REQUIRE(world.admit(1) == admission::accepted);
  REQUIRE(world.admit(2) == admission::accepted);
  REQUIRE(world.cut() == times{1, 2});
  // The view change lost the batch with request 1, but kept the batch with request 2.
  world.builder.on_view(moment{10us});
  world.execute(2, moment{20us}, true);
  CHECK(world.builder.requests_pending() == 2);
  CHECK(world.cut() == times{1, 2});
}

TEST_CASE("a request that comes too early blames no primary, and its wait begins when it can be served (attack 32)") {
  session_world world;
  REQUIRE(world.admit(2, moment{}) == admission::accepted);
  CHECK(world.builder.service(moment{1s}).clients_waiting == 0);
  CHECK_FALSE(world.builder.is_oldest({self, timestamp{2}, seven}));
  world.execute(1, moment{1s});
  CHECK(world.builder.service(moment{1'000'300us}).clients_waiting == 1);
  CHECK(world.builder.service(moment{1'000'300us}).longest_wait == 300us);
}

TEST_CASE("the wait of the requests behind the oldest one is kept when the oldest is executed") {
  session_world world;
  REQUIRE(world.admit(1, moment{}) == admission::accepted);
  REQUIRE(world.admit(2, moment{}) == admission::accepted);
  world.builder.on_forwarded({self, timestamp{2}, seven}, moment{100us});
  world.execute(1, moment{1ms});
  world.execute(2, moment{5ms});
  const auto report = world.builder.service(moment{5ms});
  REQUIRE(report.stays.size() == 2);
  CHECK(report.stays.back().took == 4'900us);
}

TEST_CASE("requests of a client's other sessions may be executed first, but not without end (attack 32)") {
  session_world world;
  world.open(session_id{8});
  // A backup received only this request and forwards it. By then the primary may have many requests of session 8.
  REQUIRE(world.admit(1, moment{}) == admission::accepted);
  world.builder.on_forwarded({self, timestamp{1}, seven}, moment{10us});
  moment now{1ms};
  for (std::uint64_t when = 1; when <= limits::requests_pending_per_client_max; ++when, now += 1ms) {
    world.builder.on_executed({{{self, timestamp{when}, session_id{8}}, true}}, false, now);
    CHECK(world.builder.service(now).longest_wait == 0us);
  }
  for (std::uint64_t more = 1; more <= 10; ++more, now += 1ms) {
    const timestamp when{limits::requests_pending_per_client_max + more};
    world.builder.on_executed({{{self, when, session_id{8}}, true}}, false, now);
  }
  CHECK(world.builder.service(now).longest_wait >= 10ms);
}

TEST_CASE("sessions of one client take turns, so that no session delays the others") {
  session_world world;
  world.open(session_id{8});
  for (std::uint64_t when = 1; when <= 3; ++when)
    REQUIRE(world.admit(when) == admission::accepted);
  for (std::uint64_t when = 1; when <= 3; ++when)
    REQUIRE(world.admit(when, moment{}, session_id{8}) == admission::accepted);
  const auto next = world.builder.cut(true);
  REQUIRE(next);
  std::vector<std::uint64_t> sessions;
  for (const auto& each : next->content.requests)
    sessions.push_back(each.id.session.value);
  CHECK(sessions == std::vector<std::uint64_t>{7, 8, 7, 8, 7, 8});
}

TEST_CASE("pending requests of a session that ends are dropped, and never admitted again") {
  session_world world;
  REQUIRE(world.admit(2) == admission::accepted);
  for (std::uint64_t number = 0; number < limits::sessions_per_client_max; ++number)
    world.open(session_id{100 + number});
  CHECK(world.builder.requests_pending() == 0);
  CHECK(world.admit(2) == admission::past);
  CHECK(world.admit(0) == admission::past);
}

TEST_CASE("two openings of one session convict no client") {
  session_world world;
  const auto opening = [&](std::uint8_t nonce) {
    return world.factory.session_request(self, session_id{8}, timestamp{0}, session_mode::ordered, nonce);
  };
  REQUIRE(world.builder.admit(opening(1), moment{}) == admission::accepted);
  CHECK(world.builder.admit(opening(2), moment{}) == admission::contradicting);
  CHECK_FALSE(world.builder.contradiction_with(opening(2)));
  const evidence both{
      {item_of(std::make_shared<const request>(opening(1))), item_of(std::make_shared<const request>(opening(2)))}};
  CHECK_FALSE(claim_in(both, world.factory.cluster()));
}

TEST_CASE("a request of an unknown session is dropped once its number counts as ended (attack 32)") {
  session_world world;
  // The number is above all numbers below. When the end of this session is forgotten, all those numbers count as ended.
  constexpr std::uint64_t high = 1'000'000;
  world.open(session_id{high});
  std::uint64_t next = high;
  const auto open_more = [&](std::size_t count) {
    for (std::size_t index = 0; index < count; ++index)
      world.open(session_id{++next});
  };
  open_more(limits::sessions_per_client_max + limits::ended_sessions_max - 2);
  REQUIRE(world.admit(0, moment{}, session_id{50}) == admission::accepted);
  REQUIRE(world.admit(1, moment{}, session_id{51}) == admission::accepted);
  CHECK(world.builder.service(moment{1s}).clients_waiting == 1);
  open_more(3);
  CHECK(world.builder.requests_pending() == 0);
  CHECK(world.builder.service(moment{1s}).clients_waiting == 0);
  CHECK(world.admit(0, moment{}, session_id{50}) == admission::past);
}

TEST_CASE("an executed request is not pending any more, whatever waits before it") {
  session_world world{session_mode::independent};
  REQUIRE(world.admit(1) == admission::accepted);
  REQUIRE(world.admit(2) == admission::accepted);
  world.execute(2);
  CHECK(world.builder.requests_pending() == 1);
  CHECK_FALSE(world.builder.is_pending({self, timestamp{2}, seven}));
}

// --- Making room ---------------------------------------------------------------------

namespace {

/// The client has as many pending requests as allowed, each in a session that is not open.
struct crowded_world : session_world {
  static constexpr std::uint64_t first_session = 1'000;

  crowded_world() {
    for (std::uint64_t number = 0; number < limits::requests_pending_per_client_max; ++number)
      REQUIRE(admit(5, moment{}, session_id{first_session + number}) == admission::accepted);
  }
  [[nodiscard]] std::size_t displaced() { return builder.take_displaced().size(); }
};

}  // namespace

TEST_CASE_FIXTURE(crowded_world,
                  "a request that can be served displaces one that cannot, and never the other way round") {
  REQUIRE(admit(1) == admission::accepted);
  REQUIRE(admit(2) == admission::accepted);
  REQUIRE(admit(0, moment{}, session_id{8}) == admission::accepted);
  CHECK(displaced() == 3);
  CHECK(admit(5, moment{}, session_id{2 * first_session + limits::requests_pending_per_client_max}) ==
        admission::client_quota);
  CHECK(displaced() == 0);
  CHECK(cut() == times{1, 0, 2});
}

TEST_CASE_FIXTURE(crowded_world, "a displaced request cannot come back and displace another one (attack 33)") {
  std::size_t accepted = 0;
  for (std::uint64_t round = 0; round < 100; ++round) {
    for (const std::uint64_t session : {first_session, first_session + 1, std::uint64_t{1}, std::uint64_t{2}}) {
      if (admit(5, moment{}, session_id{session}) == admission::accepted) ++accepted;
    }
  }
  // Only the two smaller sessions are accepted, once each.
  CHECK(accepted == 2);
  CHECK(displaced() == 2);
  const auto last = session_id{first_session + limits::requests_pending_per_client_max - 1};
  CHECK(admit(5, moment{}, last) == admission::client_quota);
}

TEST_CASE("all replicas keep the same requests of a flood, in whatever order they come (attack 32)") {
  // There are openings of many sessions, and requests of two open sessions. The final content of the builder must
  // depend only on the set of requests.
  std::vector<request> all;
  session_world source;
  for (std::uint64_t session = 100; session < 900; ++session)
    all.push_back(source.ask(0, session_id{session}));
  for (std::uint64_t when = 1; when <= 256; ++when) {
    all.push_back(source.ask(when));
    all.push_back(source.ask(when, session_id{8}));
  }
  std::optional<std::set<request_id>> kept;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    sample_source random{seed};
    session_world world;
    world.open(session_id{8});
    for (auto left = all.size(); left > 1; --left)
      std::swap(all[left - 1], all[random.below(left)]);
    // A refused request is sent again, because it may have lacked its predecessor.
    for (bool changes = true; changes;) {
      changes = false;
      for (const auto& each : all)
        changes = world.builder.admit(each, moment{}) == admission::accepted || changes;
    }
    std::set<request_id> held;
    for (const auto& each : all) {
      if (world.builder.is_pending(each.id)) held.insert(each.id);
    }
    CHECK(held.size() == limits::requests_pending_per_client_max);
    if (kept) CHECK(held == *kept);
    kept = held;
  }
}

TEST_CASE("the session with the most pending requests makes room, until all sessions have equally many") {
  session_world world;
  world.open(session_id{8});
  for (std::uint64_t when = 1; when <= limits::requests_pending_per_client_max; ++when)
    REQUIRE(world.admit(when) == admission::accepted);
  std::uint64_t taken = 0;
  while (world.admit(taken + 1, moment{}, session_id{8}) == admission::accepted)
    ++taken;
  CHECK(taken == limits::requests_pending_per_client_max / 2);
  // The oldest request of each session has kept its place.
  CHECK(world.builder.is_pending({self, timestamp{1}, seven}));
  CHECK(world.builder.is_pending({self, timestamp{1}, session_id{8}}));
}

TEST_CASE("a request that gets no room displaces no other") {
  batch_settings settings;
  settings.bytes_per_client_max = 4'096;
  session_world world;
  world.builder = request_pool{settings};
  world.open(seven);
  world.open(session_id{8});
  // Session 8 has few requests. Session 7 has the rest, in small requests.
  REQUIRE(world.admit(1, moment{}, session_id{8}) == admission::accepted);
  std::uint64_t when = 0;
  while (world.admit(++when) == admission::accepted) {
  }
  const auto before = world.builder.requests_pending();
  (void)world.builder.take_displaced();
  const auto large = world.factory.session_request(self, session_id{8}, timestamp{2}, session_mode::ordered, 0,
                                                   std::string(5'000, 'x'));
  CHECK(world.builder.admit(large, moment{}) == admission::client_quota);
  CHECK(world.builder.take_displaced().empty());
  CHECK(world.builder.requests_pending() == before);
}

TEST_CASE("the counts match the content after any mixture of events in sessions") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    sample_source random{seed};
    session_world world;
    world.open(session_id{8}, session_mode::independent);
    client_sessions done;
    (void)done.open(seven, session_mode::ordered);
    (void)done.open(session_id{8}, session_mode::independent);
    std::map<std::uint64_t, std::uint64_t> last{{7, 0}, {8, 0}};
    std::set<request_id> asked;
    for (int step = 0; step < 600; ++step) {
      const moment now{step * 100us};
      const session_id session{7 + random.below(2)};
      const auto when = last[session.value] + 1 + random.below(6);
      switch (random.below(8)) {
        case 0:
          (void)world.builder.cut(random.below(2) == 0);
          break;
        case 1:
          world.builder.on_view(now);
          break;
        case 2: {
          // The next request of the session is executed. If the batcher has not seen it, it was sent to other replicas.
          const auto next = ++last[session.value];
          if (done.standing_of(session, timestamp{next}) != request_standing::fresh) break;
          done.mark_done(session, timestamp{next});
          world.builder.on_executed({{{self, timestamp{next}, session}, true}}, random.below(2) == 0, now);
          break;
        }
        case 3:
          world.builder.on_executed({{{self, timestamp{when + 1}, seven}, false, true}}, false, now);
          break;
        case 4:
          // In an independent session, any request may be executed next.
          if (done.standing_of(session_id{8}, timestamp{when}) != request_standing::fresh) break;
          done.mark_done(session_id{8}, timestamp{when});
          world.builder.on_executed({{{self, timestamp{when}, session_id{8}}, true}}, false, now);
          break;
        default:
          (void)world.admit(when, now, session);
          asked.insert({self, timestamp{when}, session});
      }
      CAPTURE(seed);
      CAPTURE(step);
      std::size_t held = 0;
      std::size_t bytes = 0;
      for (const auto& id : asked) {
        const auto* pending = world.builder.find(id);
        if (pending == nullptr) continue;
        ++held;
        bytes += pending->raw.view.size();
        const auto standing = done.standing_of(id.session, id.when);
        CHECK((standing == request_standing::fresh || standing == request_standing::early));
      }
      CHECK(world.builder.requests_pending() == held);
      CHECK(world.builder.bytes_pending() == bytes);
    }
  }
}
