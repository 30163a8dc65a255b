#include "runtime/feed/event_log.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::feed;

TEST_CASE("a subscriber that is too slow learns how many events it lost") {
  event_log log;
  CHECK(log.read(1, 10).events.empty());
  for (std::size_t count = 0; count < event_log::events_max + 5; ++count)
    log.add({});
  const auto page = log.read(1, 10);
  CHECK(page.dropped == 5);
  REQUIRE(page.events.size() == 10);
  CHECK(page.events.front().number == 6);
  CHECK(page.next == 16);
  const auto rest = log.read(page.next, event_log::events_max);
  CHECK(rest.dropped == 0);
  CHECK(rest.events.size() == event_log::events_max - 10);
  CHECK(rest.next == log.end());
}

TEST_CASE("an event that is not there yet is waited for, and is no loss") {
  event_log log;
  log.add({});
  const auto page = log.read(7, 10);
  CHECK(page.events.empty());
  CHECK(page.dropped == 0);
  CHECK(page.next == 7);
}

TEST_CASE("the text of an event is bounded, however long an error is") {
  event_log log;
  node_event long_one;
  long_one.text = std::string(100'000, 'x');
  log.add(long_one);
  const auto page = log.read(1, 1);
  REQUIRE(page.events.size() == 1);
  CHECK(page.events.front().text.size() <= event_log::text_bytes_max);
  CHECK(page.events.front().text.ends_with("x…"));
}

TEST_CASE("observations become events with their numbers, and progress is no event") {
  event_reader of{cluster_parameters{}};
  const auto read = [&of](const observation& what) { return of.of(what, moment{}); };
  const auto entered = read(view_was_entered{view_number{3}});
  REQUIRE(entered);
  CHECK(entered->kind == event_kind::view_entered);
  CHECK(entered->view == view_number{3});
  const auto diverged = read(divergence_found{sequence_number{128}});
  REQUIRE(diverged);
  CHECK(diverged->kind == event_kind::state_diverged);
  CHECK(diverged->sequence == sequence_number{128});
  const auto failed = read(query_failed{"it threw\n"});
  REQUIRE(failed);
  CHECK(failed->text.find('\n') == std::string::npos);
  CHECK_FALSE(read(replica_progress{}));
  CHECK_FALSE(read(batcher_progress{}));
  const auto accused = principal::of(replica_id{3});
  const auto convicted = read(standing_changed{standing_changed::what::convicted, accused, 1, sequence_number{7}, {}});
  REQUIRE(convicted);
  CHECK(convicted->about == accused);
  CHECK(convicted->sequence == sequence_number{7});
  // A checkpoint needs nobody's attention.
  const auto stable = read(checkpoint_became_stable{sequence_number{8}, {}});
  REQUIRE(stable);
  CHECK(stable->text.empty());
}

TEST_CASE("each kind of event has its own name") {
  for (std::uint8_t number = 0; number <= static_cast<std::uint8_t>(event_kind_last); ++number) {
    const auto name = to_string(static_cast<event_kind>(number));
    CHECK_FALSE(name.empty());
    for (std::uint8_t other = 0; other < number; ++other)
      CHECK(name != to_string(static_cast<event_kind>(other)));
  }
}
