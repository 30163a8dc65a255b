#pragma once

#include "tools/hypermesh-lab/sim_command.hpp"

/// The commands `hypermesh-lab sim --strategies` and `hypermesh-lab strategies`.
namespace hypermesh::lab {

/// Runs each of the command's strategies with each group size and each seed. Returns the exit code.
[[nodiscard]] cli::exit_code run_strategies(const sim_command& command);

/// The list of choices for "all", or for a comma-separated list of names. Each choice is in the syntax of
/// `make_adversary`.
[[nodiscard]] std::vector<std::string> chosen_strategies(const std::string& text);

struct strategies_command {
  cli::output_options output;
};

CLI::App* add_strategies(CLI::App& app, strategies_command& into);

/// Prints the list of strategies. Returns the exit code.
[[nodiscard]] cli::exit_code run(const strategies_command& command);

}  // namespace hypermesh::lab
