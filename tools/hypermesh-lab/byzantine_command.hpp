#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

/// `hypermesh-lab byzantine`.
namespace hypermesh::lab {

struct byzantine_command {
  std::string strategies;
  std::string config;
  std::uint64_t seed = 1;
};

CLI::App* add_byzantine(CLI::App& app, byzantine_command& into);

/// Runs the replica until SIGINT or SIGTERM; the exit code.
[[nodiscard]] int run(const byzantine_command& command);

}  // namespace hypermesh::lab
