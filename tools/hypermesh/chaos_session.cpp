#include "tools/hypermesh/chaos_session.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t counters = 16;
constexpr std::chrono::milliseconds report_patience{2'000};
/// How long all replicas may take to be level again after the last kill.
constexpr std::chrono::seconds agreement_patience{60};

std::string key_of(std::size_t counter) { return fmt::format("counter-{}", counter); }

double seconds_between(clock::time_point from, clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// Keeps increments under way from its callbacks, and remembers what each of them gave.
class increment_load : public std::enable_shared_from_this<increment_load> {
 public:
  explicit increment_load(consensus_client& client) : client_(&client), sums_(counters), failed_(counters) {}

  void begin(std::size_t in_flight) {
    for (std::size_t index = 0; index < in_flight; ++index)
      submit(index % counters);
  }

  /// Submits nothing more.
  void halt() { ending_ = true; }

  /// The same, and waits for what is under way; false when the interruption came first.
  bool end(interruption& stop) {
    halt();
    while (under_way_.load() > 0) {
      if (stop.wait(std::chrono::milliseconds{20})) return false;
    }
    return true;
  }

  [[nodiscard]] std::uint64_t answered() const { return answered_.load(); }

  [[nodiscard]] double longest_gap(clock::time_point from, clock::time_point to) {
    const std::scoped_lock lock{guard_};
    auto last = from;
    clock::duration longest{0};
    for (auto each = std::ranges::lower_bound(answers_, from); each != answers_.end() && *each < to; ++each) {
      longest = std::max(longest, *each - last);
      last = *each;
    }
    return std::chrono::duration<double>(std::max(longest, to - last)).count();
  }

  [[nodiscard]] counter_check check(std::size_t counter, std::int64_t final_value) {
    const std::scoped_lock lock{guard_};
    const std::set<std::int64_t> distinct{sums_[counter].begin(), sums_[counter].end()};
    return {sums_[counter].size(), failed_[counter], final_value, sums_[counter].size() - distinct.size()};
  }

 private:
  void submit(std::size_t counter) {
    ++under_way_;
    const auto key = key_of(counter);
    client_->submit(key_value::encode(key_value::increment{as_byte_span(key), 1}),
                    [load = shared_from_this(), counter](const submit_outcome& outcome) {
                      load->note(counter, outcome);
                    });
  }

  void note(std::size_t counter, const submit_outcome& outcome) {
    {
      const std::scoped_lock lock{guard_};
      const auto* result = std::get_if<operation_result>(&outcome);
      const auto sum = result == nullptr ? std::nullopt : key_value::parse_number(as_text(result->payload));
      if (sum && result->status == operation_status::applied) {
        sums_[counter].push_back(*sum);
        answers_.push_back(clock::now());
      } else {
        ++failed_[counter];
      }
    }
    ++answered_;
    if (!ending_) submit(counter);
    --under_way_;
  }

  consensus_client* client_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::size_t> under_way_ = 0;
  std::atomic<std::uint64_t> answered_ = 0;
  std::mutex guard_;
  std::vector<clock::time_point> answers_;
  std::vector<std::vector<std::int64_t>> sums_;
  std::vector<std::uint64_t> failed_;
};

const replay_failure interrupted{exit_code::interrupted, {"interrupted", ""}};

/// One run from beginning to end; the members are made in this order and go in the other.
class chaos_run {
 public:
  chaos_run(const chaos_settings& settings, interruption& stop, replay_narrator& narrator)
      : stop_(&stop), narrator_(&narrator) {
    result_.settings = settings;
  }

  ~chaos_run() {
    if (load_ != nullptr) load_->halt();
  }
  chaos_run(const chaos_run&) = delete;
  chaos_run& operator=(const chaos_run&) = delete;

  std::variant<chaos_result, replay_failure> run() {
    if (auto failed = start()) return *failed;
    load_ = std::make_shared<increment_load>(session_->client());
    begun_ = clock::now();
    load_->begin(result_.settings.in_flight);
    if (auto failed = kill_again_and_again()) return *failed;
    if (!load_->end(*stop_)) return interrupted;
    result_.elapsed_seconds = seconds_between(begun_, clock::now());
    if (auto failed = compare()) return *failed;
    if (auto failed = check_counters()) return *failed;
    session_.reset();
    return std::move(result_);
  }

 private:
  std::optional<replay_failure> start() {
    cluster_plan plan;
    plan.name = "chaos";
    plan.state_machine = "key-value";
    plan.replicas = result_.settings.replicas;
    plan.clients = 1;
    auto prepared = local_cluster::prepare(plan);
    if (auto* error = std::get_if<world_error>(&prepared)) return replay_failure{exit_code::failed, *error};
    cluster_ = std::move(std::get<std::unique_ptr<local_cluster>>(prepared));
    const auto before = clock::now();
    if (auto error = cluster_->start()) return replay_failure{exit_code::failed, *error};
    narrator_->step(fmt::format("{} replica processes listen", plan.replicas), seconds_between(before, clock::now()));
    client_options options;
    options.cluster = cluster_->layout().root.string();
    auto config = read_client_of(options);
    if (auto* error = std::get_if<world_error>(&config)) return replay_failure{exit_code::usage, *error};
    client_settings settings;
    settings.requests_in_flight_max =
        std::clamp<std::size_t>(result_.settings.in_flight, 1, limits::requests_in_flight_max / 2);
    settings.deadline_us = 120'000'000;
    auto opened = cluster_session::open(std::move(std::get<client_config>(config)), settings);
    if (auto* error = std::get_if<world_error>(&opened)) return replay_failure{exit_code::usage, *error};
    session_ = std::move(std::get<std::unique_ptr<cluster_session>>(opened));
    return std::nullopt;
  }

  /// Waits until `time`; a failure when something ended that was not killed, or the user wants no more.
  std::optional<replay_failure> wait_until(clock::time_point time) {
    while (clock::now() < time) {
      const auto done = static_cast<std::size_t>(1'000 * seconds_between(begun_, clock::now()));
      narrator_->progress(done, static_cast<std::size_t>(result_.settings.duration.count()));
      if (auto lost = cluster_->loss()) return replay_failure{exit_code::failed, *lost};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(time - clock::now());
      if (stop_->wait(std::clamp(left, std::chrono::milliseconds{1}, std::chrono::milliseconds{100}))) return interrupted;
    }
    return std::nullopt;
  }

  std::optional<replay_failure> kill_again_and_again() {
    const auto end = begun_ + result_.settings.duration;
    for (auto next = begun_ + result_.settings.every; next < end; next += result_.settings.every) {
      if (auto failed = wait_until(next)) return failed;
      if (auto failed = kill_once(std::min(next + result_.settings.every, end))) return failed;
    }
    return wait_until(end);
  }

  std::optional<replay_failure> kill_once(clock::time_point window_end) {
    const auto reports = collect_reports(session_->client(), result_.settings.replicas, report_patience,
                                         [this] { return !stop_->requested(); });
    chaos_kill kill;
    kill.view = current_view(reports, session_->cluster().parameters());
    const auto primary = session_->cluster().parameters().group().primary_of(kill.view);
    for (std::uint32_t number = 0; number < result_.settings.replicas; ++number) {
      if (result_.settings.victims == chaos_victims::all || number == primary.value) kill.victims.push_back(number);
    }
    const auto killed_at = clock::now();
    kill.at_seconds = seconds_between(begun_, killed_at);
    for (const auto each : kill.victims)
      cluster_->kill(each);
    if (auto failed = wait_until(killed_at + result_.settings.away)) return failed;
    for (const auto each : kill.victims) {
      if (auto error = cluster_->restart(each)) return replay_failure{exit_code::failed, *error};
    }
    if (auto failed = wait_until(window_end)) return failed;
    kill.gap_seconds = load_->longest_gap(killed_at, clock::now());
    narrator_->step(fmt::format("killed {} in view {}; {} answers so far",
                                result_.settings.victims == chaos_victims::all ? std::string{"all replicas"}
                                                                               : fmt::format("primary {}", primary.value),
                                kill.view.value, load_->answered()),
                    kill.gap_seconds);
    result_.kills.push_back(std::move(kill));
    return std::nullopt;
  }

  /// Waits until all replicas are level.
  std::optional<replay_failure> compare() {
    const auto deadline = clock::now() + agreement_patience;
    do {
      result_.reports = collect_reports(session_->client(), result_.settings.replicas, report_patience,
                                        [this] { return !stop_->requested(); });
      result_.roots_are_equal = reachable_count(result_.reports) == result_.settings.replicas &&
                                are_level(result_.reports) && !have_diverged(result_.reports);
      if (result_.roots_are_equal) return std::nullopt;
      if (stop_->wait(std::chrono::milliseconds{100})) return interrupted;
    } while (clock::now() < deadline);
    return std::nullopt;
  }

  std::optional<replay_failure> check_counters() {
    for (std::size_t counter = 0; counter < counters; ++counter) {
      const auto key = key_of(counter);
      auto answer = session_->client().submit(key_value::encode(key_value::get{as_byte_span(key)}));
      const auto outcome = answer.get();
      if (const auto* error = std::get_if<client_error>(&outcome)) {
        return replay_failure{exit_code_of(*error), explain(*error)};
      }
      const auto value = key_value::found_value(std::get<operation_result>(outcome));
      const auto number = value ? key_value::parse_number(as_text(*value)) : std::optional<std::int64_t>{0};
      const auto checked = load_->check(counter, number.value_or(-1));
      result_.acknowledged += checked.acknowledged;
      result_.failed += checked.failed;
      const auto held = static_cast<std::uint64_t>(std::max<std::int64_t>(checked.final_value, 0));
      result_.lost += checked.repeated_sums;
      if (held < checked.acknowledged) result_.lost += checked.acknowledged - held;
      // An increment that failed may still have been executed, once.
      if (held > checked.acknowledged + checked.failed) result_.doubled += held - checked.acknowledged - checked.failed;
    }
    return std::nullopt;
  }

  interruption* stop_;
  replay_narrator* narrator_;
  chaos_result result_;
  std::unique_ptr<local_cluster> cluster_;
  std::unique_ptr<cluster_session> session_;
  std::shared_ptr<increment_load> load_;
  clock::time_point begun_;
};

}  // namespace

std::optional<double> chaos_result::median_gap_seconds() const {
  if (kills.empty()) return std::nullopt;
  std::vector<double> gaps;
  for (const auto& each : kills)
    gaps.push_back(each.gap_seconds);
  std::ranges::sort(gaps);
  const auto middle = gaps.size() / 2;
  return gaps.size() % 2 == 1 ? gaps[middle] : (gaps[middle - 1] + gaps[middle]) / 2;
}

std::variant<chaos_result, replay_failure> run_chaos(const chaos_settings& settings, interruption& stop,
                                                     replay_narrator& narrator) {
  return chaos_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
