#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/bench/arrival_times.hpp"
#include "tools/hypermesh/bench/bench_plan.hpp"
#include "tools/hypermesh/bench/load_result.hpp"

namespace hypermesh::testing {

namespace {

std::vector<duration> first_times(double rate, arrival_spacing spacing, std::uint64_t seed, std::size_t count) {
  arrival_times times{rate, spacing, seed};
  std::vector<duration> all;
  for (std::size_t index = 0; index < count; ++index)
    all.push_back(times.next());
  return all;
}

}  // namespace

TEST_CASE("evenly spaced send times follow the rate without drift") {
  const auto times = first_times(3'000, arrival_spacing::even, 1, 30'000);
  CHECK(times[0] == duration{333});
  CHECK(times[1] == duration{666});
  CHECK(std::abs((times.back() - duration{10s}).count()) <= 1);
}

TEST_CASE("Poisson send times have the rate, exponential gaps, and follow from the seed") {
  const auto times = first_times(1'000, arrival_spacing::poisson, 7, 100'000);
  CHECK(std::ranges::is_sorted(times));
  CHECK(static_cast<double>(times.back().count()) / 1e6 == doctest::Approx(100).epsilon(0.02));
  // Of exponential gaps, 1 - 1/e are shorter than the mean. All equal gaps would give 0 or 1.
  std::size_t shorter = 0;
  for (std::size_t index = 1; index < times.size(); ++index)
    shorter += times[index] - times[index - 1] < duration{1'000} ? 1 : 0;
  CHECK(static_cast<double>(shorter) / 100'000 == doctest::Approx(0.632).epsilon(0.02));
  CHECK(times == first_times(1'000, arrival_spacing::poisson, 7, 100'000));
  CHECK(times != first_times(1'000, arrival_spacing::poisson, 8, 100'000));
}

TEST_CASE("a load is divided without loss, and each process has clients of its own") {
  load_shape whole;
  whole.first_client = 2;
  whole.clients = 7;
  whole.in_flight = 20;
  const auto parts = divided(whole, 3);
  REQUIRE(parts.size() == 3);
  std::set<std::uint32_t> identities;
  std::set<std::uint64_t> seeds;
  std::size_t in_flight = 0;
  for (const auto& part : parts) {
    for (std::uint32_t index = 0; index < part.clients; ++index)
      CHECK(identities.insert(part.first_client + index).second);
    in_flight += part.in_flight;
    seeds.insert(part.seed);
  }
  CHECK(identities == std::set<std::uint32_t>{2, 3, 4, 5, 6, 7, 8});
  CHECK(in_flight == 20);
  CHECK(seeds.size() == 3);
  whole.rate = 900;
  double rate = 0;
  for (const auto& part : divided(whole, 3))
    rate += part.rate;
  CHECK(rate == doctest::Approx(900));
}

TEST_CASE("no load process is left without a client or an operation") {
  load_shape whole;
  whole.clients = 2;
  CHECK(divided(whole, 5).size() == 2);
  whole.in_flight = 1;
  const auto one = divided(whole, 5);
  REQUIRE(one.size() == 1);
  CHECK(one[0].clients == 2);
  CHECK(divided(whole, 0).size() == 1);
}

TEST_CASE("every machine of the bench understands its operations, and reads are reads") {
  for (const auto* machine : {"null", "key-value", "redis"}) {
    CAPTURE(machine);
    REQUIRE(is_bench_machine(machine));
    load_shape shape;
    shape.machine = machine;
    shape.payload_bytes = 100;
    shape.reads_percent = 30;
    operation_maker maker{shape};
    const auto state = std::move(*make_state_machine(machine));
    std::size_t reads = 0;
    for (std::uint32_t index = 0; index < 1'000; ++index) {
      const auto next = maker.next();
      CHECK(is_read(machine, next.bytes) == next.is_read);
      CHECK(state->apply({sequence_number{index + 1}, client_id{0}, timestamp{index + 1}}, next.bytes).status ==
            operation_status::applied);
      reads += next.is_read ? 1 : 0;
    }
    CHECK(reads > 200);
    CHECK(reads < 400);
  }
  CHECK_FALSE(is_bench_machine("scheduler"));
}

TEST_CASE("the machine null replies as many bytes as the load wants") {
  load_shape shape;
  shape.reply_bytes = 77;
  shape.payload_bytes = 11;
  const auto made = operation_maker{shape}.next();
  CHECK(made.bytes.size() == 16);
  const auto state = std::move(*make_state_machine("null"));
  CHECK(state->apply({sequence_number{1}, client_id{0}, timestamp{1}}, made.bytes).payload.size() == 77);
}

TEST_CASE("a load process hands over its result without loss") {
  load_result one;
  for (std::uint64_t us = 1; us <= 1'000; ++us)
    one.latency.record(us * us);
  one.reads = 3;
  one.reads_ordered = 2;
  one.intended = 1'002;
  one.answered_in_time = 990;
  one.fail("timed_out", 2);
  one.late_us_max = 17;
  one.operation_bytes = 21;
  one.result_bytes = 16;
  const auto other = read_load_result(text_of(one));
  REQUIRE(other.has_value());
  CHECK(text_of(*other) == text_of(one));
  for (const auto share : {0.1, 0.5, 0.99, 0.9999})
    CHECK(other->latency.percentile(share) == one.latency.percentile(share));
  CHECK(other->latency.max() == 1'000'000);
}

TEST_CASE("results of several load processes add up") {
  load_result sum;
  load_result few;
  few.latency.record(100);
  few.operation_bytes = 10;
  few.late_us_max = 5;
  few.fail("refused");
  load_result many;
  for (int index = 0; index < 3; ++index)
    many.latency.record(1'000);
  many.operation_bytes = 50;
  many.late_us_max = 2;
  many.fail("refused", 2);
  sum.add(few);
  sum.add(many);
  CHECK(sum.latency.count() == 4);
  CHECK(sum.latency.percentile(0.25) == 100);
  CHECK(sum.latency.max() == 1'000);
  CHECK(sum.operation_bytes == doctest::Approx(40));
  CHECK(sum.late_us_max == 5);
  CHECK(sum.failed() == 3);
}

TEST_CASE("a text that is no result is refused") {
  for (const auto* text : {"", "{", "[]", "{\"buckets\": 1}", "{\"buckets\": [[99999999, 1]], \"sum\": 1, \"max\": 1}"})
    CHECK_FALSE(read_load_result(text).has_value());
}

TEST_CASE("failures have a bounded number of names") {
  load_result result;
  for (int index = 0; index < 1'000; ++index)
    result.fail("reason-" + std::to_string(index));
  CHECK(result.failures.size() == load_result::failure_names_max);
  CHECK(result.failed() == 1'000);
}

}  // namespace hypermesh::testing
