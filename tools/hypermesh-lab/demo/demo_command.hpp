#pragma once

#include <CLI/CLI.hpp>

#include "tools/hypermesh-lab/demo/demo_session.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"

/// The command `hypermesh-lab demo`.
namespace hypermesh::lab {

struct demo_command {
  demo_settings settings;
  /// Shows a fixed sequence of faults, without keys.
  bool script = false;
  /// Waits for the buttons of the page, without keys.
  bool buttons = false;
  /// The time in seconds between two faults of the script, in which a viewer looks at a page.
  double pause_seconds = 4;
};

CLI::App* add_demo(CLI::App& app, demo_command& into);

/// Runs the demonstration: with keys if stdin and stdout are terminals, with buttons only if that is asked for, as a
/// script otherwise. Returns the exit code.
[[nodiscard]] cli::exit_code run(const demo_command& command);

}  // namespace hypermesh::lab
