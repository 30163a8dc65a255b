#pragma once

#include "tests/simulation/simulated_run.hpp"

namespace hypermesh::lab {

/// Runs a plan in a process of its own, so that a broken requirement ends only that process. It is then reported as a
/// violation whose name is the message of the requirement. Of the report, only `failure` and `virtual_us` are set.
[[nodiscard]] testing::run_report run_isolated(const testing::run_plan& plan);

}  // namespace hypermesh::lab
