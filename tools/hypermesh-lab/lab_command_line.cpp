#include "tools/hypermesh-lab/lab_command_line.hpp"

#include "messages/require.hpp"
#include "tools/hypermesh/terminal/command_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/document_commands.hpp"
#include "tools/hypermesh/terminal/manual_page.hpp"

namespace hypermesh::lab {

namespace {

constexpr auto about = "Laboratory of HyperMesh consensus: simulated clusters with faulty networks, disks and members.";

constexpr auto overview =
    "Examples:\n"
    "  hypermesh-lab sim --seeds 200                       200 different runs of four replicas\n"
    "  hypermesh-lab sim --seeds 50 --replicas 4,7,10 --profile lossy -o json\n"
    "  hypermesh-lab sim --seeds 500 --storage rocksdb\n"
    "  hypermesh-lab sim --twins --seeds 200               f replicas run twice, with one key\n"
    "  hypermesh-lab sim --strategies all --replicas 4,7 --seeds 20\n"
    "                                                      every adversary strategy, by f replicas or a client\n"
    "  hypermesh-lab strategies                            list the strategies, and the observations that reveal them\n"
    "  hypermesh-lab byzantine --strategy mute-primary --config replica-0/node.toml\n"
    "                                                      a real replica with an adversary strategy\n"
    "  hypermesh-lab siege --strategies mute-primary,request-flood\n"
    "                                                      the throughput of a real cluster under attack\n"
    "  hypermesh-lab history --runs 10 --duration 60s      what clients of two gateways see, while replicas fail\n"
    "  hypermesh-lab demo                                  cause faults with keys, and watch a node's page\n"
    "  hypermesh-lab bench guard                           the cost of a node's guard\n"
    "  hypermesh-lab bench placement --nodes 10000         the placements per second of one scheduler\n"
    "  hypermesh-lab bench checkpoint --state-bytes 1GiB   the pause for a checkpoint of a large state\n"
    "  hypermesh-lab replay --seed 17 --trace              one run, event by event\n"
    "  hypermesh-lab shrink --seed 17 > small.plan         reduce a failing run as far as possible\n"
    "  hypermesh-lab replay --plan small.plan --trace      a run from a plan of all operations and faults\n"
    "\n"
    "A run is a function of its options and its seed, or of its plan: the same command gives the same event hash on "
    "every machine.\n"
    "Exit codes: 0 every run passed; 1 a run failed; 2 wrong usage. Data goes to stdout, messages to stderr.";

cli::exit_code print_page(const CLI::App& app) {
  cli::print(cli::manual_page_of(app.get_name(), cli::tree_of(app), "hypermesh(1), node.toml(5)"));
  return cli::exit_code::ok;
}

}  // namespace

lab_command_line::lab_command_line() : app_{about, "hypermesh-lab"} {
  app_.require_subcommand(1);
  app_.footer(overview);
  app_.get_formatter()->column_width(32);
  const auto add = [this](const CLI::App* command, std::function<cli::exit_code()> run) {
    commands_.emplace_back(command, std::move(run));
  };
  add(add_sim(app_, simulated_), [this] { return lab::run(simulated_); });
  add(add_replay(app_, replayed_), [this] { return lab::run(replayed_); });
  add(add_shrink(app_, shrunken_), [this] { return lab::run(shrunken_); });
  add(add_plan(app_, planned_), [this] { return print_plan(planned_); });
  add(add_strategies(app_, listed_), [this] { return lab::run(listed_); });
  add(add_byzantine(app_, byzantine_), [this] { return lab::run(byzantine_); });
  add(add_siege(app_, besieged_), [this] { return lab::run(besieged_); });
  add(add_history(app_, recorded_), [this] { return lab::run(recorded_); });
  add(add_demo(app_, shown_), [this] { return lab::run(shown_); });
  auto* bench = add_bench(app_);
  add(add_guard_bench(*bench, measured_), [this] { return lab::run(measured_); });
  add(add_placement_bench(*bench, placed_), [this] { return lab::run(placed_); });
  add(add_checkpoint_bench(*bench, checkpointed_), [this] { return lab::run(checkpointed_); });
  add(cli::add_completion(app_, document_), [this] { return cli::print_completion(app_, document_); });
  add(cli::add_man(app_, document_, {"hypermesh-lab.1"}), [this] { return print_page(app_); });
  add(cli::add_help(app_, help_words_), [this] { return cli::print_help(app_, help_words_); });
  cli::complete_footers(app_);
}

cli::exit_code lab_command_line::run(int count, const char* const* words) {
  if (const auto done = cli::parse(app_, count, words)) return *done;
  for (const auto& [command, run] : commands_) {
    if (command->parsed()) return run();
  }
  require(false, "a command was parsed, because one is required");
  return cli::exit_code::failed;
}

}  // namespace hypermesh::lab
