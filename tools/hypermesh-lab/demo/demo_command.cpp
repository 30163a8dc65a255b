#include "tools/hypermesh-lab/demo/demo_command.hpp"

#include <unistd.h>

#include "tests/byzantine/strategy.hpp"
#include "tools/hypermesh-lab/demo/demo_stage.hpp"
#include "tools/hypermesh-lab/strategy_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/live_screen.hpp"

namespace hypermesh::lab {

namespace {

constexpr auto notes =
    "Starts four replicas as processes, with the history of a GPU cluster as their load, and prints the address of a\n"
    "page with buttons and of each one's page. On a terminal, keys cause the same faults: kill the primary, pause a\n"
    "backup, cut one off, split the network, make one Byzantine, destroy a disk, heal.\n"
    "'b' makes replica 3 vote for two batches at one sequence number; within a second the page shows the evidence.\n"
    "  hypermesh-lab demo\n"
    "  hypermesh-lab demo --nodes openb_node_list_all_node.csv --pods openb_pod_list_default.csv\n"
    "  hypermesh-lab demo --buttons                  without keys: the page's buttons, until one of them quits\n"
    "  hypermesh-lab demo --script                   without keys or buttons, for an unattended run\n"
    "\n"
    "At the end the states of all replicas are compared, and each result with that of a single scheduler. Nothing is\n"
    "left behind, also after Ctrl-C.\n"
    "\n"
    "Exit codes: 0 all states are equal and every operation has its right result; 1 otherwise; 130 interrupted.";

/// A made-up history with enough operations for some minutes.
constexpr std::size_t made_up_operations = 20'000;

cli::or_run_failure<void> show(const demo_command& command, demo_stage& stage) {
  const bool has_keys =
      !command.script && !command.buttons && cli::live_screen::is_possible() && cli::is_terminal(STDIN_FILENO);
  const bool takes_orders = has_keys || (command.buttons && !command.script);
  if (auto done = stage.open(takes_orders); !done) return done;
  if (takes_orders) return stage.play(has_keys);
  return stage.follow_script(cli::milliseconds_of(command.pause_seconds));
}

cli::exit_code report(const cli::run_failure& failed) {
  const auto& [code, error] = failed;
  return code == cli::exit_code::interrupted ? code : cli::report_error(error, code);
}

}  // namespace

CLI::App* add_demo(CLI::App& app, demo_command& into) {
  auto* command =
      app.add_subcommand("demo", "show in two minutes what the product is for: faults, and a page to watch");
  command->footer(notes);
  command->add_flag("--script", into.script, "cause each fault once, without keys");
  command->add_flag("--buttons", into.buttons, "only the buttons of the page cause faults")->excludes("--script");
  command->add_option("--nodes", into.settings.source.nodes_file, "machines of the trace")->type_name("FILE");
  command->add_option("--pods", into.settings.source.pods_file, "tasks of the trace; without both files, made up")
      ->type_name("FILE");
  command->add_option("--pause", into.pause_seconds, "time between two faults of the script")
      ->transform(cli::duration_between(0.0, 60.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--operations-in-flight", into.settings.in_flight, "operations in flight")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--strategy", into.settings.strategy, "strategy of the replica that lies")
      ->check([](const std::string& names) {
        return testing::make_adversary(names) == nullptr ? unknown_strategy_text(names) : std::string{};
      })
      ->capture_default_str()
      ->type_name("NAME");
  return command;
}

cli::exit_code run(const demo_command& command) {
  cli::interruption stop;
  cli::console_narrator narrator{false};
  auto source = command.settings.source;
  source.operations_default = made_up_operations;
  auto work = cli::load_workload(source);
  if (!work) return cli::report_error(work.error(), cli::exit_code::usage);
  demo_session session{command.settings, std::move(*work), stop, narrator};
  demo_stage stage{session, stop, narrator};
  if (const auto done = show(command, stage); !done) return report(done.error());
  bool is_right = false;
  const auto found = stage.end(is_right);
  if (!found) {
    stage.reply_to_quit(tl::unexpected(found.error().error));
    return report(found.error());
  }
  cli::print_report(*found + "\n");
  stage.reply_to_quit(*found);
  return is_right ? cli::exit_code::ok : cli::exit_code::failed;
}

}  // namespace hypermesh::lab
