#include "tools/hypermesh-lab/bench_command.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh-lab/guard_costs.hpp"
#include "tools/hypermesh-lab/guard_memory.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::lab {

namespace {

using json_value = nlohmann::ordered_json;
using side = cli::text_table::side;

/// The limits that the measured values must keep.
constexpr double checks_us_mark = 50;
constexpr std::uint64_t memory_bytes_mark = 100'000'000;
constexpr double share_percent_mark = 5;

constexpr auto notes =
    "Validation: the command replays every frame that a replica of a real cluster received through the node's\n"
    "inbound pipeline, once with a signature check that accepts everything and once with the real one. 'checks' is\n"
    "the time between link and cores without signature checks: decoding, quotas, equivocation detector,\n"
    "pre-verification filter, validator. Mark: less than 50 µs.\n"
    "Memory: the guard's memory with all of its bounds reached. Mark: less than 100 MB for 1,000 known nodes.\n"
    "Share: the checks of one operation of a measured load, as a share of the processor time that an operation\n"
    "costs a replica of the same role. Mark: 5 %. Signatures belong to PBFT itself and are shown separately.\n"
    "\n"
    "Exit codes: 0 measured, whatever the figures; 1 not measured; 130 interrupted.";

/// The cost of the guard in one role.
struct role_share {
  std::string role;
  std::uint64_t operations = 0;
  double node_us = 0;
  kind_costs costs;

  [[nodiscard]] double per_operation(double sum_us) const { return sum_us / static_cast<double>(operations); }
  [[nodiscard]] double percent(double sum_us) const { return node_us > 0 ? 100 * per_operation(sum_us) / node_us : 0; }
};

struct guard_figures {
  std::map<message_kind, kind_costs> kinds;
  std::vector<role_share> shares;
  guard_memory memory;
};

guard_figures figures_of(const guard_traces& traces, std::uint32_t nodes) {
  guard_figures figures;
  const auto primary = measure_guard_costs(traces.primary);
  const auto backup = measure_guard_costs(traces.backup);
  figures.kinds = backup.kinds;
  for (const auto& [kind, costs] : primary.kinds)
    figures.kinds[kind].add(costs);
  figures.shares = {{"primary", traces.primary.operations, traces.primary_cpu_us, primary.under_load},
                    {"backup", traces.backup.operations, traces.backup_cpu_us, backup.under_load}};
  figures.memory = measure_guard_memory(nodes);
  return figures;
}

std::string mark_of(bool reached, const cli::text_style& style) {
  return reached ? style.good("yes") : style.bad("no");
}

std::string kinds_text(const guard_figures& figures, const cli::text_style& style) {
  cli::text_table table{{{"message"},
                         {"frames", side::right},
                         {"bytes", side::right},
                         {"decoding µs", side::right},
                         {"checks µs", side::right},
                         {"signatures µs", side::right},
                         {"< 50 µs"}}};
  for (const auto& [kind, costs] : figures.kinds) {
    const auto frames = static_cast<double>(costs.frames);
    table.add({std::string{to_string(kind)}, cli::grouped(costs.frames), cli::grouped(costs.bytes / costs.frames),
               fmt::format("{:.2f}", costs.decoding_us / frames), fmt::format("{:.2f}", costs.mean_checks_us()),
               fmt::format("{:.1f}", costs.signatures_us / frames),
               mark_of(costs.mean_checks_us() < checks_us_mark, style)});
  }
  return table.text(style);
}

std::string shares_text(const guard_figures& figures, const cli::text_style& style) {
  cli::text_table table{{{"replica"},
                         {"operations", side::right},
                         {"node µs", side::right},
                         {"guard µs", side::right},
                         {"of it decoding", side::right},
                         {"signatures µs", side::right},
                         {"guard's share", side::right},
                         {"<= 5 %"}}};
  for (const auto& each : figures.shares) {
    const auto percent = each.percent(each.costs.checks_us);
    table.add({each.role, cli::grouped(each.operations), fmt::format("{:.1f}", each.node_us),
               fmt::format("{:.2f}", each.per_operation(each.costs.checks_us)),
               fmt::format("{:.2f}", each.per_operation(each.costs.decoding_us)),
               fmt::format("{:.2f}", each.per_operation(each.costs.signatures_us)), fmt::format("{:.2f} %", percent),
               mark_of(percent <= share_percent_mark, style)});
  }
  return table.text(style);
}

std::string memory_text(const guard_memory& memory, const cli::text_style& style) {
  cli::text_table table{{{"memory"}, {"", side::right}}};
  for (const auto& each : memory.parts)
    table.add({each.name, cli::short_bytes(each.bytes)});
  table.add({fmt::format("{} replicas, {} clients, L = {}", memory.replicas, memory.clients, memory.window),
             style.bold(cli::short_bytes(memory.bytes()))});
  return table.text(style) + fmt::format("less than 100 MB: {}\n", mark_of(memory.bytes() < memory_bytes_mark, style));
}

json_value object_of(const guard_figures& figures) {
  json_value out;
  out["kinds"] = json_value::array();
  for (const auto& [kind, costs] : figures.kinds) {
    const auto frames = static_cast<double>(costs.frames);
    out["kinds"].push_back({{"message", to_string(kind)},
                            {"frames", costs.frames},
                            {"bytes", costs.bytes},
                            {"decoding_us", costs.decoding_us / frames},
                            {"checks_us", costs.mean_checks_us()},
                            {"signatures_us", costs.signatures_us / frames}});
  }
  out["shares"] = json_value::array();
  for (const auto& each : figures.shares) {
    out["shares"].push_back({{"replica", each.role},
                             {"operations", each.operations},
                             {"node_us_per_operation", each.node_us},
                             {"checks_us_per_operation", each.per_operation(each.costs.checks_us)},
                             {"decoding_us_per_operation", each.per_operation(each.costs.decoding_us)},
                             {"signatures_us_per_operation", each.per_operation(each.costs.signatures_us)},
                             {"percent", each.percent(each.costs.checks_us)}});
  }
  auto parts = json_value::array();
  for (const auto& each : figures.memory.parts)
    parts.push_back({{"name", each.name}, {"bytes", each.bytes}});
  out["memory"] = {{"replicas", figures.memory.replicas},
                   {"clients", figures.memory.clients},
                   {"watermark_window", figures.memory.window},
                   {"bytes", figures.memory.bytes()},
                   {"parts", parts}};
  return out;
}

}  // namespace

CLI::App* add_bench(CLI::App& app) {
  auto* bench = app.add_subcommand("bench", "measure a part of the product");
  bench->require_subcommand(1);
  return bench;
}

CLI::App* add_guard_bench(CLI::App& bench, bench_guard_command& into) {
  auto* command =
      bench.add_subcommand("guard", "measure the cost of a node's guard: time, memory, share of a loaded node");
  command->footer(notes);
  command->add_option("--duration", into.duration_seconds, "time of the measurement of each of the two loaded clusters")
      ->transform(cli::duration_between(0.5, 60.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--operations-in-flight", into.in_flight, "operations in flight")
      ->check(CLI::Range(1, 262'144))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--nodes", into.nodes, "number of known nodes for the memory measurement")
      ->check(CLI::Range(limits::replicas_min + 1, limits::clients_max))
      ->capture_default_str()
      ->type_name("N");
  cli::add_output_option(*command, into.output);
  return command;
}

cli::exit_code run(const bench_guard_command& command) {
  cli::interruption stop;
  guard_trace_settings settings;
  settings.in_flight = command.in_flight;
  settings.duration = cli::milliseconds_of(command.duration_seconds);
  auto recorded = [&] {
    cli::console_narrator narrator{false};
    return record_guard_traces(settings, stop, narrator);
  }();
  if (!recorded) return cli::report_error(recorded.error().error, recorded.error().code);
  const auto figures = figures_of(*recorded, command.nodes);
  if (command.output.is_json()) {
    cli::print_json(object_of(figures), 2);
    return cli::exit_code::ok;
  }
  const auto style = cli::text_style::of(STDOUT_FILENO);
  cli::print_report(kinds_text(figures, style) + "\n" + shares_text(figures, style) + "\n" +
                    memory_text(figures.memory, style));
  return cli::exit_code::ok;
}

}  // namespace hypermesh::lab
