#include "actors/protocol/ordering/signing_rights.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number view_of(std::uint64_t value) { return view_number{value}; }
constexpr sequence_number at(std::uint64_t value) { return sequence_number{value}; }

/// Replica 1 of four without its disk, with K = 4 and L = 8. A quorum of others has reported view 0 and h = 0. So its
/// floor is 16, and its first view is 2.
struct learner {
  signing_rights rights{small_cluster(4), replica_id{1}};
  static constexpr sequence_number floor = at(16);
  static constexpr view_number first_view = view_of(2);

  learner() { rights.start_probation(); }

  std::optional<probation_changed> hear(std::uint32_t from, std::uint64_t view = 0) {
    return rights.on_status(status{replica_id{from}, view_of(view), true, at(0), at(0), {}, {}, {}}, at(0));
  }
  void hear_all() {
    for (const std::uint32_t other : {0U, 2U, 3U})
      (void)hear(other);
  }
};

}  // namespace

TEST_CASE("a full member may sign everything, requests nothing, and no report changes that") {
  signing_rights rights{small_cluster(4), replica_id{1}};
  CHECK(rights.is_full());
  CHECK(rights.may_prepare(at(0)));
  CHECK(rights.may_leave_for(view_of(1), at(0)));
  CHECK_FALSE(rights.wish(view_of(0), at(0), true));
  for (const std::uint32_t other : {0U, 2U, 3U})
    CHECK_FALSE(rights.on_status(status{replica_id{other}, view_of(9), true, at(0), at(0), {}, {}, {}}, at(0)));
  CHECK_FALSE(rights.end(view_of(9), at(1'000)));
}

TEST_CASE("a replica on probation may sign nothing before it knows its floor") {
  learner world;
  CHECK_FALSE(world.rights.is_full());
  CHECK_FALSE(world.rights.may_prepare(at(1'000)));
  CHECK_FALSE(world.rights.may_leave_for(view_of(1'000), at(1'000)));
  CHECK_FALSE(world.rights.wish(view_of(0), at(0), true));
  CHECK_FALSE(world.rights.end(view_of(1'000), at(1'000)));
}

TEST_CASE("each change in the rights of a replica on probation is reported once") {
  learner world;
  CHECK_FALSE(world.hear(0));
  CHECK_FALSE(world.hear(2));
  const auto changed = world.hear(3);
  REQUIRE(changed);
  CHECK(changed->floor == learner::floor);
  CHECK(changed->first_view == learner::first_view);
  CHECK_FALSE(changed->over);
  CHECK_FALSE(world.hear(3));
}

TEST_CASE("probation ends for good once h is at the floor and the first safe view is entered") {
  learner world;
  world.hear_all();
  CHECK_FALSE(world.rights.end(learner::first_view, at(15)));
  CHECK_FALSE(world.rights.end(view_of(1), learner::floor));
  CHECK(world.rights.may_prepare(learner::floor));
  CHECK_FALSE(world.rights.is_full());
  const auto ended = world.rights.end(learner::first_view, learner::floor);
  REQUIRE(ended);
  CHECK(ended->over);
  CHECK(world.rights.is_full());
  CHECK(world.rights.may_prepare(at(0)));
  CHECK_FALSE(world.rights.end(learner::first_view, learner::floor));
}

TEST_CASE("a replica on probation requests its floor first, then its view, which it never leads") {
  learner world;
  world.hear_all();
  CHECK(world.rights.wish(view_of(0), at(0), false)->floor == learner::floor);
  const auto next = world.rights.wish(view_of(0), learner::floor, false);
  REQUIRE(next);
  CHECK_FALSE(next->floor);
  CHECK(next->view == learner::first_view);
  // The replica has entered a safe view, so it asks for nothing, unless it is waiting in this view alone.
  CHECK_FALSE(world.rights.wish(view_of(3), learner::floor, false));
  CHECK(world.rights.wish(view_of(3), learner::floor, true)->view == view_of(3));
  // The replica would be the primary of view 5, so it asks for view 6.
  CHECK(world.rights.wish(view_of(5), learner::floor, true)->view == view_of(6));
}
