#pragma once

#include <functional>
#include <string_view>

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::testing {

struct shrink_settings {
  /// Runs that may be made; then the smallest plan so far is the result.
  std::size_t runs_max = 2'000;
  /// Orders of events that each smaller plan is tried with: a removal shifts everything after it, and a failure that
  /// needs a rare order may need another one.
  std::size_t schedules = 3;
};

/// How far the shrinking is, after each run.
struct shrink_progress {
  std::size_t runs = 0;
  std::size_t runs_max = 0;
  /// The part of a plan that a step removes or simplifies.
  std::string_view what;
  /// Of the smallest plan that fails.
  const run_plan& smallest;
};

struct shrink_result {
  run_plan plan;
  /// The failure of `plan`.
  run_report report;
  std::size_t runs = 0;
  /// Whether nothing more can be taken away; otherwise the budget ended first.
  bool finished = false;
};

/// Runs a plan. Of the report, `failure` and `virtual_us` are read.
using plan_runner = std::function<run_report(const run_plan&)>;

/// A smaller plan that breaks the same invariant: delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating
/// Failure-Inducing Input", 2002) over operations and faults, then weaker and shorter faults, earlier healing, plain
/// settings, fewer replicas and clients; again and again until nothing helps. Empty when `plan` does not fail.
[[nodiscard]] std::optional<shrink_result> shrink(const run_plan& plan, const plan_runner& run,
                                                  const shrink_settings& settings = {},
                                                  const std::function<void(const shrink_progress&)>& progress = {});

}  // namespace hypermesh::testing
