#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "tests/simulation/run_plan.hpp"

namespace hypermesh::lab {

/// Reads the plan in a file; "-" means stdin. The failure says what is wrong and in which line.
[[nodiscard]] or_reason<testing::run_plan> read_plan(const std::string& file);

}  // namespace hypermesh::lab
