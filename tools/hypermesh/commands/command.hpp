#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/exit_code.hpp"

/// The commands of the binary `hypermesh`. Each command has its own file. It reads its options, calls `runtime/`, and
/// prints data on stdout and messages on stderr.
namespace hypermesh::cli {

/// The command that parsing chose; `main` runs it after all options were read.
using chosen_command = std::function<exit_code()>;

void add_init(CLI::App& app, chosen_command& chosen);
void add_keygen(CLI::App& app, chosen_command& chosen);
void add_config(CLI::App& app, chosen_command& chosen);
void add_metrics(CLI::App& app, chosen_command& chosen);
void add_events(CLI::App& app, chosen_command& chosen);
void add_start(CLI::App& app, chosen_command& chosen);
void add_submit(CLI::App& app, chosen_command& chosen);
void add_get(CLI::App& app, chosen_command& chosen);
void add_gateway(CLI::App& app, chosen_command& chosen);
void add_status(CLI::App& app, chosen_command& chosen);
void add_top(CLI::App& app, chosen_command& chosen);
void add_bundle(CLI::App& app, chosen_command& chosen);
void add_release(CLI::App& app, chosen_command& chosen);
void add_hand_over(CLI::App& app, chosen_command& chosen);
void add_replay(CLI::App& app, chosen_command& chosen);
void add_trace(CLI::App& app, chosen_command& chosen);
void add_demo(CLI::App& app, chosen_command& chosen);
void add_verify(CLI::App& app, chosen_command& chosen);
void add_judge(CLI::App& app, chosen_command& chosen);
void add_bench(CLI::App& app, chosen_command& chosen);
void add_audit(CLI::App& app, chosen_command& chosen);

}  // namespace hypermesh::cli
