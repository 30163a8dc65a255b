#include "tools/hypermesh-lab/siege_session.hpp"

#include <algorithm>
#include <csignal>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/byzantine/strategy.hpp"

namespace hypermesh::lab {

namespace {

using clock = cli::cluster_under_load::clock;
using outcome = cli::cluster_under_load::outcome;
using testing::strategy_occasion;

constexpr std::chrono::milliseconds look_interval{200};
constexpr std::chrono::milliseconds look_patience{1'000};
constexpr std::chrono::seconds ready_patience{20};
/// The time for which a suspended primary or a laggard is away. It is long enough for a view change and for several
/// checkpoints.
constexpr std::chrono::milliseconds suspension{1'500};
constexpr std::chrono::milliseconds absence{2'500};
/// The time in which the cluster recovers after an occasion, before it is measured.
constexpr std::chrono::milliseconds recovery{1'000};
/// The size of a state that takes a while to transfer.
constexpr std::uint32_t state_mib_to_give = 4;
/// The client that plays. The other clients make the load and observe.
constexpr std::uint32_t playing_client = 2;

/// Ignores the steps of the cluster, because they are not shown.
class silent_narrator final : public cli::run_narrator {
 public:
  void step(const std::string&, double) override {}
  void progress(std::size_t, std::size_t) override {}
};

strategy_occasion occasion_of(const std::vector<const testing::strategy*>& played) {
  for (const auto* each : played) {
    if (each->occasion != strategy_occasion::none) return each->occasion;
  }
  return strategy_occasion::none;
}

/// The numbers of the players, as in the simulator's plans. Without an occasion, they do not include the first primary.
std::vector<std::uint32_t> players_for(strategy_occasion occasion, std::uint32_t replicas) {
  if (occasion == strategy_occasion::as_client) return {playing_client};
  const auto faulty = group_size{replicas}.faulty_max();
  std::uint32_t first = 0;
  if (occasion == strategy_occasion::none) first = replicas - faulty;
  if (occasion == strategy_occasion::view_change) first = 2;
  if (occasion == strategy_occasion::new_primary) first = 1;
  std::vector<std::uint32_t> players;
  for (std::uint32_t number = 0; number < faulty; ++number)
    players.push_back((first + number) % replicas);
  return players;
}

bool is_about_views(strategy_occasion occasion) {
  return occasion == strategy_occasion::view_change || occasion == strategy_occasion::new_primary;
}

bool is_about_state(strategy_occasion occasion) {
  return occasion == strategy_occasion::laggard || occasion == strategy_occasion::slow_laggard;
}

/// Makes one run from beginning to end.
class siege_run {
 public:
  siege_run(const siege_settings& settings, cli::interruption& stop, cli::run_narrator& narrator)
      : settings_(settings), narrator_(&narrator), occasion_(occasion_of(testing::strategies_in(settings.strategy))) {
    result_.strategy = settings.strategy;
    result_.by_client = occasion_ == strategy_occasion::as_client;
    result_.players = players_for(occasion_, settings.load.replicas);
    result_.provable = std::ranges::any_of(testing::strategies_in(settings.strategy), &testing::strategy::provable);
    cluster_.emplace(load(), stop, silent_);
  }
  ~siege_run() {
    // A suspended process does not handle SIGTERM, so it continues first.
    if (suspended_) cluster_->processes().send(*suspended_, SIGCONT);
  }
  siege_run(const siege_run&) = delete;
  siege_run& operator=(const siege_run&) = delete;

  cli::or_run_failure<siege_result> run() {
    if (auto done = prepare(); !done) return failure_of(done);
    if (auto done = measure_baseline(); !done) return failure_of(done);
    if (auto done = attack(); !done) return failure_of(done);
    if (client_ != nullptr && !client_->is_running()) {
      return tl::unexpected(cli::run_failure{
          cli::exit_code::failed,
          {fmt::format("the process of the attacking client ended: {}", client_->end_reason()),
           "run the strategy alone for its messages: hypermesh-lab byzantine --strategy NAME --client-config FILE"}});
    }
    // The client must stop before the states are compared, because its operations would keep changing the state.
    client_ = nullptr;
    auto end = cluster_->finish();
    if (!end) return failure_of(end);
    result_.end = std::move(*end);
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::vector<std::string> player_words() const {
    return {"byzantine", "--strategy", settings_.strategy, "--seed", std::to_string(settings_.seed), "--when-told"};
  }

  [[nodiscard]] cli::load_settings load() const {
    auto load = settings_.load;
    load.clients = playing_client + 1;
    if (std::ranges::any_of(testing::strategies_in(settings_.strategy), &testing::strategy::without_signatures)) {
      load.requests_by = protocol::request_authentication::authenticator;
    }
    // The binary of the product is in the same folder as the binary of the laboratory.
    load.program.binary = std::filesystem::read_symlink(cli::own_binary).replace_filename("hypermesh");
    if (is_about_state(occasion_)) load.state_mib = state_mib_to_give;
    if (result_.by_client) return load;
    for (const auto number : result_.players) {
      auto& program = load.others[number];
      program.words = player_words();
      program.words.emplace_back("--accomplices");
      program.words.push_back(fmt::format("{}", fmt::join(result_.players, ",")));
    }
    return load;
  }

  outcome prepare() {
    if (auto done = cluster_->start(); !done) return done;
    if (auto done = cluster_->open_observer(); !done) return done;
    if (result_.by_client) {
      if (auto done = start_client(); !done) return done;
    }
    return pass_until(clock::now() + settings_.warm_up);
  }

  outcome start_client() {
    const auto& layout = cluster_->processes().layout();
    auto words = player_words();
    for (const auto& word : {std::string{"--client-config"}, layout.client_file(playing_client).string(),
                             std::string{"--ready-fd"}, std::to_string(cli::child_process::ready_descriptor),
                             std::string{"--stop-with-parent"}, std::to_string(getpid())})
      words.push_back(word);
    auto begun = cli::child_process::start(cli::own_binary, std::move(words), layout.root / "byzantine-client-log");
    if (!begun) return tl::unexpected(cli::run_failure{cli::exit_code::failed, begun.error()});
    client_ = std::move(*begun);
    if (client_->wait_until_ready(ready_patience)) return {};
    return tl::unexpected(cli::run_failure{
        cli::exit_code::failed, {"the process of the attacking client did not start", "run the command again"}});
  }

  outcome measure_baseline() {
    const auto begin = cluster_->mark();
    const auto cpu = cpu_seconds();
    if (auto done = pass_until(begin.when + settings_.baseline); !done) return done;
    result_.before = cli::load_span::between(begin, cluster_->mark());
    result_.cpu_us_before = cost_of(result_.before, cpu);
    counters_before_ = counters_;
    view_before_ = last_view_;
    return {};
  }

  outcome attack() {
    const auto begin = cluster_->mark();
    began_ = begin.when;
    cluster_->increments().watch_gaps();
    tell_players();
    if (auto done = bring_about_occasion(); !done) return done;
    // The throughput after the conviction is measured from the conviction on, at the latest from the middle of the
    // attack.
    const auto middle = begin.when + settings_.duration / 2;
    const auto calm = clock::now();
    if (auto done = pass_until(middle, [this] { return convicted_at_.has_value(); }); !done) return done;
    if (clock::now() < calm) {
      if (auto done = pass_until(calm); !done) return done;
    }
    auto turn = cluster_->mark();
    auto cpu = cpu_seconds();
    result_.during = cli::load_span::between(begin, turn);
    auto end = std::max(begin.when + settings_.duration, turn.when + settings_.duration / 2);
    const bool was_convicted = convicted_at_.has_value();
    if (auto done = pass_until(end, [&] { return convicted_at_.has_value() != was_convicted; }); !done) return done;
    if (convicted_at_.has_value() != was_convicted) {
      // The players were convicted during the measurement, so the measurement starts again.
      turn = cluster_->mark();
      cpu = cpu_seconds();
      result_.during = cli::load_span::between(begin, turn);
      end = turn.when + settings_.duration / 2;
      if (auto done = pass_until(end); !done) return done;
    }
    result_.after = cli::load_span::between(turn, cluster_->mark());
    result_.cpu_us_after = cost_of(result_.after, cpu);
    for (const auto& [name, value] : counters_) {
      const auto known = counters_before_.contains(name) ? counters_before_[name] : 0;
      if (value > known) result_.noticed[name] = value - known;
    }
    result_.longest_gap_seconds = cluster_->increments().longest_gap();
    result_.views_changed = last_view_ - std::min(view_before_, last_view_);
    if (convicted_at_) {
      result_.convicted_after_seconds = std::chrono::duration<double>(*convicted_at_ - began_).count();
    }
    return {};
  }

  void tell_players() {
    if (client_ != nullptr) return client_->send(SIGUSR1);
    for (const auto number : result_.players)
      cluster_->processes().send(number, SIGUSR1);
  }

  /// Creates the situation that the strategy needs.
  outcome bring_about_occasion() {
    if (is_about_views(occasion_)) {
      suspended_ = cluster_->primary_of(view_number{last_view_}).value;
      cluster_->processes().send(*suspended_, SIGSTOP);
      const auto passed = pass_until(clock::now() + suspension);
      cluster_->processes().send(*suspended_, SIGCONT);
      suspended_ = std::nullopt;
      if (!passed) return passed;
      return pass_until(clock::now() + recovery);
    }
    if (is_about_state(occasion_)) {
      const auto laggard = settings_.load.replicas - 1;
      cluster_->processes().kill(laggard);
      if (auto done = pass_until(clock::now() + absence); !done) return done;
      if (auto done = cluster_->processes().restart(laggard); !done) {
        return tl::unexpected(cli::run_failure{cli::exit_code::failed, done.error()});
      }
      return pass_until(clock::now() + recovery);
    }
    return {};
  }

  /// Asks the replicas for reports repeatedly until a time, or until `reached` returns true.
  outcome pass_until(
      clock::time_point time, const std::function<bool()>& reached = [] { return false; }) {
    while (clock::now() < time && !reached()) {
      if (auto done = cluster_->wait_until(std::min(time, clock::now() + look_interval)); !done) return done;
      look();
      show_progress();
    }
    return {};
  }

  /// The processor time of all correct replicas together, in seconds.
  [[nodiscard]] double cpu_seconds() {
    const auto used = cluster_->processes().usage();
    double sum = 0;
    for (std::uint32_t number = 0; number < used.size(); ++number) {
      if (!plays(number)) sum += used[number].cpu_seconds;
    }
    return sum;
  }

  [[nodiscard]] double cost_of(const cli::load_span& span, double cpu_before) {
    return span.operations == 0 ? 0 : 1e6 * (cpu_seconds() - cpu_before) / static_cast<double>(span.operations);
  }

  [[nodiscard]] bool plays(std::uint32_t replica) const {
    return !result_.by_client && std::ranges::count(result_.players, replica) > 0;
  }

  /// Adds up the counters of all correct replicas. A replica that does not answer in time is missing in the sum.
  void count(const cli::cluster_reports& reports) {
    counters_.clear();
    for (const auto& report : reports) {
      if (!report) continue;
      for (const auto& each : report->counters) {
        if (each.name.find("_total") == std::string::npos || each.name.find("by_sender") != std::string::npos) continue;
        counters_[each.name] += each.value;
      }
    }
  }

  void look() {
    const auto reports = cluster_->look(look_patience);
    count(reports);
    last_view_ = std::max(last_view_, cluster_->view_in(reports).value);
    if (!convicted_at_ && began_ != clock::time_point{} && have_convicted_players(reports)) {
      convicted_at_ = clock::now();
    }
    for (std::uint32_t number = 0; number < settings_.load.replicas; ++number) {
      if (plays(number) || std::ranges::count(result_.convicted_wrongly, number) > 0) continue;
      if (is_convicted(reports, number)) result_.convicted_wrongly.push_back(number);
    }
  }

  /// Whether f + 1 reporting replicas show the counter. At least one of them is correct.
  [[nodiscard]] bool know(const cli::cluster_reports& reports, const std::string& counter) const {
    const auto knowing =
        std::ranges::count_if(reports, [&](const auto& each) { return each && cli::counter_of(*each, counter) > 0; });
    return static_cast<std::size_t>(knowing) >= group_size{settings_.load.replicas}.weak_quorum();
  }

  [[nodiscard]] bool is_convicted(const cli::cluster_reports& reports, std::uint32_t replica) const {
    return know(reports, fmt::format("convictions{{replica=\"{}\"}}", replica));
  }

  [[nodiscard]] bool have_convicted_players(const cli::cluster_reports& reports) const {
    if (result_.by_client) return know(reports, "convictions_total");
    return std::ranges::all_of(result_.players, [&](std::uint32_t number) { return is_convicted(reports, number); });
  }

  void show_progress() {
    const auto total = settings_.warm_up + settings_.baseline + settings_.duration;
    const auto done = static_cast<std::size_t>(1'000 * cluster_->seconds());
    narrator_->progress(std::min(done, static_cast<std::size_t>(total.count())),
                        static_cast<std::size_t>(total.count()));
  }

  siege_settings settings_;
  cli::run_narrator* narrator_;
  silent_narrator silent_;
  strategy_occasion occasion_;
  siege_result result_;
  std::optional<cli::cluster_under_load> cluster_;
  /// Must be destroyed before the cluster.
  std::unique_ptr<cli::child_process> client_;
  clock::time_point began_;
  std::optional<clock::time_point> convicted_at_;
  std::optional<std::uint32_t> suspended_;
  std::map<std::string, std::uint64_t> counters_;
  std::map<std::string, std::uint64_t> counters_before_;
  std::uint64_t last_view_ = 0;
  std::uint64_t view_before_ = 0;
};

}  // namespace

cli::or_run_failure<siege_result> run_siege(const siege_settings& settings, cli::interruption& stop,
                                            cli::run_narrator& narrator) {
  return siege_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::lab
