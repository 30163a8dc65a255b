#pragma once

#include <functional>

#include <CLI/CLI.hpp>

/// The commands of the binary `hypermesh`. Each has a file of its own; a command reads its options, calls
/// `runtime/`, and prints: data on stdout, messages on stderr.
namespace hypermesh::cli {

/// What the process returns. Documented in tools/README.md; scripts rely on it.
enum class exit_code : int {
  ok = 0,
  /// The command was understood and did not succeed.
  failed = 1,
  /// Wrong options, or a configuration file that is wrong.
  usage = 2,
  /// The cluster did not answer: timed out, too few replicas reachable.
  no_quorum = 3,
  /// Stopped by SIGINT, SIGTERM or SIGHUP before it was done: as shells report it.
  interrupted = 130,
};

/// What parsing found to do; run by `main` after all options were read.
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
