#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "tools/hypermesh-lab/bench_command.hpp"
#include "tools/hypermesh-lab/byzantine_command.hpp"
#include "tools/hypermesh-lab/shrink_command.hpp"
#include "tools/hypermesh-lab/siege_command.hpp"
#include "tools/hypermesh-lab/sim_command.hpp"
#include "tools/hypermesh-lab/strategy_runs.hpp"

namespace hypermesh::lab {

namespace {

constexpr auto about =
    "Laboratory of HyperMesh consensus: whole clusters in virtual time, with bad networks, from a seed.";

constexpr auto overview =
    "Examples:\n"
    "  hypermesh-lab sim --seeds 200                       200 different runs of four replicas\n"
    "  hypermesh-lab sim --seeds 50 --replicas 4,7,10 --profile lossy -o json\n"
    "  hypermesh-lab sim --seeds 500 --storage rocksdb\n"
    "  hypermesh-lab sim --twins --seeds 200               f replicas run twice, with one key\n"
    "  hypermesh-lab sim --strategies all --replicas 4,7 --seeds 20\n"
    "                                                      f replicas, or a client, play each strategy there is\n"
    "  hypermesh-lab strategies                            what adversaries can do, and how the others notice\n"
    "  hypermesh-lab byzantine --strategy mute-primary --config replica-0/node.toml\n"
    "                                                      a real replica in an adversary's hands\n"
    "  hypermesh-lab siege --strategies mute-primary,request-flood\n"
    "                                                      what they leave of a real cluster's throughput\n"
    "  hypermesh-lab bench guard                           what the guard of a node costs\n"
    "  hypermesh-lab replay --seed 17 --trace              one run, event by event\n"
    "  hypermesh-lab shrink --seed 17 > small.plan         a failing run, made as small as it goes\n"
    "  hypermesh-lab replay --plan small.plan --trace      a run whose every operation and fault is written down\n"
    "\n"
    "A run is a function of its options and its seed, or of its plan: the same command gives the same event hash on "
    "every machine.\n"
    "Exit codes: 0 every run passed; 1 a run failed; 2 wrong usage. Data goes to stdout, messages to stderr.";

int parse_and_run(int count, char** words) {
  CLI::App app{about, "hypermesh-lab"};
  app.require_subcommand(1);
  app.footer(overview);
  app.get_formatter()->column_width(32);
  sim_command simulated;
  sim_command replayed;
  shrink_command shrunken;
  run_choice planned;
  strategies_command listed;
  byzantine_command byzantine;
  siege_command besieged;
  bench_guard_command measured;
  add_sim(app, simulated);
  const auto* replay = add_replay(app, replayed);
  const auto* shrink = add_shrink(app, shrunken);
  const auto* plan = add_plan(app, planned);
  const auto* strategies = add_strategies(app, listed);
  const auto* real = add_byzantine(app, byzantine);
  const auto* siege = add_siege(app, besieged);
  const auto* bench = add_bench(app, measured);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "hypermesh-lab: {}\nsee 'hypermesh-lab --help'\n", error.what());
    return exit_usage;
  }
  if (replay->parsed()) return run(replayed);
  if (shrink->parsed()) return run(shrunken);
  if (plan->parsed()) return print_plan(planned);
  if (strategies->parsed()) return run(listed);
  if (real->parsed()) return run(byzantine);
  if (siege->parsed()) return run(besieged);
  if (bench->parsed()) return run(measured);
  return run(simulated);
}

}  // namespace

}  // namespace hypermesh::lab

int main(int count, char** words) {
  try {
    const auto code = hypermesh::lab::parse_and_run(count, words);
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "hypermesh-lab: the output could not be written\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "hypermesh-lab: {}\n", error.what());
  }
  return hypermesh::lab::exit_failed;
}
