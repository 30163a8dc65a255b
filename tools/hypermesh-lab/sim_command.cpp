#include "tools/hypermesh-lab/sim_command.hpp"

#include <unistd.h>

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/nearest_word.hpp"
#include "tests/simulation/simulated_run.hpp"
#include "tools/hypermesh-lab/abort_notice.hpp"
#include "tools/hypermesh-lab/plan_files.hpp"
#include "tools/hypermesh-lab/sim_summary.hpp"
#include "tools/hypermesh-lab/strategy_runs.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/progress_bar.hpp"

namespace hypermesh::lab {

namespace {

using steady = std::chrono::steady_clock;

std::string objection_to_profile(const std::string& name) {
  if (testing::fault_profile_of(name)) return {};
  const auto all = testing::fault_profile_names();
  return fmt::format("unknown profile '{}'{}; profiles: {}", shortened_word(name), did_you_mean(name, all), all);
}

std::string objection_to_storage_name(const std::string& name) {
  if (testing::run_storage_of(name)) return {};
  constexpr auto all = "model, rocksdb";
  return fmt::format("unknown storage '{}'{}; storages: {}", shortened_word(name), did_you_mean(name, all), all);
}

/// Adds the options on which a run depends in addition to its seed.
std::vector<CLI::Option*> add_sizes(CLI::App& command, run_choice& into) {
  const testing::run_options defaults;
  into.operations = defaults.operations;
  into.profile = testing::to_string(defaults.profile);
  into.storage = testing::to_string(defaults.storage);
  auto* replicas = command.add_option("--replicas", into.replicas, "group sizes, separated by commas")
                       ->delimiter(',')
                       ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
                       ->capture_default_str()
                       ->type_name("N");
  auto* operations = command.add_option("--operations", into.operations, "total operations of all clients")
                         ->check(CLI::Range(1U, 100'000U))
                         ->capture_default_str()
                         ->type_name("K");
  auto* profile = command
                      .add_option("--profile", into.profile,
                                  "profile of the injected faults: " + testing::fault_profile_names() +
                                      "; mixed: the seed chooses one of the profiles before it")
                      ->check(objection_to_profile)
                      ->capture_default_str()
                      ->type_name("NAME");
  auto* twins = command
                    .add_flag_callback(
                        "--twins", [&into] { into.profile = to_string(testing::fault_profile::twins); },
                        "the same as --profile twins: up to f replicas run as two machines with one key")
                    ->excludes(profile);
  auto* storage =
      command
          .add_option(
              "--storage", into.storage,
              "storage of the replicas: model, which is fast; or rocksdb, the product's storage on files in memory, "
              "whose disks also fail, fill up and are damaged")
          ->check(objection_to_storage_name)
          ->capture_default_str()
          ->type_name("NAME");
  return {replicas, operations, profile, twins, storage};
}

void add_output(CLI::App& command, sim_command& into) {
  cli::add_output_option(command, into.output);
  command.add_flag("--trace", into.trace, "print every event of one run, one on each line, on stdout");
}

testing::run_report run_noted(const testing::run_options& options, testing::event_log::line_sink trace = {}) {
  note_run(testing::replay_command(options));
  return testing::run_simulation(options, std::move(trace));
}

testing::event_log::line_sink trace_of(const sim_command& command) {
  if (!command.trace) return {};
  return [](const std::string& line) { cli::print_report(line + "\n"); };
}

void print_failure(const testing::run_report& report, const std::string& replay) {
  cli::say(fmt::format("\nseed {} with {} replicas failed at {:.3f} ms, step {}", report.options.seed,
                       report.options.replicas, static_cast<double>(report.virtual_time.count()) / 1e3, report.steps));
  cli::say(fmt::format("  {}: {}\nthe last events:", report.failure->invariant, report.failure->what));
  for (const auto& line : report.last_events)
    cli::say(fmt::format("  {}", line));
  cli::say(fmt::format("replay it: {} --trace", replay));
}

void print_failure(const testing::run_report& report) {
  print_failure(report, testing::replay_command(report.options));
  const auto& options = report.options;
  const bool is_model = options.storage == testing::run_storage::model;
  cli::say(fmt::format("shrink it: hypermesh-lab shrink --seed {} --replicas {} --operations {} --profile {}{}",
                       options.seed, options.replicas, options.operations, testing::to_string(options.profile),
                       is_model ? "" : " --storage rocksdb"));
}

void print_report(const sim_command& command, const testing::run_report& report, const std::string& replay) {
  if (command.output.is_json()) return cli::print_json(json_of(report, replay), 2);
  cli::print_report(text_of(report));
}

cli::exit_code run_one(const sim_command& command) {
  auto failed = false;
  for (const auto replicas : command.run.replicas) {
    const auto options = options_of(command.run, *command.run.seed, replicas);
    const auto report = run_noted(options, trace_of(command));
    print_report(command, report, testing::replay_command(options));
    if (!report.passed()) print_failure(report);
    failed = failed || !report.passed();
  }
  return failed ? cli::exit_code::failed : cli::exit_code::ok;
}

cli::exit_code run_plan_file(const sim_command& command) {
  const auto plan = read_plan(command.run.plan_file);
  if (!plan)
    return cli::report_error({plan.error(), "make a plan from a seed: hypermesh-lab plan --seed N"},
                             cli::exit_code::usage);
  const auto replay = "hypermesh-lab replay --plan " + command.run.plan_file;
  note_run(replay);
  const auto report = testing::run_simulation(*plan, trace_of(command));
  print_report(command, report, replay);
  if (!report.passed()) print_failure(report, replay);
  return report.passed() ? cli::exit_code::ok : cli::exit_code::failed;
}

cli::exit_code run_many(const sim_command& command) {
  sim_summary summary;
  cli::progress_bar progress{command.seeds * command.run.replicas.size(), cli::progress_elsewhere::nothing};
  std::uint64_t done = 0;
  const auto begin = steady::now();
  const auto goes_on = [&] { return !command.until_failure || summary.failures().empty(); };
  for (const auto replicas : command.run.replicas) {
    for (std::uint64_t index = 0; index < command.seeds && goes_on(); ++index) {
      const auto report = run_noted(options_of(command.run, command.first + index, replicas));
      summary.add(report);
      if (!report.passed()) {
        progress.clear();
        print_failure(report);
      }
      ++done;
      progress.show(done, [&] { return fmt::format("{} failed", summary.failures().size()); });
    }
  }
  const auto seconds = std::chrono::duration<double>(steady::now() - begin).count();
  progress.clear();
  if (command.output.is_json()) {
    cli::print_json(summary.json(seconds), 2);
  } else {
    cli::print_report(summary.table(seconds, cli::text_style::of(STDOUT_FILENO)));
  }
  return summary.failures().empty() ? cli::exit_code::ok : cli::exit_code::failed;
}

}  // namespace

testing::run_options options_of(const run_choice& choice, std::uint64_t seed, std::uint32_t replicas) {
  return {seed, replicas, choice.operations, *testing::fault_profile_of(choice.profile),
          *testing::run_storage_of(choice.storage)};
}

void add_choice(CLI::App& command, run_choice& into) {
  auto* which = command.add_option_group("run");
  auto* seed = which->add_option("--seed", into.seed, "the run's seed")->type_name("S");
  auto* plan = which->add_option("--plan", into.plan_file, "file with a plan; - is stdin")->type_name("FILE");
  plan->excludes(seed);
  which->require_option(1);
  for (auto* each : add_sizes(command, into))
    each->excludes(plan);
}

CLI::App* add_sim(CLI::App& app, sim_command& into) {
  auto* command = app.add_subcommand("sim", "run clusters in virtual time and check every invariant after every step");
  command->footer(
      "Each run draws cluster parameters, workload, faults and the order of all events from its seed. Under the\n"
      "faults, every safety invariant must hold. Then the faults end: within a bounded time a batch must be\n"
      "committed, every operation be answered, and all correct replicas be in the same state.\n"
      "Profiles:\n"
      "  calm, lossy, reordering, duplicating   frames are late, lost, out of order, delivered twice\n"
      "  partitioned, flapping, swizzled        partitions, one that opens and closes, replicas that leave and return\n"
      "                                         one by one\n"
      "  one-way                                single directed links between two replicas are broken\n"
      "  pausing                                one actor or a whole node pauses for longer than the timeouts\n"
      "  crashing                               nodes are killed between and during writes, which are lost, kept,\n"
      "                                         or torn\n"
      "  disks                                  up to f disks are lost, and their replicas return on probation\n"
      "  forgetful                              up to f disks lose acknowledged writes\n"
      "  everything                             all of these together\n"
      "  twins                                  up to f replicas run as two machines with one key, between which the\n"
      "                                         network decides, round by round (arXiv 2004.10617)\n"
      "  clocks                                 the wall clocks of any replicas step by up to an hour\n"
      "Storages:\n"
      "  model                                  a disk whose writes are durable at once, as a whole\n"
      "  rocksdb                                the product's RocksDB storage on files in memory: a power failure\n"
      "                                         loses part of the unsynced data; disks fail, fill up and are damaged\n"
      "Columns: 'sent again' counts requests that a client sent to all replicas; 'lost', 'cut' and 'duplicated' count\n"
      "frames lost at random, lost to a partition and delivered twice; 'restarts' counts nodes, 'learners' the nodes\n"
      "on probation, 'forgot' the disks that lost acknowledged writes; 'transfers' counts states installed by lagging\n"
      "replicas; 'nudged' counts runs in which a lagging replica caught up only after further client requests;\n"
      "'progress in' and 'settled in' are the longest times from healing to the next committed batch and to\n"
      "agreement.");
  command->add_option("--seeds", into.seeds, "number of runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--first", into.first, "seed of the first run")->capture_default_str()->type_name("S");
  command->add_option("--seed", into.run.seed, "run only this seed, and print its event hash")->type_name("S");
  command->add_flag("--until-failure", into.until_failure, "stop at the first run that fails");
  const auto sizes = add_sizes(*command, into.run);
  auto* strategies = command
                         ->add_option("--strategies", into.strategies,
                                      "adversary strategies of f replicas or a client, separated by commas")
                         ->type_name("all|NAME[,NAME]");
  strategies->excludes(sizes[2])->excludes(sizes[3])->excludes(sizes[4]);
  command->add_option("--under", into.under, "fault profile during the strategies")
      ->check(objection_to_profile)
      ->needs(strategies)
      ->capture_default_str()
      ->type_name("NAME");
  add_output(*command, into);
  return command;
}

CLI::App* add_replay(CLI::App& app, sim_command& into) {
  auto* command = app.add_subcommand("replay", "repeat one run, from a seed (as sim --seed) or from a plan");
  add_choice(*command, into.run);
  add_output(*command, into);
  return command;
}

cli::exit_code run(const sim_command& command) {
  if (!command.strategies.empty()) return run_strategies(command);
  note_runs_on_abort();
  if (!command.run.plan_file.empty()) return run_plan_file(command);
  if (command.run.seed) return run_one(command);
  if (!command.trace) return run_many(command);
  return cli::report_error({"--trace needs a single run", "name the run with --seed"}, cli::exit_code::usage);
}

}  // namespace hypermesh::lab
