#pragma once

#include <cstddef>
#include <cstdint>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

/// The command `hypermesh-lab bench checkpoint`.
namespace hypermesh::lab {

struct checkpoint_bench_command {
  std::uint64_t state_bytes = 256ULL << 20U;
  /// The share that changes between two checkpoints, in percent.
  double changed_percent = 1.6;
  /// The share counts entries, which are spread over the whole state. Otherwise it counts chunks.
  bool counts_entries = false;
  std::size_t value_bytes = 1'000;
  std::size_t rounds = 16;
  std::uint64_t seed = 1;
  cli::output_options output;
};

/// Adds the subject `checkpoint` to the command `bench`.
CLI::App* add_checkpoint_bench(CLI::App& bench, checkpoint_bench_command& into);

/// Measures checkpoints of one key-value store in this process, without consensus.
[[nodiscard]] cli::exit_code run(const checkpoint_bench_command& command);

}  // namespace hypermesh::lab
