#pragma once

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::lab {

/// Runs a plan in a separate process, so that a failed assertion (`require`) ends only that process. In this case the
/// report has a violation whose name is the message of the assertion. Only `failure` and `virtual_time` of the report
/// are set.
[[nodiscard]] testing::run_report run_isolated(const testing::run_plan& plan);

}  // namespace hypermesh::lab
