#pragma once

#include <functional>

#include <CLI/CLI.hpp>

/// The commands of the binary `hypermesh`. Each command has its own file. It reads its options, calls `runtime/`, and
/// prints data on stdout and messages on stderr.
namespace hypermesh::cli {

/// The exit code of the process. Documented in tools/README.md; scripts rely on it.
enum class exit_code : int {
  ok = 0,
  /// The command line was valid, but the command failed.
  failed = 1,
  /// Wrong options, or an invalid configuration file.
  usage = 2,
  /// The cluster did not answer in time, or too few replicas are reachable.
  no_quorum = 3,
  /// Stopped by SIGINT, SIGTERM or SIGHUP before the end. Shells report the same number.
  interrupted = 130,
};

/// The command that parsing chose; `main` runs it after all options were read.
using chosen_command = std::function<exit_code()>;

void add_init(CLI::App& app, chosen_command& chosen);
void add_keygen(CLI::App& app, chosen_command& chosen);
void add_config(CLI::App& app, chosen_command& chosen);
void add_start(CLI::App& app, chosen_command& chosen);
void add_submit(CLI::App& app, chosen_command& chosen);
void add_get(CLI::App& app, chosen_command& chosen);
void add_status(CLI::App& app, chosen_command& chosen);
void add_release(CLI::App& app, chosen_command& chosen);
void add_hand_over(CLI::App& app, chosen_command& chosen);
void add_replay(CLI::App& app, chosen_command& chosen);
void add_demo(CLI::App& app, chosen_command& chosen);
void add_audit(CLI::App& app, chosen_command& chosen);

}  // namespace hypermesh::cli
