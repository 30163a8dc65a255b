#include "tools/hypermesh-lab/sim_command.hpp"

#include <chrono>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/simulation/simulated_run.hpp"
#include "tools/hypermesh-lab/abort_notice.hpp"
#include "tools/hypermesh-lab/sim_summary.hpp"

namespace hypermesh::lab {

namespace {

using steady = std::chrono::steady_clock;

void add_common(CLI::App& command, sim_command& into) {
  const testing::run_options defaults;
  into.operations = defaults.operations;
  into.profile = testing::to_string(defaults.profile);
  command.add_option("--replicas", into.replicas, "sizes of the group, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--operations", into.operations, "operations of all clients together")
      ->check(CLI::Range(1U, 100'000U))
      ->capture_default_str()
      ->type_name("K");
  command
      .add_option("--profile", into.profile,
                  "what goes wrong: " + testing::fault_profile_names() + "; mixed: the seed chooses")
      ->check([](const std::string& name) {
        return testing::fault_profile_of(name) ? std::string{} : "profiles: " + testing::fault_profile_names();
      })
      ->capture_default_str()
      ->type_name("NAME");
  command.add_option("-o,--output", into.format, "table, or json with stable keys")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command.add_flag("--trace", into.trace, "with --seed: print every event, a line each, on stdout");
}

testing::run_options options_of(const sim_command& command, std::uint64_t seed, std::uint32_t replicas) {
  return {seed, replicas, command.operations, *testing::fault_profile_of(command.profile)};
}

testing::run_report run_noted(const testing::run_options& options, testing::event_log::line_sink trace = {}) {
  note_run(testing::replay_command(options));
  return testing::run_simulation(options, std::move(trace));
}

void print_failure(const testing::run_report& report) {
  fmt::print(stderr, "\nseed {} with {} replicas failed at {:.3f} ms, step {}\n", report.options.seed,
             report.options.replicas, static_cast<double>(report.virtual_us) / 1e3, report.steps);
  fmt::print(stderr, "  {}: {}\nthe last events:\n", report.failure->invariant, report.failure->what);
  for (const auto& line : report.last_events)
    fmt::print(stderr, "  {}\n", line);
  fmt::print(stderr, "replay it: {} --trace\n", testing::replay_command(report.options));
}

int run_one(const sim_command& command) {
  auto failed = false;
  for (const auto replicas : command.replicas) {
    testing::event_log::line_sink trace;
    if (command.trace) trace = [](const std::string& line) { fmt::print("{}\n", line); };
    const auto report = run_noted(options_of(command, *command.seed, replicas), trace);
    fmt::print("{}", command.format == "json" ? json_of(report) : text_of(report));
    if (!report.passed()) print_failure(report);
    failed = failed || !report.passed();
  }
  return failed ? exit_failed : exit_ok;
}

/// One line that is written over, on a terminal only.
class progress_line {
 public:
  progress_line(std::uint64_t total) : total_(total), shown_(isatty(STDERR_FILENO) != 0) {}

  void show(std::uint64_t done, std::size_t failed) {
    const auto now = steady::now();
    if (!shown_ || now - last_ < std::chrono::milliseconds{100}) return;
    last_ = now;
    fmt::print(stderr, "\r{} of {} runs, {} failed", done, total_, failed);
    std::fflush(stderr);
  }

  void clear() const {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  std::uint64_t total_;
  bool shown_;
  steady::time_point last_;
};

int run_many(const sim_command& command) {
  sim_summary summary;
  progress_line progress{command.seeds * command.replicas.size()};
  std::uint64_t done = 0;
  const auto begin = steady::now();
  for (const auto replicas : command.replicas) {
    for (std::uint64_t index = 0; index < command.seeds; ++index) {
      const auto report = run_noted(options_of(command, command.first + index, replicas));
      summary.add(report);
      if (!report.passed()) {
        progress.clear();
        print_failure(report);
      }
      progress.show(++done, summary.failures().size());
    }
  }
  const auto seconds = std::chrono::duration<double>(steady::now() - begin).count();
  progress.clear();
  fmt::print("{}", command.format == "json" ? summary.json(seconds) : summary.table(seconds));
  return summary.failures().empty() ? exit_ok : exit_failed;
}

}  // namespace

void add_sim(CLI::App& app, sim_command& into) {
  auto* command = app.add_subcommand("sim", "run clusters in virtual time and check every invariant after every step");
  command->footer(
      "Each run draws cluster parameters, workload, network faults and the order of all events from its seed. After "
      "the\n"
      "faults the network heals, and every operation must be answered and all replicas agree.\n"
      "Columns: sent again are requests that a client sent to all replicas; lost, cut and duplicated are frames lost "
      "at\n"
      "random, lost to a partition and delivered twice; transfers are states installed by replicas that fell behind;\n"
      "settled in is the longest time from healing to agreement.");
  command->add_option("--seeds", into.seeds, "how many runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--first", into.first, "seed of the first run")->capture_default_str()->type_name("S");
  command->add_option("--seed", into.seed, "one run of this seed, and its event hash")->type_name("S");
  add_common(*command, into);
}

void add_replay(CLI::App& app, sim_command& into) {
  auto* command = app.add_subcommand("replay", "repeat one run: the same as sim --seed");
  command->add_option("--seed", into.seed, "the run's seed")->required()->type_name("S");
  add_common(*command, into);
}

int run(const sim_command& command) {
  note_runs_on_abort();
  if (command.seed) return run_one(command);
  if (!command.trace) return run_many(command);
  fmt::print(stderr, "hypermesh-lab: --trace needs --seed\n");
  return exit_usage;
}

}  // namespace hypermesh::lab
