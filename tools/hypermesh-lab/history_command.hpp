#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

/// The command `hypermesh-lab history`.
namespace hypermesh::lab {

struct history_command {
  std::size_t runs = 10;
  double duration_seconds = 60;
  double kill_interval_seconds = 12;
  std::string strategy = "wrong-replies";
  std::uint32_t clients = 6;
  std::uint64_t seed = 1;
  cli::output_options output;
};

CLI::App* add_history(CLI::App& app, history_command& into);

/// Makes the runs one after another, each with a new cluster. Returns the exit code.
[[nodiscard]] cli::exit_code run(const history_command& command);

}  // namespace hypermesh::lab
