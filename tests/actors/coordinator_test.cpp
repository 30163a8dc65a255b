#include "actors/coordinator.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr duration period = 25ms;

/// The coordinator of replica 2 in view 0.
struct coordinator_bench : virtual_bench {
  coordinator_actor tested = connect(system().spawn(coordinator, identity(), view_change_settings{}, period,
                                                    std::make_shared<const recovered_replica>()));

  coordinator_bench() : virtual_bench(replica_id{2}) {}

  /// Moves the time forward. Returns how often the coordinator asked the batcher meanwhile. The batcher answers that
  /// no client waits.
  std::size_t questions_in(duration time) {
    forget();
    std::size_t count = 0;
    for (duration passed{}; passed < time; passed += 1ms) {
      advance(1ms);
      for (const auto& asked : take<service_wanted>("batcher")) {
        rests = asked.rests;
        ++count;
        give(tested, service_measured{});
      }
    }
    return count;
  }

  bool rests = false;
};

}  // namespace

TEST_CASE_FIXTURE(coordinator_bench, "the coordinator asks each period, and seldom once the group has been idle") {
  CHECK(questions_in(500ms) == 20);
  CHECK_FALSE(rests);
  (void)questions_in(view_changer::calm_before_rest);
  CHECK(rests);
  CHECK(questions_in(5s) <= 11);
}

TEST_CASE_FIXTURE(coordinator_bench, "a client that waits ends the rest of the coordinator at once") {
  (void)questions_in(3s);
  REQUIRE(rests);
  service_report busy;
  busy.clients_waiting = 1;
  give(tested, service_measured{busy});
  const auto asked = take<service_wanted>("batcher");
  REQUIRE(asked.size() == 1);
  CHECK_FALSE(asked.front().rests);
  // The timer of the rest was replaced and starts no second row of questions.
  CHECK(questions_in(500ms) == 20);
}

TEST_CASE_FIXTURE(coordinator_bench,
                  "the suspicion of another replica ends the rest, and news without effect does not") {
  (void)questions_in(3s);
  REQUIRE(rests);
  give(tested, low_watermark_moved{sequence_number{4}});
  give(tested, trust_changed{std::make_shared<const trust>()});
  CHECK(take<service_wanted>("batcher").empty());
  give_verified(tested, principal::of(replica_id{3}), make().suspicion_of(replica_id{3}, view_number{0}));
  CHECK(take<service_wanted>("batcher").size() == 1);
  CHECK(questions_in(500ms) == 20);
}
