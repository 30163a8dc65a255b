#include "tools/hypermesh-lab/strategy_runs.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/byzantine/strategy.hpp"
#include "tests/simulation/adversary_plan.hpp"
#include "tools/hypermesh-lab/abort_notice.hpp"
#include "tools/hypermesh-lab/sim_summary.hpp"
#include "tools/hypermesh-lab/strategy_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/progress_bar.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::lab {

namespace {

using json_value = nlohmann::ordered_json;
using side = cli::text_table::side;

/// Sums over the runs of one choice of strategies.
struct strategy_row {
  std::string names;
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  std::uint64_t noticed = 0;
  bool can_be_noticed = false;
  /// The number of runs in which the order convicted a faulty member.
  std::uint64_t convicted = 0;
  /// The number of runs in which a member was proven faulty but not convicted.
  std::uint64_t acquitted = 0;
  duration trial_max{};
  std::uint64_t batches = 0;
  std::uint64_t transfers = 0;
  duration progress_max{};
  duration settling_max{};
};

struct failed_run {
  testing::adversary_options options;
  std::string why;
};

std::string joined(const auto& list, std::string_view between) { return fmt::format("{}", fmt::join(list, between)); }

std::string notices_of(const testing::strategy& of) {
  return of.noticed_by.empty() ? fmt::format("unobservable: {}", of.unobservable) : joined(of.noticed_by, ", ");
}

void add(strategy_row& row, const testing::adversary_report& report) {
  ++row.runs;
  row.failed += report.run.passed() ? 0 : 1;
  row.noticed += row.can_be_noticed && report.run.passed() && report.noticed ? 1 : 0;
  row.convicted += report.run.noticed.count_of("convicted") > 0 ? 1 : 0;
  row.acquitted += report.run.noticed.has_open_trial() ? 1 : 0;
  row.trial_max = std::max(row.trial_max, report.run.noticed.longest_trial().value_or(0us));
  row.batches += report.run.batches;
  row.transfers += report.run.state_transfers;
  row.progress_max = std::max(row.progress_max, report.run.progress);
  row.settling_max = std::max(row.settling_max, report.run.settling);
}

void print_table(const std::vector<strategy_row>& rows, std::uint64_t failed, std::uint64_t unnoticed, double seconds) {
  cli::text_table table{{{"strategy"},
                         {"runs", side::right},
                         {"failed", side::right},
                         {"noticed", side::right},
                         {"convicted", side::right},
                         {"in ms", side::right},
                         {"batches", side::right},
                         {"transfers", side::right},
                         {"progress in s", side::right},
                         {"settled in s", side::right}}};
  std::uint64_t runs = 0;
  for (const auto& each : rows) {
    runs += each.runs;
    table.add({each.names, fmt::to_string(each.runs), fmt::to_string(each.failed),
               each.can_be_noticed ? fmt::to_string(each.noticed) : "-", fmt::to_string(each.convicted),
               fmt::format("{:.1f}", static_cast<double>(each.trial_max.count()) / 1e3), fmt::to_string(each.batches),
               fmt::to_string(each.transfers), fmt::format("{:.2f}", seconds_of(each.progress_max)),
               fmt::format("{:.2f}", seconds_of(each.settling_max))});
  }
  cli::print_report(table.text(cli::text_style::of(STDOUT_FILENO)));
  cli::print_report(fmt::format("\n{} runs of {} strategies, {} failed, {} not noticed, {:.0f} runs a minute\n", runs,
                                rows.size(), failed, unnoticed, per_minute(runs, seconds)));
}

void print_json(const std::vector<strategy_row>& rows, const std::vector<failed_run>& failures) {
  json_value out;
  out["strategies"] = json_value::array();
  for (const auto& each : rows) {
    json_value row = {{"strategy", each.names},
                      {"runs", each.runs},
                      {"failed", each.failed},
                      {"can_be_noticed", each.can_be_noticed},
                      {"noticed", each.noticed},
                      {"convicted", each.convicted},
                      {"proven_not_convicted", each.acquitted},
                      {"convicted_in_seconds_max", seconds_of(each.trial_max)},
                      {"batches", each.batches},
                      {"state_transfers", each.transfers},
                      {"progress_in_seconds_max", seconds_of(each.progress_max)},
                      {"settled_in_seconds_max", seconds_of(each.settling_max)}};
    out["strategies"].push_back(std::move(row));
  }
  out["failures"] = json_value::array();
  for (const auto& each : failures)
    out["failures"].push_back({{"violation", each.why}, {"replay", testing::replay_command(each.options)}});
  cli::print_json(out, 2);
}

void print_failure(const failed_run& failure, const testing::run_report& report) {
  cli::say(fmt::format("\n{} with {} replicas and seed {}: {}", failure.options.strategies, failure.options.replicas,
                       failure.options.seed, failure.why));
  for (const auto& line : report.last_events)
    cli::say(fmt::format("  {}", line));
  cli::say(fmt::format("replay it: {} --trace", testing::replay_command(failure.options)));
}

testing::adversary_options options_of(const sim_command& command, const std::string& names, std::uint64_t seed,
                                      std::uint32_t replicas) {
  return {names, seed, replicas, command.run.operations, *testing::fault_profile_of(command.under)};
}

/// The reason why the run is a failure; nothing if it succeeded.
std::optional<std::string> objection_to(const testing::adversary_report& report) {
  if (report.run.failure) return report.run.failure->invariant + ": " + report.run.failure->what;
  if (!report.noticed) return "no replica noticed the strategy";
  if (!report.convicted) return "no member was convicted in time";
  if (!report.clients_blame_nobody) return "a client caused the suspicion of a correct primary";
  return std::nullopt;
}

testing::adversary_report run_noted(const testing::adversary_options& options,
                                    testing::event_log::line_sink trace = {}) {
  note_run(testing::replay_command(options));
  return testing::run_adversaries(options, std::move(trace));
}

cli::exit_code run_one(const sim_command& command, const testing::adversary_options& options) {
  testing::event_log::line_sink trace;
  if (command.trace) trace = [](const std::string& line) { cli::print_report(line + "\n"); };
  const auto report = run_noted(options, trace);
  const auto replay = testing::replay_command(options);
  if (command.output.is_json()) {
    cli::print_json(json_of(report.run, replay), 2);
  } else {
    cli::print_report(text_of(report.run));
  }
  for (const auto& [name, count] : report.run.noticed.counts()) {
    if (!command.output.is_json()) cli::print_report(fmt::format("noticed {:<24}{}\n", name, count));
  }
  for (const auto& [who, trial] : report.run.noticed.trials()) {
    if (command.output.is_json()) continue;
    if (trial.convicted_at) {
      cli::print_report(fmt::format("{} proven faulty at {:.1f} ms, convicted {:.1f} ms later\n", to_string(who),
                                    static_cast<double>(trial.proven_at.time_since_epoch().count()) / 1e3,
                                    static_cast<double>((*trial.convicted_at - trial.proven_at).count()) / 1e3));
    } else {
      cli::print_report(fmt::format("{} proven faulty at {:.1f} ms, not convicted\n", to_string(who),
                                    static_cast<double>(trial.proven_at.time_since_epoch().count()) / 1e3));
    }
  }
  const auto why = objection_to(report);
  if (why) print_failure({options, *why}, report.run);
  return why ? cli::exit_code::failed : cli::exit_code::ok;
}

cli::exit_code run_many(const sim_command& command, const std::vector<std::string>& chosen) {
  std::vector<strategy_row> rows;
  std::vector<failed_run> failures;
  std::uint64_t failed = 0;
  cli::progress_bar progress{chosen.size() * command.run.replicas.size() * command.seeds,
                             cli::progress_elsewhere::nothing};
  std::uint64_t done = 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto goes_on = [&] { return !command.until_failure || failures.empty(); };
  for (const auto& names : chosen) {
    if (!goes_on()) break;
    strategy_row row{.names = names};
    row.can_be_noticed =
        std::ranges::any_of(testing::strategies_in(names), [](const auto* each) { return !each->noticed_by.empty(); });
    for (const auto replicas : command.run.replicas) {
      for (std::uint64_t index = 0; index < command.seeds && goes_on(); ++index) {
        const auto options = options_of(command, names, command.first + index, replicas);
        const auto report = run_noted(options);
        add(row, report);
        failed += report.run.passed() ? 0 : 1;
        if (auto why = objection_to(report)) {
          failures.push_back({options, std::move(*why)});
          progress.clear();
          print_failure(failures.back(), report.run);
        }
        progress.show(++done, [&] { return fmt::format("{} wrong, {}", failures.size(), names); });
      }
    }
    rows.push_back(std::move(row));
  }
  progress.clear();
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (command.output.is_json()) {
    print_json(rows, failures);
  } else {
    print_table(rows, failed, failures.size() - failed, seconds);
  }
  return failures.empty() ? cli::exit_code::ok : cli::exit_code::failed;
}

}  // namespace

std::vector<std::string> chosen_strategies(const std::string& text) {
  std::vector<std::string> names;
  if (text == "all") {
    for (const auto& each : testing::all_strategies())
      names.emplace_back(each.name);
    return names;
  }
  std::size_t begin = 0;
  for (auto end = text.find(','); end != std::string::npos; end = text.find(',', begin)) {
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  names.push_back(text.substr(begin));
  return names;
}

cli::exit_code run_strategies(const sim_command& command) {
  note_runs_on_abort();
  const auto chosen = chosen_strategies(command.strategies);
  for (const auto& names : chosen) {
    if (!testing::strategies_in(names).empty()) continue;
    return cli::report_error({unknown_strategy_text(names), "list the strategies: hypermesh-lab strategies"},
                             cli::exit_code::usage);
  }
  if (!command.run.seed) {
    if (!command.trace) return run_many(command, chosen);
    return cli::report_error({"--trace needs a single run", "name the run with --seed"}, cli::exit_code::usage);
  }
  auto code = cli::exit_code::ok;
  for (const auto& names : chosen) {
    for (const auto replicas : command.run.replicas)
      code = std::max(code, run_one(command, options_of(command, names, *command.run.seed, replicas)));
  }
  return code;
}

CLI::App* add_strategies(CLI::App& app, strategies_command& into) {
  auto* command = app.add_subcommand("strategies", "list the strategies, and the observations that reveal them");
  command->footer(
      "Provable: in every run the strategy signs two conflicting messages, or one that no correct member signs, and\n"
      "its member is convicted. Several strategies act at once as a+b, and alternate as a/b.");
  cli::add_output_option(*command, into.output);
  return command;
}

cli::exit_code run(const strategies_command& command) {
  const auto& all = testing::all_strategies();
  if (command.output.is_json()) {
    auto out = json_value::array();
    for (const auto& each : all) {
      out.push_back({{"name", each.name},
                     {"role", testing::to_string(each.role)},
                     {"about", each.about},
                     {"attacks", each.attacks},
                     {"invariants", each.invariants},
                     {"provable", each.provable},
                     {"noticed_by", each.noticed_by},
                     {"unobservable", each.unobservable}});
    }
    cli::print_json(out, 2);
    return cli::exit_code::ok;
  }
  cli::text_table table{{{""}, {""}, {""}, {""}, {""}}};
  for (const auto& each : all) {
    table.add({std::string{each.name}, std::string{testing::to_string(each.role)}, each.provable ? "provable" : "",
               joined(each.attacks, " "), std::string{each.about}});
    table.add({"", "", "", "", notices_of(each)});
  }
  cli::print_report(table.text(cli::text_style::of(STDOUT_FILENO)));
  cli::print_report(fmt::format("\n{} strategies\n", all.size()));
  return cli::exit_code::ok;
}

}  // namespace hypermesh::lab
