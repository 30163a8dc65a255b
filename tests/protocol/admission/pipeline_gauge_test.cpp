#include "actors/protocol/admission/pipeline_gauge.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::protocol;

namespace {

/// A gauge and a clock. `run` proposes and executes `count` batches, one after the other, which take `took` each.
struct gauge_bench {
  pipeline_gauge tested;
  moment now{1h};

  void run(int count, duration took) {
    for (int each = 0; each < count; ++each) {
      tested.on_cut(1, now);
      now += took;
      tested.on_executed(0, now);
    }
  }
};

}  // namespace

TEST_CASE("the whole pipeline is used until a batch was executed, and while all batches take as long") {
  gauge_bench bench;
  CHECK(bench.tested.depth(8) == 8);
  bench.tested.on_cut(1, bench.now);
  CHECK(bench.tested.depth(8) == 8);
  bench.run(50, 100ms);
  CHECK(bench.tested.depth(8) == 8);
  CHECK(bench.tested.depth(1) == 1);
}

TEST_CASE(
    "batches that wait for each other make the pipeline shorter, down to one batch, and a rest makes it long again") {
  gauge_bench bench;
  bench.run(10, 2ms);
  bench.run(50, 3ms);
  CHECK(bench.tested.depth(8) == 5);
  bench.run(50, 12ms);
  CHECK(bench.tested.depth(8) == 1);
  bench.run(50, 500ms);
  CHECK(bench.tested.depth(8) == 1);
  bench.run(50, 2ms);
  CHECK(bench.tested.depth(8) == 8);
}

TEST_CASE("the time of a batch begins when it was proposed, also while others are in flight") {
  gauge_bench bench;
  bench.run(1, 4ms);
  bench.tested.on_cut(1, bench.now);
  bench.tested.on_cut(1, bench.now + 4ms);
  bench.tested.on_executed(1, bench.now + 4ms);
  CHECK(bench.tested.depth(8) == 8);
  bench.tested.on_executed(1, bench.now + 30ms);
  CHECK(bench.tested.depth(8) == 8);
  bench.tested.on_executed(0, bench.now + 40ms);
  // The typical time is 4 ms and a quarter of the 32 ms that the second one took longer: 12 ms.
  CHECK(bench.tested.depth(8) == 3);
}

TEST_CASE("a network that became slower is the measure after two windows, and not before one") {
  gauge_bench bench;
  bench.run(10, 2ms);
  bench.run(static_cast<int>(pipeline_gauge::window / 100ms) - 10, 100ms);
  CHECK(bench.tested.depth(8) == 1);
  bench.run(static_cast<int>(2 * pipeline_gauge::window / 100ms), 100ms);
  CHECK(bench.tested.depth(8) == 8);
}

TEST_CASE("batches that were dropped with their view are not measured") {
  gauge_bench bench;
  bench.run(10, 2ms);
  bench.tested.on_cut(1, bench.now);
  bench.tested.on_view();
  bench.now += 10s;
  bench.tested.on_executed(0, bench.now);
  CHECK(bench.tested.depth(8) == 8);
}

TEST_CASE("a clock that stands still or steps back makes the depth neither zero nor more than allowed") {
  gauge_bench bench;
  bench.run(5, 0ms);
  CHECK(bench.tested.depth(8) == 8);
  bench.tested.on_cut(1, bench.now);
  bench.tested.on_executed(0, moment{});
  CHECK(bench.tested.depth(8) == 8);
  bench.run(40, 500ms);
  CHECK(bench.tested.depth(8) == 1);
}

TEST_CASE("a batch has no more requests than the group executes in the time of a batch, and never fewer than 64") {
  gauge_bench bench;
  CHECK(bench.tested.requests(1'024) == 1'024);
  const auto run = [&bench](int count, std::size_t requests, duration took) {
    for (int each = 0; each < count; ++each) {
      bench.tested.on_cut(requests, bench.now);
      bench.now += took;
      bench.tested.on_executed(0, bench.now);
    }
  };
  // 2,000 requests a second.
  run(50, 200, 100ms);
  CHECK(bench.tested.requests(1'024) == 200);
  run(50, 1'000, 500ms);
  CHECK(bench.tested.requests(1'024) == 200);
  CHECK(bench.tested.requests(100) == 100);
  CHECK(bench.tested.requests(10) == 10);
  // A rest: batches of one request say nothing about large ones.
  run(50, 1, 3ms);
  CHECK(bench.tested.requests(1'024) == pipeline_gauge::requests_min);
  run(50, 1'000, 1ms);
  CHECK(bench.tested.requests(1'024) > 1'000);
}

TEST_CASE("batches that wait for each other are measured from the end of the one before") {
  gauge_bench bench;
  // Two are always in flight, and each takes 50 ms of the group's time.
  bench.tested.on_cut(100, bench.now);
  for (int each = 0; each < 50; ++each) {
    bench.tested.on_cut(100, bench.now);
    bench.now += 50ms;
    bench.tested.on_executed(1, bench.now);
  }
  CHECK(bench.tested.requests(1'024) == 200);
}
