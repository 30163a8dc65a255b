#include "tools/hypermesh-lab/history_session.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "tools/hypermesh-lab/gateway_history.hpp"
#include "tools/hypermesh/local_cluster/local_cluster.hpp"

namespace hypermesh::lab {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::uint32_t liar = 3;
constexpr std::uint32_t gateway_count = 2;
constexpr std::chrono::seconds ready_patience{30};
constexpr std::chrono::seconds end_patience{20};
constexpr std::chrono::milliseconds look_interval{100};

tl::unexpected<cli::run_failure> failed(world_error error) {
  return tl::unexpected(cli::run_failure{cli::exit_code::failed, std::move(error)});
}

std::filesystem::path product() { return std::filesystem::read_symlink(cli::own_binary).replace_filename("hypermesh"); }

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

/// Makes one run from beginning to end.
class history_run {
 public:
  history_run(const history_settings& settings, cli::interruption& stop) : settings_(settings), stop_(&stop) {}
  ~history_run() { end_clients(); }
  history_run(const history_run&) = delete;
  history_run& operator=(const history_run&) = delete;

  cli::or_run_failure<history_result> run() {
    if (auto done = start_cluster(); !done) return failed(done.error());
    if (auto done = start_gateways(); !done) return failed(done.error());
    history_.emplace(ports_);
    for (std::uint32_t number = 0; number < settings_.clients; ++number)
      clients_.emplace_back([this, number] { history_->run_client(number, settings_.seed, goes_on_); });
    if (auto done = disturb(); !done) return tl::unexpected(done.error());
    end_clients();
    result_.seed = settings_.seed;
    result_.verdict = testing::check_linearizability(history_->operations());
    result_.unanswered = history_->unanswered();
    result_.refused = history_->refused();
    result_.unexpected = history_->unexpected();
    end_gateways();
    return std::move(result_);
  }

 private:
  [[nodiscard]] or_error<void> start_cluster() {
    cluster_plan plan;
    plan.state_machine = "redis";
    auto prepared = cli::local_cluster::prepare(plan);
    if (!prepared) return failure_of(prepared);
    cluster_ = std::move(*prepared);
    for (std::uint32_t number = 0; number < liar; ++number)
      cluster_->run_with(number, {product(), {"start", "--log-level", "warn"}});
    cluster_->run_with(
        liar,
        {cli::own_binary, {"byzantine", "--strategy", settings_.strategy, "--seed", std::to_string(settings_.seed)}});
    return cluster_->start();
  }

  [[nodiscard]] std::filesystem::path log_of(std::size_t gateway) const {
    return cluster_->layout().root / fmt::format("gateway-{}-log", gateway);
  }

  [[nodiscard]] or_error<void> start_gateways() {
    ports_ = cli::free_ports(gateway_count);
    if (ports_.size() < gateway_count)
      return tl::unexpected(world_error{"too few ports of 127.0.0.1 are free", "end other servers of this machine"});
    for (std::size_t number = 0; number < gateway_count; ++number) {
      auto begun = cli::child_process::start(
          product(),
          {"gateway", "--cluster", cluster_->layout().root.string(), "--client", std::to_string(number), "--resp",
           std::to_string(ports_[number]), "--timeout", "3s"},
          log_of(number));
      if (!begun) return failure_of(begun);
      gateways_.push_back(std::move(*begun));
    }
    const auto deadline = clock::now() + ready_patience;
    for (const auto port : ports_) {
      while (!resp_client{port}.ask({"PING"}).starts_with("+PONG")) {
        if (clock::now() > deadline)
          return tl::unexpected(world_error{fmt::format("the gateway at port {} did not start", port),
                                            "run the command again when the machine is less busy"});
        std::this_thread::sleep_for(look_interval);
      }
    }
    return {};
  }

  /// The primary as INFO of the first gateway shows it. Another replica in its place if it is not known or is the liar,
  /// because a killed liar would not lie.
  [[nodiscard]] std::uint32_t replica_to_kill() {
    resp_client client{ports_.front()};
    const auto text = client.ask({"INFO", "hypermesh"});
    for (std::uint32_t number = 0; number < liar; ++number) {
      if (text.find(fmt::format("hypermesh_primary:{}\r\n", number)) != std::string::npos) return number;
    }
    return static_cast<std::uint32_t>(result_.kills % liar);
  }

  /// Waits. An interruption is a failure without a result.
  [[nodiscard]] cli::or_run_failure<void> pass_until(clock::time_point then) {
    while (clock::now() < then) {
      if (stop_->wait(look_interval)) return tl::unexpected(cli::run_failure{cli::exit_code::interrupted, {}});
    }
    return {};
  }

  /// Kills primaries and starts them again until the time is over. At the end all replicas run.
  [[nodiscard]] cli::or_run_failure<void> disturb() {
    const auto end = clock::now() + settings_.duration;
    const auto absence = settings_.kill_interval / 3;
    auto next = clock::now() + settings_.kill_interval / 2;
    while (next + absence < end) {
      if (auto done = pass_until(next); !done) return done;
      const auto number = replica_to_kill();
      cluster_->kill(number);
      ++result_.kills;
      if (auto done = pass_until(next + absence); !done) return done;
      if (auto done = cluster_->restart(number); !done) return failed(done.error());
      next += settings_.kill_interval;
    }
    if (auto done = pass_until(end); !done) return done;
    if (auto done = cluster_->check_replicas(); !done) return failed(done.error());
    return {};
  }

  void end_clients() {
    goes_on_ = false;
    for (auto& each : clients_)
      each.join();
    clients_.clear();
  }

  void end_gateways() {
    for (std::size_t number = 0; number < gateways_.size(); ++number) {
      gateways_[number]->send(SIGTERM);
      gateways_[number]->wait_or_kill(end_patience);
      const auto warning = fmt::format("replica {} returned", liar);
      if (text_of(log_of(number)).find(warning) != std::string::npos) result_.found_liar = true;
    }
  }

  history_settings settings_;
  cli::interruption* stop_;
  std::unique_ptr<cli::local_cluster> cluster_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<cli::child_process>> gateways_;
  std::optional<gateway_history> history_;
  std::atomic<bool> goes_on_ = true;
  std::vector<std::thread> clients_;
  history_result result_;
};

}  // namespace

cli::or_run_failure<history_result> run_history(const history_settings& settings, cli::interruption& stop) {
  return history_run{settings, stop}.run();
}

}  // namespace hypermesh::lab
