#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/node_watch.hpp"
#include "tools/hypermesh/runs/replay_report.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

struct replay_options {
  replay_settings settings;
  log_options log;
  output_options output;
  bool quiet = false;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh replay --nodes openb_node_list_all_node.csv --pods openb_pod_list_default.csv\n"
    "  hypermesh replay --nodes NODES.csv --pods PODS.csv --bundle 64 -o json\n"
    "  hypermesh replay --operations 50000                 a synthetic workload\n"
    "  hypermesh replay --operations 500000 --bundle 64 --in-flight 8192 --kill-primary-every 2s\n"
    "  hypermesh replay --operations 20000 --trace trace.json --logs logs --log-format json --log-level info\n"
    "  hypermesh replay --cluster mycluster --nodes NODES.csv --pods PODS.csv\n"
    "\n"
    "The files are those of Alibaba's cluster-trace-gpu-v2023: the first line names the columns, in any order.\n"
    "  machines: sn, cpu_milli, memory_mib, gpu, model\n"
    "  tasks:    name, cpu_milli, memory_mib, num_gpu, gpu_milli\n"
    "These may be missing: gpu_spec (any model), qos (best effort), creation_time (one task each second),\n"
    "scheduled_time (at once), deletion_time (never).\n"
    "\n"
    "Without --cluster, the command starts its own cluster of processes on this machine, in a temporary directory,\n"
    "and removes it at the end. The exit code is 0 if every operation got a result, all replicas hold the same\n"
    "state and, in its own cluster, results and state equal those of a single scheduler that runs the same\n"
    "operations. With --cluster it is 0 only if no operation was refused, which needs an empty scheduler there;\n"
    "otherwise 1.";

/// The program of the replicas: `hypermesh start` with the options of the log, at level warn if none is given.
replica_program program_of(log_options log) {
  if (log.level.empty()) log.level = to_string(log_level::warn);
  replica_program program;
  program.words = {"start"};
  const auto words = log.words();
  program.words.insert(program.words.end(), words.begin(), words.end());
  return program;
}

/// Adds the options for the command's own cluster of processes.
void add_own_cluster_options(CLI::App& command, replay_options& into) {
  command
      .add_option("--trace", into.settings.trace_file,
                  "Write the way of the last batches through the phases at each replica to this file, as a Chrome\n"
                  "trace (hypermesh help trace)")
      ->type_name("FILE")
      ->excludes("--cluster")
      ->excludes("--config");
  command.add_option("--logs", into.settings.logs_folder, "Keep the logs of the replicas in this folder")
      ->type_name("DIRECTORY")
      ->excludes("--cluster")
      ->excludes("--config");
  add_log_options(command, into.log);
}

}  // namespace

void add_replay(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("replay", "Replay a cluster's history and compare the replicas");
  auto options = std::make_shared<replay_options>();
  command->footer(examples);
  add_replay_options(*command, options->settings);
  add_client_options(*command, options->settings.existing);
  command->get_option("--timeout")->default_val(30);
  auto* replicas =
      command->add_option("--replicas", options->settings.replicas, "Replicas of the command's own cluster")
          ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
          ->capture_default_str()
          ->type_name("N");
  replicas->excludes("--cluster")->excludes("--config");
  command
      ->add_option("--kill-primary-every", options->settings.kill_primary_every_seconds,
                   "Kill the primary of the own cluster with SIGKILL at this interval: 2s, 500ms")
      ->transform(duration_between(0.5, 3'600.0))
      ->type_name("TIME")
      ->excludes("--cluster")
      ->excludes("--config");
  add_own_cluster_options(*command, *options);
  command->add_flag("-q,--quiet", options->quiet, "Print no steps and no progress");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] {
    chosen = [options] {
      options->settings.program = program_of(options->log);
      return replay_and_print(options->settings, options->output.is_json(), options->quiet, "");
    };
  });
}

}  // namespace hypermesh::cli
