#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

/// `hypermesh-lab siege`.
namespace hypermesh::lab {

struct siege_command {
  std::string strategies = "all";
  std::uint32_t replicas = 4;
  std::size_t in_flight = 64;
  double baseline_seconds = 4;
  double duration_seconds = 10;
  std::uint64_t seed = 1;
  /// Throughput below the mark counts as a failure.
  bool mark = false;
  std::string format = "table";
};

CLI::App* add_siege(CLI::App& app, siege_command& into);

/// Runs each strategy against a cluster of its own, one after another. Returns the exit code.
[[nodiscard]] int run(const siege_command& command);

}  // namespace hypermesh::lab
