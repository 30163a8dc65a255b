#include "tools/hypermesh-lab/history_command.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/byzantine/strategy.hpp"
#include "tools/hypermesh-lab/history_session.hpp"
#include "tools/hypermesh-lab/strategy_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"

namespace hypermesh::lab {

namespace {

constexpr auto notes =
    "Each run has a cluster of its own: four replicas and two gateways as processes. Clients of both gateways send\n"
    "pipelines of SET, GET, DEL and INCR to the same keys. Replica 3 plays the strategy, and the primary is killed\n"
    "and returns. Every reply is recorded, and some order of the commands has to explain all replies.\n"
    "\n"
    "Exit codes: 0 every history is linearizable; 1 otherwise, also if a history could not be decided; 130\n"
    "interrupted. The command removes all of its files.";

nlohmann::ordered_json json_of(const history_result& result) {
  nlohmann::ordered_json violation;
  if (result.verdict.violation) violation = *result.verdict.violation;
  return {{"seed", result.seed},
          {"operations", result.verdict.operations},
          {"keys", result.verdict.keys},
          {"without_result", result.unanswered},
          {"not_executed", result.refused},
          {"kills", result.kills},
          {"found_liar", result.found_liar},
          {"undecided", result.verdict.undecided},
          {"violation", violation},
          {"unexpected", result.unexpected},
          {"ok", result.is_right()}};
}

std::string line_of(const history_result& result) {
  const auto verdict = result.verdict.violation         ? "NOT LINEARIZABLE: " + *result.verdict.violation
                       : result.verdict.undecided > 0   ? std::string{"undecided"}
                       : result.verdict.operations == 0 ? std::string{"no operation was answered"}
                       : !result.unexpected.empty()     ? "unexpected reply: " + result.unexpected
                                                        : std::string{"linearizable"};
  return fmt::format("seed {}: {} operations on {} keys, {} without a result, {} not executed, {} kills, liar {}: {}",
                     result.seed, cli::grouped(result.verdict.operations), result.verdict.keys, result.unanswered,
                     result.refused, result.kills, result.found_liar ? "found" : "not found", verdict);
}

}  // namespace

CLI::App* add_history(CLI::App& app, history_command& into) {
  auto* command = app.add_subcommand("history", "check that what clients of two gateways see is linearizable");
  command->footer(notes);
  command->add_option("--runs", into.runs, "runs, with the seeds from --seed on")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--duration", into.duration_seconds, "duration of each run: 60s, 5m")
      ->transform(cli::duration_between(1.0, 3'600.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--kill-every", into.kill_interval_seconds, "time from one kill of the primary to the next one")
      ->transform(cli::duration_between(1.0, 3'600.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--strategy", into.strategy, "strategy of replica 3")
      ->check([](const std::string& names) {
        return testing::make_adversary(names) == nullptr ? unknown_strategy_text(names) : std::string{};
      })
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--clients", into.clients, "clients, half of them at each gateway")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--seed", into.seed, "seed of the first run")->capture_default_str()->type_name("S");
  cli::add_output_option(*command, into.output);
  return command;
}

cli::exit_code run(const history_command& command) {
  cli::interruption stop;
  auto results = nlohmann::ordered_json::array();
  bool is_right = true;
  for (std::size_t number = 0; number < command.runs; ++number) {
    history_settings settings;
    settings.duration = cli::milliseconds_of(command.duration_seconds);
    settings.kill_interval = cli::milliseconds_of(command.kill_interval_seconds);
    settings.strategy = command.strategy;
    settings.clients = command.clients;
    settings.seed = command.seed + number;
    const auto result = run_history(settings, stop);
    if (!result) {
      if (result.error().code == cli::exit_code::interrupted) return cli::exit_code::interrupted;
      return cli::report_error(result.error().error, result.error().code);
    }
    is_right = is_right && result->is_right();
    results.push_back(json_of(*result));
    if (!command.output.is_json()) cli::print_report(line_of(*result) + "\n");
    cli::flush_output();
  }
  if (command.output.is_json()) cli::print_json({{"runs", results}, {"ok", is_right}}, 2);
  return is_right ? cli::exit_code::ok : cli::exit_code::failed;
}

}  // namespace hypermesh::lab
