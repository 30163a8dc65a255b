#include "tools/hypermesh/bench/overload_verdict.hpp"

#include <doctest/doctest.h>

namespace hypermesh::testing {

using namespace cli;

namespace {

overload_verdict good_verdict() {
  overload_verdict verdict;
  verdict.views_entered = 0;
  verdict.p99_before_us = 20'000;
  verdict.p99_after_us = 40'000;
  return verdict;
}

}  // namespace

TEST_CASE("refusals of the client and of the group are told from operations that nobody answered") {
  load_result seen;
  seen.intended = 10;
  for (int count = 0; count < 3; ++count)
    seen.latency.record(1'000);
  seen.fail("overloaded", 2);
  seen.fail("too_many_pending", 1);
  seen.fail("timed_out", 3);
  seen.fail("no_answer", 1);
  overload_verdict verdict;
  note_overload(seen, verdict);
  CHECK(verdict.answered == 3);
  CHECK(verdict.refused == 3);
  CHECK(verdict.unanswered == 4);
}

TEST_CASE("an overload is borne well if the view is kept, every operation has an outcome, and p99 is normal again") {
  CHECK(good_verdict().is_right());
  auto moved = good_verdict();
  moved.views_entered = 4;
  CHECK_FALSE(moved.is_right());
  // Counts that are missing prove nothing.
  moved.views_entered.reset();
  CHECK_FALSE(moved.is_right());
  auto silent = good_verdict();
  silent.unanswered = 1;
  CHECK_FALSE(silent.is_right());
  auto slow = good_verdict();
  slow.p99_after_us = 40'001;
  CHECK_FALSE(slow.is_right());
  auto failing = good_verdict();
  failing.failed_after = 1;
  CHECK_FALSE(failing.is_right());
  // A fast cluster may vary by 10 ms.
  auto fast = good_verdict();
  fast.p99_before_us = 3'000;
  fast.p99_after_us = 13'000;
  CHECK(fast.is_right());
}

}  // namespace hypermesh::testing
