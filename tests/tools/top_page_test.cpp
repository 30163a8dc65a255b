#include "tools/hypermesh/live/top_page.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tools/status_bench.hpp"

namespace hypermesh::testing {

namespace {

const auto plain = text_style::plain();

top_state state_of(const status_bench& before, const status_bench& now) {
  top_state state;
  const auto earlier = before.status();
  state.status = now.status();
  state.view = view_of(&earlier, state.status, 2);
  state.seen_at = "12:34:56";
  return state;
}

std::size_t lines_in(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

}  // namespace

TEST_CASE("the page fits 80 columns and 24 rows, whatever the replicas report") {
  for (const std::uint32_t replicas : {4U, 7U, 16U, 100U}) {
    CAPTURE(replicas);
    status_bench before{replicas};
    status_bench now{replicas};
    CHECK(widest_line(top_page(state_of(before, now), {80, 24}, plain)) <= 80);
    CHECK(lines_in(top_page(state_of(before, now), {80, 24}, plain)) <= 24);
    for (std::uint32_t number = 0; number < replicas; ++number)
      now.inflate(number);
    const auto page = top_page(state_of(before, now), {80, 24}, plain);
    CAPTURE(page);
    CHECK(widest_line(page) <= 80);
    CHECK(lines_in(page) <= 24);
  }
}

TEST_CASE("replicas that do not fit are counted") {
  const status_bench bench{100};
  CHECK(has(top_page(state_of(bench, bench), {80, 24}, plain), "more replicas\n"));
  CHECK_FALSE(has(top_page(state_of(bench, bench), {80, 200}, plain), "more replicas\n"));
}

TEST_CASE("a wide terminal also shows addresses and the phases of each replica, and fits 200 columns") {
  const status_bench before{7};
  status_bench now{7};
  CHECK_FALSE(has(top_page(state_of(before, now), {80, 24}, plain), "127.0.0.1:7400"));
  CHECK(has(top_page(state_of(before, now), {200, 50}, plain), "127.0.0.1:7400"));
  CHECK(has(top_page(state_of(before, now), {200, 50}, plain), "disk ms"));
  for (std::uint32_t number = 0; number < 7; ++number)
    now.inflate(number);
  CHECK(widest_line(top_page(state_of(before, now), {200, 50}, plain)) <= 200);
}

TEST_CASE("the title of the sorted column has a star, and the order of the rows follows") {
  status_bench now;
  set_counter(now.report(2), "requests_pending", 77);
  auto state = state_of(now, now);
  CHECK(has(top_page(state, {80, 24}, plain), "#*"));
  state.order = sort_key::pending;
  const auto page = top_page(state, {80, 24}, plain);
  CHECK(has(page, "queue*"));
  CHECK_FALSE(has(page, "#*"));
  CHECK(page.find("\n2  ") < page.find("\n0  "));
}

TEST_CASE("a paused page says so, and the help replaces the rows") {
  const status_bench bench;
  auto state = state_of(bench, bench);
  state.is_paused = true;
  CHECK(has(top_page(state, {80, 24}, plain), "PAUSED"));
  state.shows_help = true;
  const auto page = top_page(state, {80, 24}, plain);
  CHECK(lines_in(page) <= 24);
  CHECK(has(page, "sort by the next column"));
  CHECK(widest_line(page) <= 80);
  state.has_keys = false;
  state.shows_help = false;
  CHECK_FALSE(has(top_page(state, {80, 24}, plain), "q quit"));
}

}  // namespace hypermesh::testing
