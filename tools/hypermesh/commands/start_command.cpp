#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <future>
#include <system_error>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "runtime/base/safe_text.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/node_news.hpp"
#include "runtime/thread_limits.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/live/probation_text.hpp"
#include "tools/hypermesh/local_cluster/child_process.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/service_manager.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

struct start_options {
  std::string config;
  std::string log_level = "info";
  bool learner = false;
  int ready_descriptor = -1;
  pid_t parent = 0;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh start --config mycluster/replica-0/node.toml\n"
    "  hypermesh start --config node.toml --log-level debug 2>> replica-0.log\n"
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
/// If all replicas are stopped together, nobody is left to agree with, and the wait is in vain.
constexpr std::chrono::seconds drain_patience{5};
/// The interval at which the position is logged at level debug.
constexpr std::chrono::seconds standing_interval{5};

void open_log(const start_options& options, replica_id self) {
  const bool colours = text_style::of(STDERR_FILENO).has_colours();
  const auto log = spdlog::stderr_color_mt(to_string(principal::of(self)),
                                           colours ? spdlog::color_mode::always : spdlog::color_mode::never);
  log->set_level(spdlog::level::from_str(options.log_level));
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %n: %v");
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(log);
}

void write_to_log(const std::optional<news>& told) {
  if (!told) return;
  switch (told->level) {
    case news_level::debug:
      return spdlog::debug("{}", told->line);
    case news_level::info:
      return spdlog::info("{}", told->line);
    case news_level::warning:
      return spdlog::warn("{}", told->line);
    case news_level::error:
      return spdlog::error("{}", told->line);
  }
}

/// Writes the node's observations as lines of the log.
node_observers log_writers(const node_config& config) {
  const auto replicas = static_cast<std::uint32_t>(config.cluster.replicas.size());
  node_observers observers;
  observers.on_observation = [all = std::make_shared<node_news>(config.self, replicas)](const observation& what) {
    write_to_log(all->of(what, std::chrono::steady_clock::now()));
  };
  observers.on_link = [all = std::make_shared<link_news>(config.self)](const link_event& event) {
    write_to_log(all->of(event, std::chrono::steady_clock::now()));
  };
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
    spdlog::warn("descriptor {} has no reader", options.ready_descriptor);
}

void log_standing(hosted_replica& manager) {
  const auto report = manager.report(std::chrono::seconds{1});
  if (!report) return spdlog::warn("the monitor of this node does not answer");
  spdlog::debug("view {}, executed {}, stable checkpoint {}, state root {}", report->view.value,
                report->last_executed.value, report->stable_checkpoint.value, to_hex(report->state_root.view(), 8));
}

/// Warns once about each address at which another replica answers.
void warn_of_wrong_addresses(const hosted_replica& manager, std::vector<misdirected_address>& known) {
  for (const auto& each : manager.misdirected()) {
    if (std::ranges::find(known, each) != known.end()) continue;
    known.push_back(each);
    spdlog::warn("the address of replica {} reaches replica {}; correct the addresses in this node's genesis",
                 each.listed_for.value, each.answers_as.value);
  }
}
/// Logs when this replica learns from which sequence number and view on it may vote, and when it is a full member
/// again.
class probation_log {
 public:
  void look(hosted_replica& manager) {
    if (is_over_ || std::chrono::steady_clock::now() < next_look_) return;
    next_look_ = std::chrono::steady_clock::now() + look_interval;
    const auto report = manager.report(std::chrono::seconds{1}, report_wanted{.with_root = false});
    if (!report) return;
    const auto word = probation_in(*report);
    is_over_ = !word;
    if (word && word != said_) {
      spdlog::warn("this replica {}; the other replicas readmit it without an operator", text_of(*word));
    }
    if (is_over_ && said_)
      spdlog::info("probation ended in view {}: this replica is a full member again", report->view.value);
    said_ = word;
  }

 private:
  static constexpr std::chrono::milliseconds look_interval{500};

  bool is_over_ = false;
  std::optional<probation_word> said_;
  std::chrono::steady_clock::time_point next_look_;
};

/// Runs until a signal arrives or the node fails.
exit_code watch(hosted_replica& manager, interruption& stop) {
  auto next_standing = std::chrono::steady_clock::now() + standing_interval;
  std::vector<misdirected_address> wrong_addresses;
  probation_log probation;
  while (!stop.wait(watch_interval)) {
    if (auto done = manager.health().running; !done) return report_error(done.error(), exit_code::failed);
    warn_of_wrong_addresses(manager, wrong_addresses);
    probation.look(manager);
    if (std::chrono::steady_clock::now() < next_standing) continue;
    next_standing += standing_interval;
    if (spdlog::should_log(spdlog::level::debug)) log_standing(manager);
  }
  spdlog::info("{}: stopping", strsignal(stop.signal_number()));
  return exit_code::ok;
}

/// Hands the view over and stops. A second signal ends the wait for the others.
void drain(hosted_replica& manager, interruption& stop) {
  spdlog::info("handing the view over before the stop; a second signal stops at once");
  auto drained = std::async(std::launch::async, [&manager] { return manager.drain(drain_patience); });
  while (drained.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
    if (!stop.wait_again(watch_interval)) continue;
    spdlog::info("{}: stopping at once", strsignal(stop.signal_number()));
    manager.hurry();
  }
  if (const auto done = drained.get(); !done) return spdlog::warn("{}", visible_text(done.error().what));
  spdlog::info("the view was handed over");
}

/// Ends the replica after a signal or a failure.
void end(hosted_replica& manager, interruption& stop) {
  tell_service_manager("STOPPING=1");
  const bool may_drain = stop.signal_number() == SIGTERM && manager.health().is_live && manager.is_primary();
  try {
    if (may_drain) drain(manager, stop);
  } catch (const std::system_error& refused) {
    spdlog::warn("no thread for the hand-over: {}", refused.what());
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
  auto read = read_node_config(options.config);
  if (!read) return report_error(read.error(), exit_code_of(read.error()));
  auto config = std::move(read).value();
  config.storage.learner = options.learner;
  open_log(options, config.self);
  if (!dumps) spdlog::warn("{}; {}", dumps.error().what, dumps.error().remedy);
  if (auto done = check_limits(config); !done) return report_error(done.error(), exit_code::failed);
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  auto started = hosted_replica::start(system, config, log_writers(config));
  if (!started) return report_error(started.error(), exit_code_of(started.error()));
  auto& manager = **started;
  const auto& cluster = config.cluster;
  spdlog::info("cluster '{}' ({}), {} replicas, machine '{}', listening on port {}", visible_text(cluster.name),
               to_hex(cluster.id().view(), 8), cluster.replicas.size(), visible_text(cluster.state_machine),
               manager.port());
  if (const auto address = manager.http_address(); !address.empty()) spdlog::info("HTTP on {}", address);
  if (!manager.notice().empty()) spdlog::warn("{}", manager.notice());
  announce(options, manager, cluster);
  const auto code = watch(manager, stop);
  end(manager, stop);
  return code;
}

}  // namespace

void add_start(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("start", "Run a replica in the foreground");
  auto options = std::make_shared<start_options>();
  command->footer(examples);
  command->add_option("--config", options->config, "The replica's node.toml")->required()->type_name("FILE");
  command->add_option("--log-level", options->log_level, "Level of the log on stderr")
      ->check(one_of({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str()
      ->type_name("LEVEL");
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
