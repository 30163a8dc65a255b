#pragma once

#include <functional>
#include <string_view>

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::testing {

struct shrink_settings {
  /// The largest number of runs. After that, the smallest plan so far is the result.
  std::size_t runs_max = 2'000;
  /// The number of orders of events with which each smaller plan is tried. A removal shifts everything after it, so a
  /// failure that needs a rare order of events may need another order.
  std::size_t schedules = 3;
};

/// The progress of the shrinking, reported after each run.
struct shrink_progress {
  std::size_t runs = 0;
  std::size_t runs_max = 0;
  /// The part of a plan that a step removes or simplifies.
  std::string_view what;
  /// The smallest plan so far that fails.
  const run_plan& smallest;
};

struct shrink_result {
  run_plan plan;
  /// The report of the failing run of `plan`.
  run_report report;
  std::size_t runs = 0;
  /// Whether nothing more can be removed. If false, the number of runs was used up first.
  bool finished = false;
};

/// Runs a plan. The shrinker reads only `failure` and `virtual_time` of the report.
using plan_runner = std::function<run_report(const run_plan&)>;

/// Finds a smaller plan that breaks the same invariant. It uses delta debugging (Zeller and Hildebrandt, "Simplifying
/// and Isolating Failure-Inducing Input", 2002) over operations and faults, then tries weaker and shorter faults,
/// earlier healing, plain settings, fewer replicas and clients. It repeats these steps until none of them helps. Empty
/// when `plan` does not fail.
[[nodiscard]] std::optional<shrink_result> shrink(const run_plan& plan, const plan_runner& run,
                                                  const shrink_settings& settings = {},
                                                  const std::function<void(const shrink_progress&)>& progress = {});

}  // namespace hypermesh::testing
