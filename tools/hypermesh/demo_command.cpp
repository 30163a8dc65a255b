#include <fmt/format.h>

#include "tools/hypermesh/chaos_report.hpp"
#include "tools/hypermesh/output_options.hpp"
#include "tools/hypermesh/replay_report.hpp"

namespace hypermesh::cli {

namespace {

struct demo_options {
  replay_settings settings;
  double kill_primary_every = 0;
  double kill_all_every = 0;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh demo\n"
    "  hypermesh demo --nodes openb_node_list_all_node.csv --pods openb_pod_list_default.csv\n"
    "  hypermesh demo --replicas 7 --bundle 64 --operations 200000\n"
    "  hypermesh demo --kill-primary-every 5s --duration 60s\n"
    "  hypermesh demo --kill-all-every 3s --duration 30s\n"
    "\n"
    "Every replica is a process of its own; keys, configuration and ports are fresh. Everything is signed and "
    "encrypted.\n"
    "With --kill-…-every the load are counters, and SIGKILL hits replicas, which come back a second later from their "
    "disks.\n"
    "Nothing is left behind, also after Ctrl-C.";

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(1'000 * seconds)};
}

exit_code run_chaos_demo(const demo_options& options) {
  chaos_settings settings;
  settings.replicas = options.settings.replicas;
  settings.victims = options.kill_all_every > 0 ? chaos_victims::all : chaos_victims::primary;
  settings.every = milliseconds_of(options.kill_all_every > 0 ? options.kill_all_every : options.kill_primary_every);
  if (options.settings.duration_seconds > 0) settings.duration = milliseconds_of(options.settings.duration_seconds);
  if (options.settings.in_flight > 0) settings.in_flight = options.settings.in_flight;
  settings.away = std::min(settings.away, settings.every / 2);
  return run_chaos_and_print(settings, options.output.is_json());
}

exit_code run_demo(const demo_options& options) {
  if (options.kill_primary_every > 0 || options.kill_all_every > 0) return run_chaos_demo(options);
  const group_size group{options.settings.replicas};
  const auto heading =
      fmt::format("HyperMesh: {} replicas, of which {} may be Byzantine, agree on every placement of a GPU cluster",
                  group.replicas(), group.faulty_max());
  return replay_and_print(options.settings, options.output.is_json(), false, heading);
}

}  // namespace

void add_demo(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("demo", "Run a whole cluster on this machine for some seconds");
  auto options = std::make_shared<demo_options>();
  command->footer(examples);
  options->settings.existing.timeout_seconds = 30;
  add_replay_options(*command, options->settings);
  command->add_option("--replicas", options->settings.replicas, "Replicas; 3f + 1 of them tolerate f faults")
      ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
      ->capture_default_str()
      ->type_name("N");
  auto* primary = command->add_option("--kill-primary-every", options->kill_primary_every,
                                      "Kill the primary of the moment with SIGKILL, again and again: 5s, 500ms")
                      ->transform(duration_option())
                      ->check(CLI::Range(0.5, 3'600.0))
                      ->type_name("TIME");
  command->add_option("--kill-all-every", options->kill_all_every, "The same with all replicas at once")
      ->transform(duration_option())
      ->check(CLI::Range(0.5, 3'600.0))
      ->type_name("TIME")
      ->excludes(primary);
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_demo(*options); }; });
}

}  // namespace hypermesh::cli
