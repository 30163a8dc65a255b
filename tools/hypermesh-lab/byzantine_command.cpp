#include "tools/hypermesh-lab/byzantine_command.hpp"

#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "runtime/consensus_manager.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tools/hypermesh-lab/byzantine_node.hpp"
#include "tools/hypermesh-lab/sim_command.hpp"

namespace hypermesh::lab {

namespace {

int report_error(const world_error& error, int code) {
  fmt::print(stderr, "hypermesh-lab: {}{}{}\n", error.what, error.remedy.empty() ? "" : ": ", error.remedy);
  return code;
}

/// Constructed before the first thread, so that no thread takes the signals.
class stop_signals {
 public:
  stop_signals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  void wait() const {
    int signal = 0;
    sigwait(&signals_, &signal);
  }

 private:
  sigset_t signals_{};
};

}  // namespace

CLI::App* add_byzantine(CLI::App& app, byzantine_command& into) {
  auto* command = app.add_subcommand("byzantine", "run a replica of a real cluster in an adversary's hands");
  command->footer(
      "The replica runs the product's actors with its own key, disk and links; between actors and links stands a\n"
      "strategy of 'hypermesh-lab strategies', or several as a+b or a/b. Its data directory is used up: do not start "
      "an\n"
      "honest replica on it afterwards.\n"
      "  hypermesh init mycluster && hypermesh start --config mycluster/replica-0/node.toml &\n"
      "  hypermesh-lab byzantine --strategy conflicting-votes --config mycluster/replica-3/node.toml");
  command->add_option("--strategy", into.strategies, "what it plays")
      ->required()
      ->check([](const std::string& names) {
        return testing::strategies_in(names).empty() ? "no strategy has that name: see hypermesh-lab strategies"
                                                     : std::string{};
      })
      ->type_name("NAME");
  command->add_option("--config", into.config, "the replica's node.toml")->required()->type_name("FILE");
  command->add_option("--seed", into.seed, "of the adversary's own choices")->capture_default_str()->type_name("S");
  return command;
}

int run(const byzantine_command& command) {
  const stop_signals stop;
  auto read = read_node_config(command.config);
  if (const auto* error = std::get_if<world_error>(&read)) return report_error(*error, exit_usage);
  const auto& config = std::get<node_config>(read);
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  auto started = byzantine_node::start(system, config, command.strategies, command.seed);
  if (const auto* error = std::get_if<world_error>(&started)) return report_error(*error, exit_failed);
  const auto& node = *std::get<std::unique_ptr<byzantine_node>>(started);
  fmt::print("ready replica={} port={} strategy={}\n", config.self.value, node.port(), command.strategies);
  std::fflush(stdout);
  stop.wait();
  return exit_ok;
}

}  // namespace hypermesh::lab
