#include "actors/protocol/transfer/donor_roster.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr replica_id a{0};
constexpr replica_id b{1};
constexpr replica_id c{2};

/// Opens as many questions to the donor as it has room for. Returns their number.
unsigned fill(donor_roster& roster, replica_id only) {
  unsigned asked = 0;
  for (auto next = roster.next(); next == only; next = roster.next()) {
    roster.on_asked(only);
    ++asked;
  }
  return asked;
}

void give(donor_roster& roster, replica_id id, unsigned count) {
  for (unsigned each = 0; each < count; ++each) {
    roster.on_closed(id);
    roster.on_given(id, 1);
  }
}

}  // namespace

TEST_CASE("donors are asked in turn while they have equal room") {
  donor_roster roster{{a, b, c}, {}, {}};
  std::vector<replica_id> order;
  for (auto next = roster.next(); next; next = roster.next()) {
    order.push_back(*next);
    roster.on_asked(*next);
  }
  REQUIRE(order.size() == 3 * donor_roster::window_initial);
  for (std::size_t place = 0; place < order.size(); ++place)
    CHECK(order[place] == replica_id{static_cast<std::uint32_t>(place % 3)});
  CHECK_FALSE(roster.has_room());
  CHECK(roster.open_questions() == 3 * donor_roster::window_initial);
}

TEST_CASE("a window grows to the number that a donor answers in three ticks, up to its bound") {
  donor_roster roster{{a}, {}, {}};
  (void)fill(roster, a);
  unsigned given = 0;
  for (unsigned tick = 0; tick < 50; ++tick) {
    for (unsigned each = 0; each < 30; ++each) {
      give(roster, a, 1);
      (void)fill(roster, a);
      ++given;
    }
    CHECK(roster.open_questions() <= 90);
    CHECK(roster.on_tick().empty());
  }
  CHECK(roster.open_questions() == 90);
  for (unsigned each = 0; each < 2'000; ++each) {
    give(roster, a, 1);
    (void)fill(roster, a);
  }
  CHECK(roster.open_questions() == donor_roster::window_max);
}

TEST_CASE("the window of a donor that becomes slow shrinks to three times its rate, and the excess is taken back") {
  donor_roster roster{{a}, {}, {}};
  (void)fill(roster, a);
  for (unsigned each = 0; each < 100; ++each) {
    give(roster, a, 1);
    (void)fill(roster, a);
  }
  const auto wide = roster.open_questions();
  CHECK(wide > 90);
  (void)roster.on_tick();
  for (unsigned tick = 0; tick < 3; ++tick) {
    give(roster, a, 1);
    (void)roster.on_tick();
  }
  CHECK(roster.excess_of(a) == roster.open_questions() - 3);
}

TEST_CASE("a donor that has answered all its requests keeps its window") {
  donor_roster roster{{a}, {}, {}};
  for (unsigned each = 0; each < 40; ++each) {
    roster.on_asked(a);
    give(roster, a, 1);
  }
  const auto before = fill(roster, a);
  CHECK(before > donor_roster::window_initial);
  give(roster, a, before);
  for (unsigned tick = 0; tick < 5; ++tick)
    CHECK(roster.on_tick().empty());
  CHECK(fill(roster, a) >= before);
}

TEST_CASE("a donor is late when it owes an answer for its patience, and gets longer patience after that") {
  donor_roster roster{{a, b}, {}, {}};
  roster.on_asked(a);
  const auto ticks_until_late = [&] {
    for (unsigned tick = 1;; ++tick) {
      REQUIRE(tick < 100);
      const auto late = roster.on_tick();
      if (!late.empty()) {
        CHECK(late == std::vector{a});
        return tick;
      }
    }
  };
  CHECK(ticks_until_late() == donor_roster::patience_initial);
  roster.on_closed(a);
  // The donor is set aside and returns automatically after the pause.
  for (unsigned tick = 0; tick < donor_roster::pause_initial; ++tick) {
    CHECK(roster.next() == b);
    CHECK(roster.next({b}) == b);
    CHECK(roster.on_tick().empty());
  }
  CHECK(roster.next({b}) == a);
  roster.on_asked(a);
  CHECK(ticks_until_late() == 2 * donor_roster::patience_initial);
}

TEST_CASE("a donor that owes nothing is never late") {
  donor_roster roster{{a, b}, {}, {}};
  for (unsigned tick = 0; tick < 100; ++tick)
    CHECK(roster.on_tick().empty());
}

TEST_CASE("patience and pauses have a bound") {
  donor_roster roster{{a, b}, {}, {}};
  roster.on_asked(a);
  unsigned longest = 0;
  unsigned since = 0;
  for (unsigned tick = 0; tick < 2'000; ++tick) {
    ++since;
    if (!roster.on_tick().empty()) {
      longest = std::max(longest, since);
      since = 0;
    }
  }
  CHECK(longest == donor_roster::patience_max + donor_roster::pause_max);
}

TEST_CASE("a donor that was asked for a part is not asked again for it while another one serves") {
  donor_roster roster{{a, b}, {}, {}};
  CHECK(roster.next({a}) == b);
  (void)roster.on_refused(b);
  CHECK(roster.next({a}) == a);
  CHECK(roster.next({a, b}) == a);
}

TEST_CASE("a donor that is full is not asked, even when the only other one was asked already") {
  donor_roster roster{{a, b}, {}, {}};
  for (unsigned each = 0; each < donor_roster::window_initial; ++each)
    roster.on_asked(b);
  CHECK_FALSE(roster.next({a}));
  CHECK(roster.next() == a);
}

TEST_CASE("the other donors join when all first donors have failed") {
  donor_roster roster{{a, b}, {c}, {}};
  CHECK(roster.next({a, b}) != c);
  CHECK(roster.on_refused(a));
  CHECK(roster.next({a, b}) != c);
  CHECK(roster.on_lied(b));
  CHECK(roster.next() == c);
}

TEST_CASE("donors that lied in this transfer are not asked, unless all have lied") {
  donor_roster roster{{a, b}, {c}, {a, b}};
  CHECK(roster.next() == c);
  CHECK(roster.liars() == std::set{a, b});
  donor_roster lost{{a, b}, {}, {a, b}};
  CHECK_FALSE(lost.next());
  (void)lost.on_tick();
  CHECK(lost.next());
}

TEST_CASE("one failed donor per tick is asked again when all have failed, and a liar last") {
  donor_roster roster{{a, b, c}, {}, {}};
  CHECK(roster.on_lied(a));
  CHECK(roster.on_refused(b));
  CHECK(roster.on_refused(c));
  CHECK_FALSE(roster.next());
  for (unsigned tick = 0; tick < 20; ++tick) {
    (void)roster.on_tick();
    const auto next = roster.next();
    REQUIRE(next);
    CHECK(*next != a);
    CHECK(roster.on_refused(*next));
  }
}

TEST_CASE("a failed donor that gives a correct answer serves again, with one request at first") {
  donor_roster roster{{a, b}, {}, {}};
  roster.on_asked(a);
  for (unsigned tick = 0; tick < donor_roster::patience_initial; ++tick)
    (void)roster.on_tick();
  roster.on_closed(a);
  CHECK(roster.next({b}) == b);
  roster.on_given(a, 0);
  CHECK(roster.next({b}) == a);
  roster.on_asked(a);
  CHECK(roster.next({b}) != a);
}

TEST_CASE("a donor that lied stays excluded although it gives correct answers later") {
  donor_roster roster{{a, b}, {}, {}};
  CHECK(roster.on_lied(a));
  CHECK_FALSE(roster.on_lied(a));
  roster.on_given(a, 0);
  CHECK(roster.next({b}) == b);
}

TEST_CASE("a busy donor is not asked before the next tick, and then for less") {
  donor_roster roster{{a}, {}, {}};
  roster.on_busy(a);
  CHECK_FALSE(roster.next());
  CHECK(roster.on_tick().empty());
  CHECK(fill(roster, a) == donor_roster::window_initial / 2);
}

TEST_CASE("a replica may have the state unless it reported or showed the contrary") {
  donor_roster roster{{a, b}, {c}, {}};
  CHECK(roster.possible_holders() == 3);
  CHECK(roster.on_refused(a));
  CHECK(roster.possible_holders() == 2);
  CHECK(roster.on_lied(b));
  CHECK(roster.possible_holders() == 1);
  // The replica gave a part, so it has the state.
  roster.on_given(a, 0);
  CHECK(roster.possible_holders() == 2);
}

TEST_CASE("a donor has skipped the requests that are older than the one it answered last") {
  donor_roster roster{{a, b}, {}, {}};
  const auto first = roster.on_asked(a);
  const auto second = roster.on_asked(a);
  const auto others = roster.on_asked(b);
  const auto third = roster.on_asked(a);
  roster.on_given(a, second);
  CHECK(roster.has_passed_over(a, first));
  CHECK_FALSE(roster.has_passed_over(a, third));
  CHECK_FALSE(roster.has_passed_over(b, others));
  // A late answer to an old request does not undo this.
  roster.on_given(a, first);
  CHECK(roster.has_passed_over(a, first));
  CHECK_FALSE(roster.has_passed_over(a, second));
}
