#pragma once

#include <cstddef>
#include <cstdint>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

/// The command `hypermesh-lab bench`.
namespace hypermesh::lab {

struct bench_guard_command {
  double duration_seconds = 5;
  std::size_t in_flight = 64;
  std::uint32_t nodes = 1'000;
  cli::output_options output;
};

/// Adds the command `bench`, which needs a subject.
CLI::App* add_bench(CLI::App& app);

/// Adds the subject `guard` to the command `bench`.
CLI::App* add_guard_bench(CLI::App& bench, bench_guard_command& into);

/// Measures the cost of the guard for a node. Returns the exit code.
[[nodiscard]] cli::exit_code run(const bench_guard_command& command);

}  // namespace hypermesh::lab
