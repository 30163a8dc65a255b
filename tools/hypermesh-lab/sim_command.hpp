#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/simulation/run_plan.hpp"

/// `hypermesh-lab sim`, and `replay` for one run of a seed or of a plan.
namespace hypermesh::lab {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

/// Which runs: of seeds, or of a plan.
struct run_choice {
  /// One run instead of many.
  std::optional<std::uint64_t> seed;
  std::vector<std::uint32_t> replicas = {4};
  std::uint32_t operations = 0;
  std::string profile;
  std::string storage;
  /// Empty: the plan of the seed.
  std::string plan_file;
};

struct sim_command {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  run_choice run;
  /// Adversaries instead of a profile: "all", or names.
  std::string strategies;
  /// The profile of what else goes wrong while they play.
  std::string under = "calm";
  std::string format = "table";
  bool trace = false;
  /// Of many runs: none after the first that fails.
  bool until_failure = false;
};

/// Options for the run of one seed, or of a plan in a file.
void add_choice(CLI::App& command, run_choice& into);
[[nodiscard]] testing::run_options options_of(const run_choice& choice, std::uint64_t seed, std::uint32_t replicas);

CLI::App* add_sim(CLI::App& app, sim_command& into);
CLI::App* add_replay(CLI::App& app, sim_command& into);

/// Runs what was parsed; the exit code.
[[nodiscard]] int run(const sim_command& command);

}  // namespace hypermesh::lab
