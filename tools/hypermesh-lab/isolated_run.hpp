#pragma once

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::lab {

/// Runs a plan in a separate process, so that a broken requirement ends only that process. The report then has a
/// violation whose name is the message of the requirement. Only `failure` and `virtual_time` of the report are set.
[[nodiscard]] testing::run_report run_isolated(const testing::run_plan& plan);

}  // namespace hypermesh::lab
