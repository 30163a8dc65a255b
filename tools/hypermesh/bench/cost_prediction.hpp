#pragma once

#include <optional>
#include <vector>

#include "tools/hypermesh/bench/cost_model.hpp"

namespace hypermesh::cli {

struct bench_result;
struct bench_run;
struct bench_settings;

/// The predicted cost of an operation beside the measured one.
struct cost_prediction {
  unit_costs units;
  /// The runs from which the unit costs were computed. The predicted run is none of them.
  std::vector<cost_sample> samples;
  work_shape shape;
  predicted_cost parts;
  double measured_us = 0;

  /// How much the prediction is above the measurement, in percent.
  [[nodiscard]] double deviation_percent() const;
};

/// The short runs of four replicas that tell the unit costs apart: one operation at a time, many, large ones, bundles,
/// with and without a disk.
[[nodiscard]] std::vector<bench_settings> calibration_runs();

/// The shape and the cost of the last run of a bench; nothing if a replica did not tell its counts.
[[nodiscard]] std::optional<cost_sample> sample_of(const bench_result& result);

/// Predicts the cost of the last run of `result` from the samples; nothing if it has no counts. Pure.
[[nodiscard]] std::optional<cost_prediction> prediction_of(const bench_result& result,
                                                           std::vector<cost_sample> samples);

}  // namespace hypermesh::cli
