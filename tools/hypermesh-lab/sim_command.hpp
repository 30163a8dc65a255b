#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/simulation/run_plan.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

/// The command `hypermesh-lab sim`, and `replay` for one run of a seed or of a plan.
namespace hypermesh::lab {

/// Selects the runs: runs of seeds, or the run of a plan.
struct run_choice {
  /// The seed of a single run. If it is empty, there are many runs.
  std::optional<std::uint64_t> seed;
  std::vector<std::uint32_t> replicas = {4};
  std::uint32_t operations = 0;
  std::string profile;
  std::string storage;
  /// If it is empty, the plan is made from the seed.
  std::string plan_file;
};

struct sim_command {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  run_choice run;
  /// Adversaries instead of a profile: "all", or a list of names.
  std::string strategies;
  /// The profile of the other faults while the adversaries play.
  std::string under = "calm";
  cli::output_options output;
  bool trace = false;
  /// Whether many runs stop after the first run that fails.
  bool until_failure = false;
};

/// Adds the options for the run of one seed, or of a plan in a file.
void add_choice(CLI::App& command, run_choice& into);
[[nodiscard]] testing::run_options options_of(const run_choice& choice, std::uint64_t seed, std::uint32_t replicas);

CLI::App* add_sim(CLI::App& app, sim_command& into);
CLI::App* add_replay(CLI::App& app, sim_command& into);

/// Runs the parsed command. Returns the exit code.
[[nodiscard]] cli::exit_code run(const sim_command& command);

}  // namespace hypermesh::lab
