#include "tools/hypermesh/bench/cost_model.hpp"

#include <doctest/doctest.h>

namespace hypermesh::testing {

using namespace cli;

namespace {

constexpr crypto_costs round_costs{10, 30, 1, 2, 0.5, 4};

/// Shapes that tell the units apart, as those of the calibration do.
std::vector<work_shape> distinct_shapes() {
  return {{4, 3, 1, 1, 24, 16, 0},  {4, 3, 1, 1, 24, 16, 2},   {4, 3, 30, 1, 24, 16, 0},
          {4, 3, 30, 1, 24, 16, 2}, {4, 3, 20, 64, 24, 16, 0}, {4, 3, 20, 16, 1'032, 16, 0}};
}

}  // namespace

TEST_CASE("the counts of an operation are those of the three phases, divided among the operations of a batch") {
  // n = 4: a request, 3 / 16 copies of it, 2 * 3 proposals, 2 * (9 + 12) votes and 4 replies.
  const auto one = counts_of({4, 3, 1, 1, 0, 0, 2});
  CHECK(one.frames == doctest::Approx(1 + 3.0 / 16 + 6 + 42 + 4));
  CHECK(one.requests == doctest::Approx(4));
  CHECK(one.operations == doctest::Approx(4));
  CHECK(one.writes == doctest::Approx(8));
  const auto many = counts_of({4, 3, 10, 8, 0, 0, 2});
  CHECK(many.frames == doctest::Approx((10 * (1 + 3.0 / 16) + 6 + 42 + 40) / 80));
  CHECK(many.requests == doctest::Approx(0.5));
  CHECK(many.writes == doctest::Approx(0.1));
  // The votes grow with the square of the group.
  CHECK(counts_of({31, 21, 1, 1, 0, 0, 0}).frames > 30 * one.frames);
  // An operation of one KiB goes to the primary, to each backup in its proposal, and in the sample.
  const auto larger = counts_of({4, 3, 1, 1, 1'024, 0, 0}).kib - counts_of({4, 3, 1, 1, 0, 0, 0}).kib;
  CHECK(larger == doctest::Approx(1 + 3.0 / 16 + 6));
}

TEST_CASE("a prediction is the cryptography and each count times its unit cost") {
  const work_shape shape{4, 3, 10, 8, 100, 20, 2};
  const unit_costs units{3, 5, 7, 2, 40};
  const auto counts = counts_of(shape);
  const auto predicted = predict(shape, round_costs, units);
  CHECK(predicted.frames_us == doctest::Approx(3 * counts.frames));
  CHECK(predicted.bytes_us == doctest::Approx(5 * counts.kib));
  CHECK(predicted.requests_us == doctest::Approx(7 * counts.requests));
  CHECK(predicted.operations_us == doctest::Approx(2 * counts.operations));
  CHECK(predicted.writes_us == doctest::Approx(40 * counts.writes));
  CHECK(predicted.crypto_us > floor_of(round_costs, {4, 3, 10, 8, 100}).replicas_us());
  CHECK(predicted.total_us() > predicted.crypto_us);
}

TEST_CASE("the unit costs of a machine are found from its runs, and predict other shapes") {
  const unit_costs real{6, 3, 25, 1.5, 60};
  std::vector<cost_sample> samples;
  for (const auto& shape : distinct_shapes())
    samples.push_back({shape, predict(shape, round_costs, real).total_us()});
  const auto found = fit(samples, round_costs);
  for (const work_shape& shape : {work_shape{7, 5, 12, 1, 24, 16, 2}, work_shape{10, 7, 8, 16, 24, 16, 2}}) {
    const auto wanted = predict(shape, round_costs, real).total_us();
    CHECK(predict(shape, round_costs, found).total_us() == doctest::Approx(wanted).epsilon(0.05));
  }
}

TEST_CASE("no unit cost is negative, and runs without a cost count nothing") {
  // The measured costs are below the cryptography, as with a wrong clock.
  std::vector<cost_sample> samples;
  for (const auto& shape : distinct_shapes())
    samples.push_back({shape, 1});
  samples.push_back({{}, 0});
  const auto found = fit(samples, round_costs);
  for (const auto unit : {found.frame_us, found.kib_us, found.request_us, found.operation_us, found.write_us})
    CHECK(unit == 0);
  const auto none = fit({}, round_costs);
  CHECK(none.frame_us == 0);
}

}  // namespace hypermesh::testing
