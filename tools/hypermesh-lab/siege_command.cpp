#include "tools/hypermesh-lab/siege_command.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "tests/byzantine/strategy.hpp"
#include "tools/hypermesh-lab/siege_report.hpp"
#include "tools/hypermesh-lab/strategy_runs.hpp"
#include "tools/hypermesh-lab/strategy_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"
#include "tools/hypermesh/terminal/progress_bar.hpp"

namespace hypermesh::lab {

namespace {

constexpr auto notes =
    "Each strategy attacks a cluster of its own: replicas as processes with links and disks, and a load of\n"
    "increments whose results are all checked. The attackers behave correctly at first, which gives the baseline.\n"
    "The throughput is then measured after their conviction, or in the second half of the attack if they are not\n"
    "convicted. The mark is 80 % of the baseline, and 50 % for an attack by a client.\n"
    "\n"
    "Exit codes: 0 no wrong result was accepted, no operation was lost or executed twice, the honest replicas\n"
    "agree, and no honest replica was convicted (with --mark: and the throughput reaches the mark); 1 otherwise;\n"
    "130 interrupted. The command removes all of its files.";

siege_settings settings_of(const siege_command& command, const std::string& strategy) {
  siege_settings settings;
  settings.load.replicas = command.replicas;
  settings.load.in_flight = command.in_flight;
  settings.strategy = strategy;
  settings.baseline = cli::milliseconds_of(command.baseline_seconds);
  settings.duration = cli::milliseconds_of(command.duration_seconds);
  settings.seed = command.seed;
  return settings;
}

/// Shows a bar while a strategy plays, and a line when it is done.
class siege_narrator final : public cli::run_narrator {
 public:
  explicit siege_narrator(std::size_t total) : total_(total) {}

  void step(const std::string& what, double) override {
    bar_.reset();
    cli::say(fmt::format("{:>4}/{} {}", ++steps_, total_, what));
  }
  void progress(std::size_t done, std::size_t total) override {
    if (!bar_) bar_.emplace(total, cli::progress_elsewhere::nothing);
    bar_->show(done);
  }

 private:
  std::size_t total_;
  std::size_t steps_ = 0;
  std::optional<cli::progress_bar> bar_;
};

}  // namespace

CLI::App* add_siege(CLI::App& app, siege_command& into) {
  auto* command = app.add_subcommand("siege", "measure the throughput of a real cluster under attack");
  command->footer(notes);
  command->add_option("--strategies", into.strategies, "all, or names separated by commas")
      ->capture_default_str()
      ->type_name("NAME,…");
  command->add_option("--replicas", into.replicas, "replicas, f of which play the strategy")
      ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--operations-in-flight", into.in_flight, "operations in flight")
      ->check(CLI::Range(1, 262'144))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--baseline", into.baseline_seconds, "time of the measurement before the attack")
      ->transform(cli::duration_between(0.5, 3'600.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--duration", into.duration_seconds, "duration of each attack: 10s, 500ms")
      ->transform(cli::duration_between(1.0, 3'600.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--seed", into.seed, "seed of the adversaries' random choices")
      ->capture_default_str()
      ->type_name("S");
  command->add_flag("--mark", into.mark, "also fail if the throughput is below the mark");
  cli::add_output_option(*command, into.output);
  return command;
}

cli::exit_code run(const siege_command& command) {
  const auto chosen = chosen_strategies(command.strategies);
  for (const auto& names : chosen) {
    if (testing::make_adversary(names) != nullptr) continue;
    return cli::report_error({unknown_strategy_text(names), "list the strategies: hypermesh-lab strategies"},
                             cli::exit_code::usage);
  }
  cli::interruption stop;
  siege_summary summary;
  {
    siege_narrator narrator{chosen.size()};
    for (const auto& names : chosen) {
      auto outcome = run_siege(settings_of(command, names), stop, narrator);
      if (!outcome) {
        const auto& [code, error] = outcome.error();
        if (code == cli::exit_code::interrupted) return code;
        narrator.step(fmt::format("{}: no result: {}", names, error.what), 0);
        summary.failures.push_back({names, error.what});
        continue;
      }
      auto& result = *outcome;
      narrator.step(line_of(result), 0);
      summary.results.push_back(std::move(result));
    }
  }
  if (command.output.is_json()) {
    cli::print_json(json_of(summary), 2);
  } else {
    cli::print_report(text_of(summary, cli::text_style::of(STDOUT_FILENO)));
  }
  const bool is_good = summary.is_right() && (!command.mark || summary.below_mark() == 0);
  return is_good ? cli::exit_code::ok : cli::exit_code::failed;
}

}  // namespace hypermesh::lab
