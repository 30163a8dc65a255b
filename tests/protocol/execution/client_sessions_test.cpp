#include "actors/protocol/execution/client_sessions.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using standing = request_standing;

constexpr session_id seven{7};
constexpr timestamp opening{0};

client_sessions with_open(session_id session, session_mode mode = session_mode::ordered) {
  client_sessions sessions;
  (void)sessions.open(session, mode);
  return sessions;
}

}  // namespace

TEST_CASE("a request waits until its session is opened, and the opening is fresh once") {
  client_sessions sessions;
  CHECK(sessions.standing_of(seven, timestamp{1}) == standing::early);
  CHECK(sessions.standing_of(seven, opening) == standing::fresh);
  CHECK_FALSE(sessions.open(seven, session_mode::ordered));
  CHECK(sessions.standing_of(seven, opening) == standing::done);
  CHECK(sessions.standing_of(seven, timestamp{1}) == standing::fresh);
}

TEST_CASE("an ordered session executes only the request after the last one") {
  auto sessions = with_open(seven);
  CHECK(sessions.standing_of(seven, timestamp{2}) == standing::early);
  sessions.mark_done(seven, timestamp{1});
  CHECK(sessions.standing_of(seven, timestamp{1}) == standing::done);
  CHECK(sessions.standing_of(seven, timestamp{2}) == standing::fresh);
  CHECK(sessions.standing_of(seven, timestamp{3}) == standing::early);
}

TEST_CASE("requests below the window of an ordered session are past, and the order continues") {
  auto sessions = with_open(seven);
  const auto last = 3 * limits::requests_in_flight_max;
  for (std::uint64_t when = 1; when <= last; ++when) {
    REQUIRE(sessions.standing_of(seven, timestamp{when}) == standing::fresh);
    sessions.mark_done(seven, timestamp{when});
  }
  CHECK(sessions.standing_of(seven, timestamp{last - limits::requests_in_flight_max}) == standing::past);
  CHECK(sessions.standing_of(seven, timestamp{last}) == standing::done);
  CHECK(sessions.standing_of(seven, timestamp{last + 1}) == standing::fresh);
  CHECK(sessions.standing_of(seven, timestamp{last + 2}) == standing::early);
}

TEST_CASE("an independent session executes requests in any order") {
  auto sessions = with_open(seven, session_mode::independent);
  sessions.mark_done(seven, timestamp{5});
  CHECK(sessions.standing_of(seven, timestamp{2}) == standing::fresh);
  CHECK(sessions.standing_of(seven, timestamp{5}) == standing::done);
}

TEST_CASE("session 0 is always open, and its timestamp 0 names nothing") {
  client_sessions sessions;
  CHECK(sessions.standing_of(session_id{0}, timestamp{9}) == standing::fresh);
  CHECK(sessions.standing_of(session_id{0}, opening) == standing::past);
}

TEST_CASE("two sessions are independent of each other") {
  auto sessions = with_open(seven);
  (void)sessions.open(session_id{9}, session_mode::ordered);
  sessions.mark_done(seven, timestamp{1});
  CHECK(sessions.standing_of(session_id{9}, timestamp{1}) == standing::fresh);
  CHECK(sessions.standing_of(session_id{9}, timestamp{2}) == standing::early);
}

TEST_CASE("the least recently used session ends for a new one, and session 0 never does") {
  client_sessions sessions;
  sessions.mark_done(session_id{0}, timestamp{1});
  for (std::uint64_t number = 1; number <= limits::sessions_per_client_max; ++number)
    CHECK_FALSE(sessions.open(session_id{number}, session_mode::ordered));
  // Sessions 1 and 2 are used again, so they are no longer the least recently used sessions.
  sessions.mark_done(session_id{1}, timestamp{1});
  sessions.mark_done(session_id{2}, timestamp{1});
  CHECK(sessions.open(session_id{1'000}, session_mode::ordered) == session_id{3});
  CHECK(sessions.standing_of(session_id{3}, timestamp{1}) == standing::ended);
  CHECK(sessions.standing_of(session_id{1}, timestamp{2}) == standing::fresh);
  CHECK(sessions.standing_of(session_id{0}, timestamp{2}) == standing::fresh);
}

TEST_CASE("no request of an ended session is executed, however long ago it ended (attack 25)") {
  client_sessions sessions;
  const auto count = limits::sessions_per_client_max + 4 * limits::ended_sessions_max;
  for (std::uint64_t number = 1; number <= count; ++number) {
    (void)sessions.open(session_id{number}, session_mode::ordered);
    sessions.mark_done(session_id{number}, timestamp{1});
  }
  for (std::uint64_t number = 1; number <= count - limits::sessions_per_client_max; ++number) {
    CAPTURE(number);
    CHECK(sessions.standing_of(session_id{number}, opening) == standing::ended);
    CHECK(sessions.standing_of(session_id{number}, timestamp{1}) == standing::ended);
    CHECK(sessions.standing_of(session_id{number}, timestamp{2}) == standing::ended);
  }
  CHECK(sessions.ended().size() == limits::ended_sessions_max);
  CHECK(sessions.open_ones().size() == limits::sessions_per_client_max);
}

TEST_CASE("a refused session opens above the number in the refusal, whatever the clock of its process") {
  sample_source random{1};
  client_sessions sessions;
  for (int process = 0; process < 2'000; ++process) {
    // The clock of the process does not advance, or is far ahead.
    session_id wanted{1 + random.below(1'000)};
    if (process % 500 == 499) wanted = session_id{wanted.value + 1'000'000ULL * static_cast<std::uint64_t>(process)};
    if (sessions.standing_of(wanted, opening) == standing::ended) wanted = sessions.fresh_above().next();
    if (sessions.standing_of(wanted, opening) == standing::done) continue;
    REQUIRE(sessions.standing_of(wanted, opening) == standing::fresh);
    (void)sessions.open(wanted, session_mode::ordered);
  }
}
