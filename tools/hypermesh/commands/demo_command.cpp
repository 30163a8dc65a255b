#include <fmt/format.h>

#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/load/load_report.hpp"
#include "tools/hypermesh/runs/absence_report.hpp"
#include "tools/hypermesh/runs/chaos_report.hpp"
#include "tools/hypermesh/runs/endurance_report.hpp"
#include "tools/hypermesh/runs/gap_report.hpp"
#include "tools/hypermesh/runs/replay_report.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

struct demo_options {
  replay_settings settings;
  double kill_primary_every = 0;
  double kill_all_every = 0;
  std::uint64_t absent_for = 0;
  bool lose_disk = false;
  std::uint64_t endure = 0;
  std::uint32_t state_mib = 0;
  std::uint32_t failovers = 0;
  std::uint32_t hand_overs = 0;
  std::uint32_t planned_restarts = 0;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh demo\n"
    "  hypermesh demo --nodes openb_node_list_all_node.csv --pods openb_pod_list_default.csv\n"
    "  hypermesh demo --replicas 7 --bundle 64 --operations 200000\n"
    "  hypermesh demo --kill-primary-every 5s --duration 60s\n"
    "  hypermesh demo --kill-all-every 3s --duration 30s\n"
    "  hypermesh demo --hand-overs 20                        the gaps that a client sees\n"
    "  hypermesh demo --failovers 100 -o json | jq '.gap_ms'\n"
    "  hypermesh demo --absent-for 100000\n"
    "  hypermesh demo --absent-for 100000 --lose-disk --in-flight 256\n"
    "  hypermesh demo --endure 1000000 -o json | jq '.growth'\n"
    "  hypermesh demo --endure 100000 --state-mib 256\n"
    "\n"
    "Every replica is a process of its own, with new keys, configuration and ports. Every message is signed and\n"
    "every result is checked. With --kill-…-every, --failovers, --hand-overs, --planned-restarts, --absent-for and\n"
    "--endure the load increments counters, and the demo checks at the end that no acknowledged increment was lost or "
    "executed twice. Killed replicas restart from\n"
    "their disks after a second. With --absent-for, a replica restarts after that many operations of the others,\n"
    "and the time until it is in step is measured. The command removes all of its files, also after Ctrl-C.";

load_settings load_of(const demo_options& options) {
  load_settings load;
  load.replicas = options.settings.replicas;
  if (options.settings.bundle > 0) load.bundle = options.settings.bundle;
  load.state_mib = options.state_mib;
  load.in_flight = options.settings.in_flight > 0 ? options.settings.in_flight : load.in_flight * load.bundle;
  return load;
}

exit_code run_chaos_demo(const demo_options& options) {
  chaos_settings settings;
  settings.load = load_of(options);
  settings.victims = options.kill_all_every > 0 ? chaos_victims::all : chaos_victims::primary;
  settings.every = milliseconds_of(options.kill_all_every > 0 ? options.kill_all_every : options.kill_primary_every);
  if (options.settings.duration_seconds > 0) settings.duration = milliseconds_of(options.settings.duration_seconds);
  settings.away = std::min(settings.away, settings.every / 2);
  return run_and_print(options.output.is_json(),
                       [&](auto& stop, auto& narrator) { return run_chaos(settings, stop, narrator); });
}

exit_code run_absence_demo(const demo_options& options) {
  const absence_settings settings{load_of(options), options.absent_for, options.lose_disk};
  return run_and_print(options.output.is_json(),
                       [&](auto& stop, auto& narrator) { return run_absence(settings, stop, narrator); });
}

exit_code run_endurance_demo(const demo_options& options) {
  const endurance_settings settings{load_of(options), options.endure};
  return run_and_print(options.output.is_json(),
                       [&](auto& stop, auto& narrator) { return run_endurance(settings, stop, narrator); });
}

exit_code run_gap_demo(const demo_options& options) {
  gap_settings settings;
  settings.load = load_of(options);
  // One operation at a time, so that the gap is what a single caller notices.
  if (options.settings.in_flight == 0) settings.load.in_flight = 1;
  settings.count = std::max({options.failovers, options.hand_overs, options.planned_restarts});
  settings.cause = options.failovers > 0    ? gap_cause::kill
                   : options.hand_overs > 0 ? gap_cause::hand_over
                                            : gap_cause::restart;
  return run_and_print(options.output.is_json(),
                       [&](auto& stop, auto& narrator) { return run_gaps(settings, stop, narrator); });
}

exit_code run_demo(const demo_options& options) {
  if (options.kill_primary_every > 0 || options.kill_all_every > 0) return run_chaos_demo(options);
  if (options.absent_for > 0) return run_absence_demo(options);
  if (options.endure > 0) return run_endurance_demo(options);
  if (options.failovers + options.hand_overs + options.planned_restarts > 0) return run_gap_demo(options);
  const group_size group{options.settings.replicas};
  const auto heading =
      fmt::format("HyperMesh: {} replicas, of which {} may be Byzantine, agree on every placement of a GPU cluster",
                  group.replicas(), group.faulty_max());
  return replay_and_print(options.settings, options.output.is_json(), false, heading);
}

/// Adds the options of the runs that measure the gap when the primary changes.
void add_gap_options(CLI::App& command, demo_options& into) {
  constexpr auto events_max = 10'000U;
  const auto add = [&command](const char* name, std::uint32_t& number, const char* what) {
    auto* made = command.add_option(name, number, what)->check(CLI::Range(1U, events_max))->type_name("N");
    for (const auto* other : {"--kill-primary-every", "--kill-all-every", "--absent-for", "--endure"})
      made->excludes(command.get_option(other));
    return made;
  };
  auto* kills = add("--failovers", into.failovers, "Kill the primary N times, and measure each gap in the answers");
  auto* moves = add("--hand-overs", into.hand_overs, "Move the primary N times by agreement, and measure each gap");
  moves->excludes(kills);
  add("--planned-restarts", into.planned_restarts, "Restart the primary N times with SIGTERM, and measure each gap")
      ->excludes(kills)
      ->excludes(moves);
}

/// Adds the options of the runs under load. A run has at most one of them.
void add_load_options(CLI::App& command, demo_options& into) {
  auto* primary = command
                      .add_option("--kill-primary-every", into.kill_primary_every,
                                  "Kill the current primary with SIGKILL at this interval: 5s, 500ms")
                      ->transform(duration_between(0.5, 3'600.0))
                      ->type_name("TIME");
  auto* all = command
                  .add_option("--kill-all-every", into.kill_all_every,
                              "Kill all replicas at once with SIGKILL at this interval")
                  ->transform(duration_between(0.5, 3'600.0))
                  ->type_name("TIME")
                  ->excludes(primary);
  auto* absent =
      command
          .add_option("--absent-for", into.absent_for,
                      "Kill one backup, restart it after N further operations, and measure the time until it is\n"
                      "in step with the other replicas")
          ->check(CLI::Range(1, 100'000'000))
          ->type_name("N")
          ->excludes(primary)
          ->excludes(all);
  command
      .add_flag("--lose-disk", into.lose_disk,
                "Delete the data directory of the absent backup, which then restarts as a learner")
      ->needs(absent);
  command
      .add_option("--endure", into.endure,
                  "Run until N operations are answered, and show memory, disk and latency at each tenth")
      ->check(CLI::Range(10, 100'000'000))
      ->type_name("N")
      ->excludes(primary)
      ->excludes(all)
      ->excludes(absent);
  command
      .add_option("--state-mib", into.state_mib,
                  "For the runs under load: MiB of values in the state, besides the counters")
      ->check(CLI::Range(0, 512))
      ->capture_default_str()
      ->type_name("MIB");
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
  add_load_options(*command, *options);
  add_gap_options(*command, *options);
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_demo(*options); }; });
}

}  // namespace hypermesh::cli
