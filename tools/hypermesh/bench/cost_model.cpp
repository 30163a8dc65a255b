#include "tools/hypermesh/bench/cost_model.hpp"

#include <algorithm>

namespace hypermesh::cli {

namespace {

/// Bytes of frames without operations and results: the layout, ids, digests and signatures. `signed_vote_bytes` is a
/// PREPARE or COMMIT.
constexpr double request_bytes = 105;
constexpr double proposal_bytes = 140;
constexpr double signed_vote_bytes = 137;
constexpr double reply_bytes = 110;
/// The length of an operation or a result in its frame, and its padding.
constexpr double item_bytes = 6;
/// One request in this many goes to all replicas (`client_settings::sampled_one_in`).
constexpr double sampled_one_in = 16;

constexpr std::size_t unit_count = 5;
using unit_vector = std::array<double, unit_count>;

unit_vector counts_as_vector(const work_shape& shape) {
  const auto counts = counts_of(shape);
  return {counts.frames, counts.kib, counts.requests, counts.operations, counts.writes};
}

double crypto_us_of(const work_shape& shape, const crypto_costs& crypto) {
  const auto counts = counts_of(shape);
  floor_shape floor{shape.replicas, shape.quorum, shape.requests_per_batch, shape.operations_per_request,
                    shape.operation_bytes};
  floor.frames_per_operation = counts.frames;
  floor.kib_per_operation = counts.kib;
  return floor_of(crypto, floor).replicas_us();
}

}  // namespace

work_counts counts_of(const work_shape& shape) {
  const auto n = static_cast<double>(shape.replicas);
  const auto requests = std::max(shape.requests_per_batch, 1e-9);
  const auto in_request = std::max(shape.operations_per_request, 1e-9);
  const auto operations = requests * in_request;
  const auto request_size = request_bytes + in_request * (shape.operation_bytes + item_bytes);
  const auto received = requests * (1 + (n - 1) / sampled_one_in);
  const auto proposals = 2 * (n - 1);
  const auto votes = 2 * ((n - 1) * (n - 1) + n * (n - 1));
  const auto replies = n * requests;
  const auto bytes = received * request_size + proposals * (proposal_bytes + requests * request_size) +
                     votes * signed_vote_bytes +
                     replies * (reply_bytes + in_request * (shape.result_bytes + item_bytes));
  work_counts counts;
  counts.frames = (received + proposals + votes + replies) / operations;
  counts.kib = bytes / 1'024 / operations;
  counts.requests = n / in_request;
  counts.operations = n;
  counts.writes = n * shape.writes_per_batch / operations;
  return counts;
}

predicted_cost predict(const work_shape& shape, const crypto_costs& crypto, const unit_costs& units) {
  const auto counts = counts_of(shape);
  return {crypto_us_of(shape, crypto),        counts.frames * units.frame_us,         counts.kib * units.kib_us,
          counts.requests * units.request_us, counts.operations * units.operation_us, counts.writes * units.write_us};
}

/// Coordinate descent: each round gives one unit after another its best value for the present values of the others, and
/// never less than 0. The function is convex, so the rounds approach the least sum.
unit_costs fit(const std::vector<cost_sample>& samples, const crypto_costs& crypto) {
  constexpr int rounds = 20'000;
  std::vector<unit_vector> weights;
  std::vector<double> rests;
  for (const auto& each : samples) {
    if (each.measured_us <= 0) continue;
    auto weight = counts_as_vector(each.shape);
    for (auto& one : weight)
      one /= each.measured_us;
    weights.push_back(weight);
    rests.push_back(1 - crypto_us_of(each.shape, crypto) / each.measured_us);
  }
  unit_vector units{};
  for (int round = 0; round < rounds; ++round) {
    const auto unit = static_cast<std::size_t>(round) % unit_count;
    double square = 0;
    double product = 0;
    for (std::size_t index = 0; index < weights.size(); ++index) {
      // What the other units leave for this one.
      square += weights[index][unit] * weights[index][unit];
      product += weights[index][unit] * (rests[index] + weights[index][unit] * units[unit]);
    }
    const auto value = square > 0 ? std::max(product / square, 0.0) : 0.0;
    for (std::size_t index = 0; index < weights.size(); ++index)
      rests[index] -= weights[index][unit] * (value - units[unit]);
    units[unit] = value;
  }
  return {units[0], units[1], units[2], units[3], units[4]};
}

}  // namespace hypermesh::cli
