#pragma once

#include "tools/hypermesh-lab/sim_command.hpp"

/// The commands `hypermesh-lab shrink` and `hypermesh-lab plan`.
namespace hypermesh::lab {

struct shrink_command {
  run_choice run;
  std::size_t runs_max = 0;
  std::size_t schedules = 0;
};

CLI::App* add_shrink(CLI::App& app, shrink_command& into);
CLI::App* add_plan(CLI::App& app, run_choice& into);

/// Prints the shrunken plan. Returns the exit code.
[[nodiscard]] cli::exit_code run(const shrink_command& command);
/// Prints the plan of a seed. Returns the exit code.
[[nodiscard]] cli::exit_code print_plan(const run_choice& command);

}  // namespace hypermesh::lab
