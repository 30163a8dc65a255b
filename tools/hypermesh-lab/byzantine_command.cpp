#include "tools/hypermesh-lab/byzantine_command.hpp"

#include <atomic>
#include <csignal>
#include <set>

#include <fmt/format.h>

#include "runtime/hosted_replica.hpp"
#include "runtime/thread_limits.hpp"
#include "tests/byzantine/combinators.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tools/hypermesh-lab/byzantine_client.hpp"
#include "tools/hypermesh-lab/byzantine_node.hpp"
#include "tools/hypermesh-lab/frame_recording.hpp"
#include "tools/hypermesh-lab/strategy_words.hpp"
#include "tools/hypermesh/local_cluster/child_process.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::lab {

namespace {

/// The object must be constructed before the first thread, so that no thread receives the signals.
class stop_signals {
 public:
  stop_signals() {
    sigemptyset(&signals_);
    for (const auto each : {SIGINT, SIGTERM, SIGUSR1})
      sigaddset(&signals_, each);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  /// Waits for SIGINT or SIGTERM. SIGUSR1 sets `told`.
  void wait(std::atomic<bool>& told) const {
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && signal == SIGUSR1)
      told = true;
  }

 private:
  sigset_t signals_{};
};

/// The replica or client in which the strategy plays.
struct player {
  std::unique_ptr<byzantine_node> node;
  std::unique_ptr<byzantine_client> client;
  std::string words;
};

/// The reason why the player cannot start, and the exit code for this reason.
struct refusal {
  world_error error;
  cli::exit_code code = cli::exit_code::failed;
};

tl::expected<player, refusal> start_client(caf::actor_system& system, const byzantine_command& command,
                                           std::unique_ptr<testing::adversary> strategy) {
  auto read = read_client_config(command.client_config);
  if (!read) return tl::unexpected(refusal{std::move(read.error()), cli::exit_code::usage});
  const auto& config = *read;
  auto started = byzantine_client::start(system, config, std::move(strategy), command.seed);
  if (!started) return tl::unexpected(refusal{std::move(started.error())});
  player made;
  made.client = std::move(*started);
  made.words = fmt::format("client={}", config.self.value);
  return made;
}

tl::expected<player, refusal> start_node(caf::actor_system& system, const byzantine_command& command,
                                         std::unique_ptr<testing::adversary> strategy) {
  auto read = read_node_config(command.config);
  if (!read) return tl::unexpected(refusal{std::move(read.error()), cli::exit_code::usage});
  const auto& config = *read;
  std::set<replica_id> accomplices;
  for (const auto number : command.accomplices)
    accomplices.insert(replica_id{number});
  auto started = byzantine_node::start(system, config, std::move(strategy), std::move(accomplices), command.seed);
  if (!started) return tl::unexpected(refusal{std::move(started.error())});
  player made;
  made.node = std::move(*started);
  made.words = fmt::format("replica={} port={}", config.self.value, made.node->port());
  return made;
}

void add_start_options(CLI::App& command, byzantine_command& into) {
  command.add_flag("--when-told", into.when_told, "behave correctly until SIGUSR1 arrives");
  command.add_option("--ready-fd", into.ready_descriptor, "descriptor to which 'ready …' is written after the start")
      ->type_name("N");
  command.add_option("--stop-with-parent", into.parent, "end at once when the parent process PID ends")
      ->type_name("PID");
}

}  // namespace

CLI::App* add_byzantine(CLI::App& app, byzantine_command& into) {
  auto* command =
      app.add_subcommand("byzantine", "run a replica or a client of a real cluster with an adversary strategy");
  command->footer(
      "The replica runs the product's actors with its own key, disk and links. Between actors and links is a strategy\n"
      "of 'hypermesh-lab strategies', or several as a+b or a/b. Do not start an honest replica on its data directory\n"
      "afterwards. A client sends eight operations at a time, if the strategy permits it.\n"
      "  hypermesh init mycluster && hypermesh start --config mycluster/replica-0/node.toml &\n"
      "  hypermesh-lab byzantine --strategy conflicting-votes --config mycluster/replica-3/node.toml\n"
      "  hypermesh-lab byzantine --strategy request-flood --client-config mycluster/client-2/client.toml");
  auto* plays = command->add_option_group("play");
  plays->add_option("--strategy", into.strategies, "strategy, or several as a+b or a/b")
      ->check([](const std::string& names) {
        return testing::make_adversary(names) == nullptr
                   ? unknown_strategy_text(names) + "; list the strategies: hypermesh-lab strategies"
                   : std::string{};
      })
      ->type_name("NAME");
  plays->add_option("--record", into.recording, "record every received frame, without a strategy")->type_name("FILE");
  plays->require_option(1);
  auto* who = command->add_option_group("player");
  who->add_option("--config", into.config, "the replica's node.toml")->type_name("FILE");
  who->add_option("--client-config", into.client_config, "the client's client.toml, instead of --config")
      ->type_name("FILE");
  who->require_option(1);
  command->add_option("--accomplices", into.accomplices, "replicas that cooperate with this one")
      ->delimiter(',')
      ->type_name("N,…");
  command->add_option("--seed", into.seed, "seed of the adversary's random choices")
      ->capture_default_str()
      ->type_name("S");
  add_start_options(*command, into);
  return command;
}

cli::exit_code run(const byzantine_command& command) {
  if (command.parent != 0 && !cli::stop_with_parent(command.parent)) {
    return cli::report_error({"the parent process has ended", ""}, cli::exit_code::failed);
  }
  const stop_signals stop;
  const auto told = std::make_shared<std::atomic<bool>>(!command.when_told || !command.recording.empty());
  std::unique_ptr<testing::adversary> strategy;
  if (command.recording.empty()) {
    strategy = testing::make_adversary(command.strategies);
  } else {
    strategy = std::make_unique<frame_recorder>(command.recording);
  }
  strategy = std::make_unique<testing::when_told>(told, std::move(strategy));
  if (auto done = check_threads(threads_of_node(limits::replicas_min)); !done)
    return cli::report_error(done.error(), cli::exit_code::failed);
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  auto started = command.client_config.empty() ? start_node(system, command, std::move(strategy))
                                               : start_client(system, command, std::move(strategy));
  if (!started) return cli::report_error(started.error().error, started.error().code);
  const auto line = fmt::format("ready {} strategy={}\n", started->words, command.strategies);
  cli::print_report(line);
  cli::flush_output();
  if (command.ready_descriptor >= 0) (void)cli::tell_ready(command.ready_descriptor, line);
  stop.wait(*told);
  return cli::exit_code::ok;
}

}  // namespace hypermesh::lab
