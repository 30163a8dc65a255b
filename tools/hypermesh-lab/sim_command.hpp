#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

/// `hypermesh-lab sim` and its alias for one run, `replay`.
namespace hypermesh::lab {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

struct sim_command {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  /// One run instead of many.
  std::optional<std::uint64_t> seed;
  std::vector<std::uint32_t> replicas = {4};
  std::uint32_t operations = 0;
  std::string profile;
  std::string format = "table";
  bool trace = false;
};

void add_sim(CLI::App& app, sim_command& into);
void add_replay(CLI::App& app, sim_command& into);

/// Runs what was parsed; the exit code.
[[nodiscard]] int run(const sim_command& command);

}  // namespace hypermesh::lab
