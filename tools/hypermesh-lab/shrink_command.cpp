#include "tools/hypermesh-lab/shrink_command.hpp"

#include <fmt/format.h>

#include "tests/simulation/shrinker.hpp"
#include "tools/hypermesh-lab/isolated_run.hpp"
#include "tools/hypermesh-lab/plan_files.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/progress_bar.hpp"

namespace hypermesh::lab {

namespace {

/// The size of a plan as a text for people.
std::string size_of(const testing::run_plan& plan) {
  return fmt::format("{} operations of {} clients, {} faults, heals at {}", plan.operations.size(),
                     plan.settings.clients, plan.faults.size(), testing::text_of(plan.heals_at));
}

/// The plan of the single run that the options name, or the reason why there is none.
or_reason<testing::run_plan> plan_of_choice(const run_choice& choice) {
  if (!choice.plan_file.empty()) return read_plan(choice.plan_file);
  if (choice.replicas.size() != 1) return invalid("one run has one group size; name it with --replicas N");
  return testing::make_plan(options_of(choice, *choice.seed, choice.replicas.front()));
}

std::string as_comment(std::string_view text) {
  std::string lines = "# ";
  for (const char each : text) {
    lines += each;
    if (each == '\n') lines += "# ";
  }
  return lines + "\n";
}

}  // namespace

CLI::App* add_shrink(CLI::App& app, shrink_command& into) {
  const testing::shrink_settings defaults;
  into.runs_max = defaults.runs_max;
  into.schedules = defaults.schedules;
  auto* command = app.add_subcommand("shrink", "reduce a failing run as far as possible, and print it as a plan");
  command->footer(
      "Removes operations, faults and clients, makes faults weaker and shorter, heals earlier and uses plain\n"
      "settings, as long as the same invariant breaks. The plan goes to stdout, progress to stderr. A run that ends\n"
      "its process can be reduced too.\n"
      "Exit codes: 0 a plan was printed; 1 the run does not fail; 2 wrong usage.");
  add_choice(*command, into.run);
  command->add_option("--runs", into.runs_max, "limit of runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--schedules", into.schedules, "event orders to try for each smaller plan")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  return command;
}

CLI::App* add_plan(CLI::App& app, run_choice& into) {
  auto* command = app.add_subcommand("plan", "print the plan of a seed, to edit and replay it");
  add_choice(*command, into);
  return command;
}

cli::exit_code print_plan(const run_choice& command) {
  const auto plan = plan_of_choice(command);
  if (!plan)
    return cli::report_error({plan.error(), "make a plan from a seed: hypermesh-lab plan --seed N"},
                             cli::exit_code::usage);
  cli::print(testing::text_of(*plan));
  return cli::exit_code::ok;
}

cli::exit_code run(const shrink_command& command) {
  const auto plan = plan_of_choice(command.run);
  if (!plan)
    return cli::report_error({plan.error(), "make a plan from a seed: hypermesh-lab plan --seed N"},
                             cli::exit_code::usage);
  cli::progress_bar bar{command.runs_max};
  const auto show = [&](const testing::shrink_progress& progress) {
    bar.show(progress.runs, [&] { return fmt::format("{}: {}", progress.what, size_of(progress.smallest)); });
  };
  const auto shrunken = testing::shrink(*plan, run_isolated, {command.runs_max, command.schedules}, show);
  bar.clear();
  if (!shrunken)
    return cli::report_error({"the run does not fail", "find a failing run: hypermesh-lab sim"},
                             cli::exit_code::failed);
  const auto& broken = *shrunken->report.failure;
  cli::say(fmt::format(
      "before: {}\nafter:  {}\n{} runs, {}", size_of(*plan), size_of(shrunken->plan), shrunken->runs,
      shrunken->finished ? "no further reduction was found" : "the limit of runs was reached; raise it with --runs N"));
  cli::say("replay the plan: hypermesh-lab replay --plan FILE --trace");
  cli::print(as_comment(broken.invariant + ": " + broken.what) + testing::text_of(shrunken->plan));
  return cli::exit_code::ok;
}

}  // namespace hypermesh::lab
