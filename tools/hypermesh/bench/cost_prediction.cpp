#include "tools/hypermesh/bench/cost_prediction.hpp"

#include <utility>

#include "tools/hypermesh/bench/bench_figures.hpp"
#include "tools/hypermesh/bench/bench_session.hpp"

namespace hypermesh::cli {

double cost_prediction::deviation_percent() const {
  return measured_us > 0 ? 100 * (parts.total_us() / measured_us - 1) : 0;
}

std::vector<bench_settings> calibration_runs() {
  struct load {
    std::size_t in_flight;
    std::size_t bundle;
    std::size_t payload_bytes;
    const char* durability;
  };
  std::vector<bench_settings> all;
  for (const auto& each : {load{1, 1, 16, "memory"}, load{1, 1, 16, "sync"}, load{64, 1, 16, "memory"},
                           load{64, 1, 16, "sync"}, load{4'096, 64, 16, "memory"}, load{1'024, 16, 1'024, "memory"}}) {
    auto& settings = all.emplace_back();
    settings.load.in_flight = each.in_flight;
    settings.load.bundle = each.bundle;
    settings.load.payload_bytes = each.payload_bytes;
    settings.load.warm_up = 1s;
    settings.load.measured = 3s;
    settings.durability = each.durability;
  }
  return all;
}

std::optional<cost_sample> sample_of(const bench_result& result) {
  if (result.runs.empty()) return std::nullopt;
  const auto& run = result.runs.back();
  const auto figures = figures_of(run, result.target, result.crypto);
  if (!figures.requests_per_batch || figures.replicas_us <= 0) return std::nullopt;
  cost_sample sample;
  sample.measured_us = figures.replicas_us;
  auto& shape = sample.shape;
  shape.replicas = result.target.replicas;
  shape.quorum = result.target.quorum;
  shape.requests_per_batch = *figures.requests_per_batch;
  shape.operations_per_request = figures.operations_per_request;
  shape.operation_bytes = run.result.operation_bytes;
  shape.result_bytes = run.result.result_bytes;
  // Storage in memory counts its writes too, but none of them reaches a disk.
  const bool has_disk = !result.settings.cluster.empty() || result.settings.durability != "memory";
  shape.writes_per_batch = has_disk ? figures.writes_per_batch.value_or(0) : 0;
  return sample;
}

std::optional<cost_prediction> prediction_of(const bench_result& result, std::vector<cost_sample> samples) {
  const auto measured = sample_of(result);
  if (!measured) return std::nullopt;
  cost_prediction prediction;
  prediction.units = fit(samples, result.crypto);
  prediction.samples = std::move(samples);
  prediction.shape = measured->shape;
  prediction.parts = predict(measured->shape, result.crypto, prediction.units);
  prediction.measured_us = measured->measured_us;
  return prediction;
}

}  // namespace hypermesh::cli
