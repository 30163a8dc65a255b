#include "tools/hypermesh/bench/bench_session.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/steady_moment.hpp"
#include "tools/hypermesh/bench/load_fleet.hpp"
#include "tools/hypermesh/local_cluster/temporary_directory.hpp"

namespace hypermesh::cli {

namespace {

using base::steady_moment;

/// From the last message to the load processes until the load begins.
constexpr duration begin_delay = 50ms;
constexpr std::chrono::milliseconds look_interval{20};
/// The first rate of a search that has no hint.
constexpr double first_rate_min = 100;

const tl::unexpected interrupted{run_failure{exit_code::interrupted, {"interrupted", ""}}};

double seconds_of(duration time) { return static_cast<double>(time.count()) / 1e6; }

/// The whole machine at one moment.
struct machine_sample {
  target_sample target;
  std::optional<duration> busy;
  duration loads{};
  duration own{};
};

bench_use use_between(const machine_sample& before, const machine_sample& after, const target_facts& facts) {
  bench_use use;
  use.seconds = seconds_of(after.target.when - before.target.when);
  use.loads_s = seconds_of(after.loads - before.loads);
  use.own_s = seconds_of(after.own - before.own);
  for (std::size_t replica = 0; replica < after.target.processor.size(); ++replica)
    use.replicas_s.push_back(
        seconds_of(std::max(after.target.processor[replica] - before.target.processor[replica], duration{0})));
  for (std::size_t replica = 0; replica < after.target.roles.size(); ++replica) {
    for (const auto& [role, time] : difference(after.target.roles[replica], before.target.roles[replica]))
      use.roles_s[role] += seconds_of(time);
  }
  if (before.busy && after.busy && use.seconds > 0) {
    const auto ours = use.loads_s + use.own_s + (facts.is_on_this_machine ? use.replicas_total_s() : 0);
    use.others_cores = std::max((seconds_of(*after.busy - *before.busy) - ours) / use.seconds, 0.0);
  }
  replica_counts sum;
  bool is_complete = !after.target.counts.empty();
  for (std::size_t replica = 0; replica < after.target.counts.size(); ++replica) {
    const auto& now = after.target.counts[replica];
    const auto& then = before.target.counts[replica];
    is_complete = is_complete && now && then;
    if (now && then) sum.add(difference(*now, *then));
    use.resident_bytes.push_back(now ? now->resident_bytes : 0);
  }
  if (is_complete) use.counts = std::move(sum);
  return use;
}

/// Makes one bench from beginning to end.
class bench {
 public:
  bench(const bench_settings& settings, interruption& stop, run_narrator& narrator)
      : stop_(&stop), narrator_(&narrator) {
    result_.settings = settings;
  }

  or_run_failure<bench_result> run() {
    if (auto done = prepare(); !done) return failure_of(done);
    if (stop_->requested()) return interrupted;
    auto done = result_.settings.finds_knee ? find_knee() : run_load(result_.settings.load);
    if (done && result_.settings.overload_factor > 0) done = overload();
    if (!done) return failure_of(done);
    return std::move(result_);
  }

 private:
  or_run_failure<void> prepare();
  or_run_failure<void> check_target() const;
  or_run_failure<void> run_load(const load_shape& shape);
  or_run_failure<void> find_knee();
  or_run_failure<void> overload();
  or_run_failure<void> overload_and_recover(const load_shape& during, const load_shape& after);
  or_run_failure<std::unique_ptr<load_fleet>> start_fleet(const load_shape& shape);
  or_run_failure<void> wait_until(moment when, load_fleet& fleet);
  machine_sample sample(const load_fleet& fleet);

  interruption* stop_;
  run_narrator* narrator_;
  bench_result result_;
  std::size_t fleets_ = 0;
  std::unique_ptr<bench_target> target_;
  std::unique_ptr<temporary_directory> exchange_;
};

or_run_failure<void> bench::check_target() const {
  const auto& facts = result_.target;
  const auto& load = result_.settings.load;
  if (facts.machine != load.machine) {
    return tl::unexpected(run_failure{
        exit_code::usage,
        {fmt::format("the cluster has the machine '{}', and the load is for '{}'", facts.machine, load.machine),
         is_bench_machine(facts.machine) ? fmt::format("add --machine {}", facts.machine)
                                         : fmt::format("use a cluster with one of the machines {}", bench_machines)}});
  }
  const auto needed = load.first_client + result_.settings.clients();
  if (needed > facts.clients) {
    return tl::unexpected(
        run_failure{exit_code::usage,
                    {fmt::format("the cluster has {} client identities, and the load needs {}", facts.clients, needed),
                     fmt::format("use --clients {}, or make a cluster with more: hypermesh init --clients",
                                 std::max(facts.clients * load.clients / needed, 1U))}});
  }
  return {};
}

or_run_failure<void> bench::prepare() {
  const auto& settings = result_.settings;
  const auto before = steady_moment();
  result_.crypto = measure_crypto();
  narrator_->step("the cryptography of this machine is measured", seconds_of(steady_moment() - before));
  if (settings.cluster.empty()) {
    auto target = start_own_cluster(
        {settings.load.machine, settings.replicas, settings.clients(),
         protocol::request_authentication_of(settings.request_authentication).value(), settings.durability},
        *narrator_);
    if (!target) return failure_of(target);
    target_ = std::move(*target);
  } else {
    // An identity that the load does not use, if there is one.
    auto target = join_cluster(settings.cluster, 0);
    if (!target) return failure_of(target);
    target_ = std::move(*target);
  }
  result_.target = target_->facts();
  result_.environment = read_environment(target_->data_folder());
  auto folder = temporary_directory::make();
  if (!folder) return tl::unexpected(run_failure{exit_code::failed, folder.error()});
  exchange_ = std::move(*folder);
  return check_target();
}

machine_sample bench::sample(const load_fleet& fleet) {
  machine_sample now;
  now.busy = busy_time_now();
  for (const auto id : fleet.process_ids())
    now.loads += processor_time_of(id).value_or(duration{0});
  now.own = processor_time_of(getpid()).value_or(duration{0});
  now.target = target_->sample(*stop_);
  return now;
}

or_run_failure<void> bench::wait_until(moment when, load_fleet& fleet) {
  while (steady_moment() < when) {
    if (auto done = target_->check_health(); !done) return tl::unexpected(run_failure{exit_code::failed, done.error()});
    if (auto done = fleet.check_health(); !done) return done;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(when - steady_moment());
    if (stop_->wait(std::clamp(left, std::chrono::milliseconds{0}, look_interval))) return interrupted;
  }
  return {};
}

or_run_failure<std::unique_ptr<load_fleet>> bench::start_fleet(const load_shape& shape) {
  const auto folder = exchange_->path() / fmt::format("run-{}", fleets_++);
  std::error_code failed;
  std::filesystem::create_directory(folder, failed);
  if (failed) {
    return tl::unexpected(run_failure{
        exit_code::failed,
        {fmt::format("cannot make {}: {}", folder.string(), failed.message()), "check free space in TMPDIR"}});
  }
  return load_fleet::start(divided(shape, result_.settings.processes), result_.target.root, folder, *stop_);
}

or_run_failure<void> bench::run_load(const load_shape& shape) {
  auto fleet = start_fleet(shape);
  if (!fleet) return failure_of(fleet);
  const auto begin = steady_moment() + begin_delay;
  if (auto done = (*fleet)->begin(begin); !done) return done;
  if (auto done = wait_until(begin + shape.warm_up, **fleet); !done) return done;
  const auto before = sample(**fleet);
  if (auto done = wait_until(begin + shape.warm_up + shape.measured, **fleet); !done) return done;
  const auto after = sample(**fleet);
  auto seen = (*fleet)->finish(*stop_);
  if (!seen) return failure_of(seen);
  bench_run run{shape, std::move(*seen), use_between(before, after, result_.target)};
  const auto rate = run.rate();
  const auto p99 = static_cast<double>(run.result.latency.percentile(0.99)) / 1e6;
  const auto offered = shape.is_open() ? fmt::format("{:.0f} offered, ", shape.rate) : std::string{};
  narrator_->step(fmt::format("{}{:.0f} op/s, p99 {}", offered, rate, short_duration(p99)),
                  seconds_of(steady_moment() - begin));
  result_.runs.push_back(std::move(run));
  return {};
}

or_run_failure<void> bench::find_knee() {
  // Without load: one operation at a time.
  auto alone = result_.settings.load;
  alone.rate = 0;
  alone.in_flight = 1;
  if (auto done = run_load(alone); !done) return done;
  if (result_.runs.front().result.latency.count() == 0) {
    return tl::unexpected(run_failure{exit_code::no_quorum,
                                      {"no operation was answered without load",
                                       "check the replicas: hypermesh status; or use a longer --duration"}});
  }
  const auto median = std::max<std::uint64_t>(result_.runs.front().result.latency.percentile(0.5), 1);
  const auto& settings = result_.settings;
  knee_bound bound;
  bound.p99_us_max =
      settings.p99_max > duration{0} ? static_cast<std::uint64_t>(settings.p99_max.count()) : 10 * median;
  const auto hint =
      settings.load.is_open() ? settings.load.rate : std::max(2 * result_.runs.front().rate(), first_rate_min);
  result_.search.emplace(hint, bound);
  while (const auto rate = result_.search->next()) {
    auto shape = settings.load;
    shape.rate = *rate;
    if (auto done = run_load(shape); !done) return done;
    const auto& run = result_.runs.back();
    // The seed decides how many operations were intended, so the rate that was offered differs a little from the wanted
    // one.
    const auto offered = static_cast<double>(run.result.intended) / seconds_of(shape.measured);
    result_.search->note({offered, run.rate(), run.result.latency.percentile(0.5), run.result.latency.percentile(0.99),
                          run.result.failed(), seconds_of(shape.measured)});
  }
  return {};
}

or_run_failure<void> bench::overload() {
  const auto& settings = result_.settings;
  const auto knee = result_.search->knee();
  if (!knee) {
    return tl::unexpected(run_failure{exit_code::failed,
                                      {"there is no overload without a knee: the search found no rate that is carried",
                                       "give a bound that the cluster can keep with --p99-max"}});
  }
  auto& verdict = result_.overload.emplace();
  verdict.knee = knee->offered;
  verdict.factor = settings.overload_factor;
  verdict.seconds = seconds_of(settings.overload_time);
  auto after = settings.load;
  after.rate = knee->offered / 2;
  if (auto done = run_load(after); !done) return done;
  verdict.p99_before_us = result_.runs.back().result.latency.percentile(0.99);
  auto during = settings.load;
  during.rate = settings.overload_factor * knee->offered;
  during.warm_up = duration{0};
  during.measured = settings.overload_time;
  during.deadline = overload_verdict::deadline;
  after.warm_up = duration{0};
  after.first_client += after.clients;
  return overload_and_recover(during, after);
}

/// The load after the overload is ready before the overload begins, because the start of its processes would need the
/// processor that the cluster lacks then.
or_run_failure<void> bench::overload_and_recover(const load_shape& during, const load_shape& after) {
  auto heavy = start_fleet(during);
  if (!heavy) return failure_of(heavy);
  auto light = start_fleet(after);
  if (!light) return failure_of(light);
  const auto begin = steady_moment() + begin_delay;
  const auto again = begin + during.measured + overload_verdict::pause;
  if (auto done = (*heavy)->begin(begin); !done) return done;
  if (auto done = (*light)->begin(again); !done) return done;
  const auto first = sample(**heavy);
  if (auto done = wait_until(begin + during.measured, **heavy); !done) return done;
  const auto second = sample(**heavy);
  if (auto done = wait_until(again, **light); !done) return done;
  const auto third = sample(**light);
  if (auto done = wait_until(again + after.measured, **light); !done) return done;
  const auto last = sample(**light);
  auto seen = (*heavy)->finish(*stop_);
  if (!seen) return failure_of(seen);
  auto seen_after = (*light)->finish(*stop_);
  if (!seen_after) return failure_of(seen_after);
  auto& verdict = *result_.overload;
  note_overload(*seen, verdict);
  verdict.p99_after_us = seen_after->latency.percentile(0.99);
  verdict.failed_after = seen_after->failed();
  if (const auto whole = use_between(first, last, result_.target); whole.counts)
    verdict.views_entered = whole.counts->views_entered;
  result_.runs.push_back({during, std::move(*seen), use_between(first, second, result_.target)});
  result_.runs.push_back({after, std::move(*seen_after), use_between(third, last, result_.target)});
  narrator_->step(fmt::format("{:.0f} op/s offered, then {:.0f}", during.rate, after.rate),
                  seconds_of(steady_moment() - begin));
  return {};
}

}  // namespace

double bench_use::replicas_total_s() const {
  double sum = 0;
  for (const auto each : replicas_s)
    sum += each;
  return sum;
}

double bench_run::rate() const {
  return static_cast<double>(result.answered_in_time) / seconds_of(std::max(shape.measured, duration{1}));
}

or_run_failure<bench_result> run_bench(const bench_settings& settings, interruption& stop, run_narrator& narrator) {
  std::vector<cost_sample> samples;
  if (settings.predicts) {
    for (const auto& each : calibration_runs()) {
      const auto measured = bench{each, stop, narrator}.run();
      if (!measured) return failure_of(measured);
      if (const auto sample = sample_of(*measured)) samples.push_back(*sample);
    }
  }
  auto result = bench{settings, stop, narrator}.run();
  if (result && settings.predicts) result->prediction = prediction_of(*result, std::move(samples));
  return result;
}

}  // namespace hypermesh::cli
