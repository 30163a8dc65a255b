#include <unistd.h>

#include <csignal>
#include <cstring>
#include <future>
#include <system_error>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/thread_limits.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/node_watch.hpp"
#include "tools/hypermesh/local_cluster/child_process.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/service_manager.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

using kind = operator_event_kind;

struct start_options {
  std::string config;
  log_options log;
  bool learner = false;
  int ready_descriptor = -1;
  pid_t parent = 0;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh start --config mycluster/replica-0/node.toml\n"
    "  hypermesh start --config node.toml --log-level debug 2>> replica-0.log\n"
    "  hypermesh start --config node.toml --log-format json 2> >(jq 'select(.level != \"info\")')\n"
    "  mv replica-0/data lost && hypermesh start --config replica-0/node.toml --learner\n"
    "\n"
    "Runs in the foreground until SIGINT or SIGTERM, then stops cleanly. After SIGTERM, the signal of service "
    "managers,\n"
    "a primary first hands its view over, so that clients need not wait for a view change: at most 5 s. A second "
    "signal\n"
    "ends this wait, and SIGINT stops at once. When the replica listens, it writes one\n"
    "line to stdout, and to the descriptor of --ready-fd, which it then closes:\n"
    "  ready replica=0 port=7400 cluster=hypermesh id=0123456789abcdef\n"
    "A service manager that sets NOTIFY_SOCKET, as systemd does for Type=notify, is told the same.\n"
    "\n"
    "Exit codes: 0 stopped by a signal; 1 the node failed; 2 wrong configuration, which includes the key of another\n"
    "member, a data directory that is missing, empty or another replica's, and an address that this machine cannot\n"
    "listen on.";

/// The interval at which the command checks whether the node was asked to stop or has failed.
constexpr std::chrono::milliseconds watch_interval{100};
/// The time that a primary has to hand its view over after SIGTERM. A group that can agree needs some ten milliseconds.
/// If all replicas are stopped together, nobody is left to agree with, and the wait ends after 2 s.
constexpr std::chrono::seconds drain_patience{5};

/// Writes the node's observations as lines of the log.
node_observers log_writers(const std::shared_ptr<node_log>& log) {
  node_observers observers;
  observers.on_observation = [log](const observation& what) { log->on_observation(what); };
  observers.on_link = [log](const link_event& event) { log->on_link(event); };
  return observers;
}

void announce(const start_options& options, const hosted_replica& manager, const genesis& cluster) {
  const auto line = fmt::format("ready replica={} port={} cluster={} id={}\n", manager.self().value, manager.port(),
                                visible_text(cluster.name), to_hex(cluster.id().view(), 8));
  print_report(line);
  flush_output();
  tell_service_manager("READY=1");
  if (options.ready_descriptor < 0) return;
  if (!tell_ready(options.ready_descriptor, line))
    say(fmt::format("descriptor {} of --ready-fd has no reader", options.ready_descriptor));
}

/// Logs what the operator should know about the node that has just started.
void log_beginning(node_log& log, const hosted_replica& manager, const genesis& cluster) {
  constexpr std::size_t id_bytes = 8;
  log.note(event_of(kind::node_started, {{"cluster", cluster.name},
                                         {"cluster_id", to_hex(cluster.id().view(), id_bytes)},
                                         {"replicas", std::uint64_t{cluster.replicas.size()}},
                                         {"machine", cluster.state_machine},
                                         {"port", std::uint64_t{manager.port()}}}));
  if (auto address = manager.http_address(); !address.empty()) {
    log.note(event_of(kind::http_started, {{"address", std::move(address)}}));
  }
  if (!manager.notice().empty()) log.note(event_of(kind::limits_lowered, {{"detail", manager.notice()}}));
}

/// Runs until a signal arrives or the node fails.
exit_code watch(hosted_replica& manager, node_watch& facts, node_log& log, interruption& stop) {
  while (!stop.wait(watch_interval)) {
    if (auto done = manager.health().running; !done) return report_error(done.error(), exit_code::failed);
    facts.look();
  }
  log.note(event_of(kind::node_stopping, {{"signal", std::string{strsignal(stop.signal_number())}}}));
  return exit_code::ok;
}

/// Hands the view over and stops. A second signal ends the wait for the others.
void drain(hosted_replica& manager, node_log& log, interruption& stop) {
  log.note(event_of(kind::hand_over_began));
  auto drained = std::async(std::launch::async, [&manager] { return manager.drain(drain_patience); });
  while (drained.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
    if (!stop.wait_again(watch_interval)) continue;
    log.note(event_of(kind::node_stopping, {{"signal", std::string{strsignal(stop.signal_number())}}}));
    manager.hurry();
  }
  const auto done = drained.get();
  log.note(done ? event_of(kind::hand_over_ended) : event_of(kind::hand_over_failed, {{"error", done.error().what}}));
}

/// Ends the replica after a signal or a failure.
void end(hosted_replica& manager, node_log& log, interruption& stop) {
  tell_service_manager("STOPPING=1");
  const bool may_drain = stop.signal_number() == SIGTERM && manager.health().is_live && manager.is_primary();
  try {
    if (may_drain) drain(manager, log, stop);
  } catch (const std::system_error& refused) {
    log.note(
        event_of(kind::hand_over_failed, {{"error", fmt::format("there is no thread for it: {}", refused.what())}}));
  }
  manager.stop();
}

/// Returns an error if the limits of the system do not allow a node. Call this before the actor system is constructed,
/// because the actor system cannot report the error.
or_error<void> check_limits(const node_config& config) {
  auto bounds = link_settings_of(config.cluster, nullptr, config.links);
  auto fitted = fit_to_descriptors(bounds, http::open_files_of(config.http));
  if (!fitted) return failure_of(fitted);
  return check_threads(threads_of_node(config.cluster.replicas.size()));
}

exit_code run_start(const start_options& options) {
  if (options.parent != 0 && !stop_with_parent(options.parent)) {
    return report_error({"the parent process has ended", ""}, exit_code::failed);
  }
  interruption stop;
  const auto dumps = disable_core_dumps();
  auto read = read_node_config(options.config, options.log.overrides());
  if (!read) return report_error(read.error(), exit_code_of(read.error()));
  auto config = std::move(read).value();
  config.storage.learner = options.learner;
  const auto log = open_log(config);
  if (!dumps) {
    log->note(event_of(kind::core_dumps_allowed, {{"error", dumps.error().what}, {"fix", dumps.error().remedy}}));
  }
  if (auto done = check_limits(config); !done) return report_error(done.error(), exit_code::failed);
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  auto started = hosted_replica::start(system, config, log_writers(log));
  if (!started) return report_error(started.error(), exit_code_of(started.error()));
  auto& manager = **started;
  log_beginning(*log, manager, config.cluster);
  announce(options, manager, config.cluster);
  const auto code = [&] {
    node_watch facts{manager, log, config};
    return watch(manager, facts, *log, stop);
  }();
  end(manager, *log, stop);
  return code;
}

}  // namespace

void add_start(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("start", "Run a replica in the foreground");
  auto options = std::make_shared<start_options>();
  command->footer(examples);
  command->add_option("--config", options->config, "The replica's node.toml")->required()->type_name("FILE");
  add_log_options(*command, options->log);
  command->add_flag(
      "--learner", options->learner,
      "Start on a new data directory after the old one was lost: learn the state, and vote only above every earlier\n"
      "vote. Until its readmission the replica counts as one of the f faulty ones. Never start more than f learners\n"
      "at a time, or acknowledged operations may be lost");
  command
      ->add_option("--ready-fd", options->ready_descriptor,
                   "Descriptor to which 'ready …' is written when the replica listens")
      ->check(CLI::Range(0, 1'048'576))
      ->type_name("N");
  command->add_option("--stop-with-parent", options->parent, "End at once when the parent process PID ends")
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
  command->callback([options, &chosen] { chosen = [options] { return run_start(*options); }; });
}

}  // namespace hypermesh::cli
