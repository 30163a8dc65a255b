#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

/// The command `hypermesh-lab siege`.
namespace hypermesh::lab {

struct siege_command {
  std::string strategies = "all";
  std::uint32_t replicas = 4;
  std::size_t in_flight = 64;
  double baseline_seconds = 4;
  double duration_seconds = 10;
  std::uint64_t seed = 1;
  /// Whether a throughput below the mark counts as a failure.
  bool mark = false;
  cli::output_options output;
};

CLI::App* add_siege(CLI::App& app, siege_command& into);

/// Runs the strategies one after another, each against a new cluster. Returns the exit code.
[[nodiscard]] cli::exit_code run(const siege_command& command);

}  // namespace hypermesh::lab
