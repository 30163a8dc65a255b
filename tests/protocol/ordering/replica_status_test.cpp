#include "actors/protocol/ordering/replica_status.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

frame_ptr frame() { return std::make_shared<const byte_vector>(); }

active_view opened(std::uint64_t min_s = 0) {
  active_view entered;
  entered.opened_by = frame();
  entered.min_s = sequence_number{min_s};
  return entered;
}

/// A status in `view`, which the replica has entered or not.
replica_status status_in(std::uint64_t view, bool entered) {
  replica_status made;
  made.leave(view_number{view}, 7);
  if (entered) made.enter(opened(3));
  return made;
}

}  // namespace

TEST_CASE("a replica starts active in view 0, without a NEW-VIEW as proof") {
  const replica_status fresh;
  CHECK(fresh.view() == view_number{0});
  REQUIRE(fresh.active() != nullptr);
  CHECK(fresh.active()->opened_by == nullptr);
  CHECK(fresh.changing() == nullptr);
  CHECK_FALSE(fresh.is_diverged());
}

TEST_CASE("exactly one status shows its members at a time") {
  for (const bool entered : {true, false}) {
    for (const bool wrong : {true, false}) {
      auto tested = status_in(2, entered);
      if (wrong) tested.diverge(sequence_number{4});
      CHECK((tested.active() != nullptr) == (entered && !wrong));
      CHECK((tested.changing() != nullptr) == (!entered && !wrong));
      CHECK(tested.is_diverged() == wrong);
      // The view and whether it is entered are published even by a replica whose state is wrong.
      CHECK(tested.view() == view_number{2});
      CHECK(tested.has_entered() == entered);
    }
  }
}

TEST_CASE("the data of a view ends with the view") {
  auto tested = status_in(1, true);
  REQUIRE(tested.hold(std::make_shared<const batch>()));
  tested.active()->null_requests.push_back(sequence_number{5});
  tested.leave(view_number{2}, 9);
  REQUIRE(tested.changing() != nullptr);
  CHECK(tested.changing()->left_at_tick == 9);
  CHECK(tested.changing()->own_change == nullptr);
  tested.enter(opened());
  CHECK(tested.active()->waiting.empty());
  CHECK(tested.active()->null_requests.empty());
  CHECK(tested.active()->min_s == sequence_number{0});
}

TEST_CASE("a replica that waits for a view may leave for a later one, with another VIEW-CHANGE") {
  auto tested = status_in(1, false);
  const auto first = frame();
  tested.keep_view_change(first);
  CHECK(tested.changing()->own_change == first);
  tested.leave(view_number{2}, 8);
  CHECK(tested.changing()->own_change == nullptr);
  const auto second = frame();
  tested.keep_view_change(second);
  CHECK(tested.changing()->own_change == second);
}

TEST_CASE("a repaired replica returns to its earlier status, with all the data of it (attack 27)") {
  SUBCASE("in its view") {
    auto tested = status_in(2, true);
    REQUIRE(tested.hold(std::make_shared<const batch>()));
    tested.diverge(sequence_number{4});
    REQUIRE(tested.repair(sequence_number{4}));
    REQUIRE(tested.active() != nullptr);
    CHECK(tested.active()->min_s == sequence_number{3});
    CHECK(tested.active()->waiting.size() == 1);
  }
  SUBCASE("waiting for a view") {
    auto tested = status_in(2, false);
    const auto own = frame();
    tested.keep_view_change(own);
    tested.diverge(sequence_number{4});
    REQUIRE(tested.repair(sequence_number{4}));
    REQUIRE(tested.changing() != nullptr);
    CHECK(tested.changing()->own_change == own);
    CHECK(tested.changing()->left_at_tick == 7);
  }
}

TEST_CASE("only a state that is not older than the newest divergence repairs a replica") {
  auto tested = status_in(2, true);
  tested.diverge(sequence_number{8});
  tested.diverge(sequence_number{12});
  tested.diverge(sequence_number{4});
  CHECK_FALSE(tested.repair(sequence_number{8}));
  CHECK(tested.is_diverged());
  CHECK(tested.repairs() == 0);
  CHECK(tested.repair(sequence_number{16}));
  CHECK(tested.repairs() == 1);
}

TEST_CASE("batches wait in an entered view, also during a divergence, and in no other status") {
  auto tested = status_in(2, true);
  tested.diverge(sequence_number{4});
  CHECK(tested.hold(std::make_shared<const batch>()));
  REQUIRE(tested.repair(sequence_number{4}));
  CHECK(tested.active()->waiting.size() == 1);
  tested.leave(view_number{3}, 9);
  CHECK_FALSE(tested.hold(std::make_shared<const batch>()));
  tested.diverge(sequence_number{8});
  CHECK_FALSE(tested.hold(std::make_shared<const batch>()));
}
