#pragma once

#include <cstddef>
#include <cstdint>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

/// The command `hypermesh-lab bench placement`.
namespace hypermesh::lab {

struct placement_bench_command {
  std::size_t nodes = 10'000;
  std::size_t tasks = 100'000;
  std::uint64_t seed = 1;
  cli::output_options output;
};

/// Adds the subject `placement` to the command `bench`.
CLI::App* add_placement_bench(CLI::App& bench, placement_bench_command& into);

/// Measures how many placements a single scheduler makes in a second, in this process and without consensus.
[[nodiscard]] cli::exit_code run(const placement_bench_command& command);

}  // namespace hypermesh::lab
