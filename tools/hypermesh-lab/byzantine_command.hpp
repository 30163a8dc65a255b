#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"

/// The command `hypermesh-lab byzantine`.
namespace hypermesh::lab {

struct byzantine_command {
  std::string strategies;
  /// The configuration file of the replica or client that plays.
  std::string config;
  std::string client_config;
  std::vector<std::uint32_t> accomplices;
  /// The file for received frames. If it is given, the member records frames and plays no strategy.
  std::string recording;
  std::uint64_t seed = 1;
  bool when_told = false;
  int ready_descriptor = -1;
  pid_t parent = 0;
};

CLI::App* add_byzantine(CLI::App& app, byzantine_command& into);

/// Runs the replica or the client until SIGINT or SIGTERM. Returns the exit code.
[[nodiscard]] cli::exit_code run(const byzantine_command& command);

}  // namespace hypermesh::lab
