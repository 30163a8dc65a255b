#include "tools/hypermesh-lab/placement_bench.hpp"

#include <unistd.h>

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/state_machines/resource_scheduler.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::lab {

namespace {

using clock = std::chrono::steady_clock;

constexpr auto notes =
    "A synthetic history of a GPU cluster runs through one scheduler: nodes register, and tasks are submitted, placed\n"
    "and ended. The time of the operations that place is measured apart. The number of nodes that a search reads is\n"
    "measured on a pool of nodes that is filled with the same tasks and never emptied; a scan would read all nodes.\n"
    "\n"
    "Exit codes: 0 measured, whatever the figures; 2 wrong usage.";

struct placement_figures {
  std::uint64_t operations = 0;
  std::uint64_t places = 0;
  std::uint64_t placed = 0;
  double operations_seconds = 0;
  double places_seconds = 0;
  /// Nodes and blocks of nodes that one search reads.
  double rooms_read = 0;
  double blocks_read = 0;
  double checkpoint_ms = 0;

  [[nodiscard]] double places_per_second() const { return static_cast<double>(places) / places_seconds; }
  [[nodiscard]] double operations_per_second() const { return static_cast<double>(operations) / operations_seconds; }
};

double seconds_since(clock::time_point begun) { return std::chrono::duration<double>(clock::now() - begun).count(); }

void measure_machine(const cli::cluster_trace& trace, placement_figures& into) {
  resource_scheduler machine;
  const auto events = cli::events_of(trace);
  operation_context context{};
  for (const auto& each : events) {
    context.ordered_time = scheduler::ordered_time{std::chrono::seconds{1 + each.time}};
    const auto begun = clock::now();
    const auto result = machine.apply(context, each.operation);
    const auto spent = seconds_since(begun);
    into.operations_seconds += spent;
    if (each.kind != cli::trace_event_kind::place) continue;
    into.places_seconds += spent;
    ++into.places;
    const auto change = scheduler::decode_change(result.payload);
    if (change && !change->placed.empty()) ++into.placed;
  }
  into.operations = events.size();
  const auto begun = clock::now();
  (void)machine.root();
  into.checkpoint_ms = 1e3 * seconds_since(begun);
}

void measure_searches(const cli::cluster_trace& trace, placement_figures& into) {
  scheduler::node_pool pool;
  for (const auto& node : trace.nodes)
    pool.add(node, pool.size());
  scheduler::search_cost cost;
  for (const auto& task : trace.tasks) {
    const auto& needs = task.spec.needs;
    if (const auto node = pool.best_for(needs, &cost)) pool.occupy(*node, needs, pool.choose_gpus(*node, needs));
  }
  into.rooms_read = static_cast<double>(cost.rooms) / static_cast<double>(trace.tasks.size());
  into.blocks_read = static_cast<double>(cost.blocks) / static_cast<double>(trace.tasks.size());
}

std::string text_of(const placement_figures& figures, const placement_bench_command& command,
                    const cli::text_style& style) {
  cli::text_table table{{{""}, {""}}};
  table.add({"cluster", fmt::format("{} nodes, {} tasks, seed {}", cli::grouped(command.nodes),
                                    cli::grouped(command.tasks), command.seed)});
  table.add({"placements",
             style.bold(cli::grouped(static_cast<std::uint64_t>(figures.places_per_second())) + "/s") +
                 fmt::format(", {:.2f} µs each; {} of {} tasks found a node at once", 1e6 / figures.places_per_second(),
                             cli::grouped(figures.placed), cli::grouped(figures.places))});
  table.add({"all operations", cli::grouped(static_cast<std::uint64_t>(figures.operations_per_second())) + "/s"});
  table.add({"a search reads",
             fmt::format("{:.0f} nodes and {:.0f} blocks of nodes", figures.rooms_read, figures.blocks_read)});
  table.add({"first checkpoint", fmt::format("{:.0f} ms", figures.checkpoint_ms)});
  return table.text(style);
}

}  // namespace

CLI::App* add_placement_bench(CLI::App& bench, placement_bench_command& into) {
  auto* command = bench.add_subcommand("placement", "measure the placements per second of one scheduler");
  command->footer(notes);
  command->add_option("--nodes", into.nodes, "number of nodes")
      ->check(CLI::Range(std::size_t{1}, scheduler::nodes_max))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--tasks", into.tasks, "number of tasks")
      ->check(CLI::Range(std::size_t{1}, cli::trace_rows_max))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--seed", into.seed, "seed of the synthetic history")->capture_default_str()->type_name("N");
  cli::add_output_option(*command, into.output);
  return command;
}

cli::exit_code run(const placement_bench_command& command) {
  const auto trace = cli::synthetic_trace(command.seed, command.nodes, command.tasks);
  placement_figures figures;
  measure_machine(trace, figures);
  measure_searches(trace, figures);
  if (!command.output.is_json()) {
    cli::print_report(text_of(figures, command, cli::text_style::of(STDOUT_FILENO)));
    return cli::exit_code::ok;
  }
  cli::print_json({{"nodes", command.nodes},
                   {"tasks", command.tasks},
                   {"seed", command.seed},
                   {"operations", figures.operations},
                   {"operations_per_second", figures.operations_per_second()},
                   {"places", figures.places},
                   {"placed_at_once", figures.placed},
                   {"places_per_second", figures.places_per_second()},
                   {"nodes_read_by_a_search", figures.rooms_read},
                   {"blocks_read_by_a_search", figures.blocks_read},
                   {"first_checkpoint_ms", figures.checkpoint_ms}},
                  2);
  return cli::exit_code::ok;
}

}  // namespace hypermesh::lab
