#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/hypermesh-lab/bench_command.hpp"
#include "tools/hypermesh-lab/byzantine_command.hpp"
#include "tools/hypermesh-lab/checkpoint_bench.hpp"
#include "tools/hypermesh-lab/demo/demo_command.hpp"
#include "tools/hypermesh-lab/history_command.hpp"
#include "tools/hypermesh-lab/placement_bench.hpp"
#include "tools/hypermesh-lab/shrink_command.hpp"
#include "tools/hypermesh-lab/siege_command.hpp"
#include "tools/hypermesh-lab/sim_command.hpp"
#include "tools/hypermesh-lab/strategy_runs.hpp"

namespace hypermesh::lab {

/// The command line of the laboratory, with all commands and their options.
class lab_command_line {
 public:
  lab_command_line();

  /// Parses the arguments of `main` and runs the command that they name. Returns the exit code.
  [[nodiscard]] cli::exit_code run(int count, const char* const* words);

  [[nodiscard]] const CLI::App& app() const { return app_; }

 private:
  CLI::App app_;
  sim_command simulated_;
  sim_command replayed_;
  shrink_command shrunken_;
  run_choice planned_;
  strategies_command listed_;
  byzantine_command byzantine_;
  siege_command besieged_;
  history_command recorded_;
  demo_command shown_;
  bench_guard_command measured_;
  placement_bench_command placed_;
  checkpoint_bench_command checkpointed_;
  std::vector<std::string> help_words_;
  /// The shell of `completion`, or the page of `man`.
  std::string document_;
  /// The function of each command.
  std::vector<std::pair<const CLI::App*, std::function<cli::exit_code()>>> commands_;
};

}  // namespace hypermesh::lab
