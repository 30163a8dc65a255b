#include "tools/hypermesh/load/cluster_under_load.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::chrono::milliseconds report_patience{2'000};
constexpr std::chrono::milliseconds wait_interval{10};
/// The longest time after the end of the load until all replicas have executed the same number of batches.
constexpr std::chrono::seconds agreement_patience{60};
/// An operation without an answer after this time has failed.
constexpr std::chrono::seconds answer_patience{120};

constexpr std::size_t filler_bytes = std::size_t{64} * 1024;
constexpr std::size_t fillers_in_flight = 16;

const tl::unexpected interrupted{run_failure{exit_code::interrupted, {"interrupted", ""}}};

double seconds_between(cluster_under_load::clock::time_point from, cluster_under_load::clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

load_span load_span::between(const load_mark& from, const load_mark& to) {
  return {seconds_between(from.when, to.when), to.answered - from.answered};
}

cluster_under_load::cluster_under_load(const load_settings& settings, interruption& stop, run_narrator& narrator)
    : settings_(settings), stop_(&stop), narrator_(&narrator) {
  for (const auto& [number, program] : settings_.others)
    distrusted_.insert(number);
}

cluster_under_load::~cluster_under_load() {
  if (load_ != nullptr) load_->halt();
}

cluster_under_load::outcome cluster_under_load::start() {
  if (auto done = start_processes(); !done) return done;
  if (auto done = open_client(0, session_); !done) return done;
  if (auto done = fill_state(); !done) return done;
  if (settings_.make_load) {
    load_ = settings_.make_load(session_->client());
  } else {
    increments_ = std::make_shared<increment_load>(session_->client());
    increments_->expect_milestones(settings_.milestones);
    load_ = increments_;
  }
  begun_ = clock::now();
  load_->begin(settings_.in_flight);
  return {};
}

cluster_under_load::outcome cluster_under_load::start_processes() {
  cluster_plan plan;
  plan.name = "chaos";
  plan.state_machine = settings_.state_machine;
  plan.replicas = settings_.replicas;
  plan.clients = settings_.clients;
  plan.checkpoint_period = settings_.checkpoint_period;
  plan.requests_by = settings_.requests_by;
  auto prepared = local_cluster::prepare(plan);
  if (!prepared) return tl::unexpected(run_failure{exit_code::failed, prepared.error()});
  processes_ = std::move(*prepared);
  if (settings_.traced_batches > 0) {
    if (auto done = processes_->keep_traces(settings_.traced_batches); !done)
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
  }
  for (std::uint32_t number = 0; number < settings_.replicas; ++number) {
    const auto other = settings_.others.find(number);
    processes_->run_with(number, other == settings_.others.end() ? settings_.program : other->second);
  }
  if (settings_.before_start) {
    if (auto done = settings_.before_start(*processes_); !done)
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
  }
  const auto before = clock::now();
  if (auto done = processes_->start(); !done) return tl::unexpected(run_failure{exit_code::failed, done.error()});
  narrator_->step(fmt::format("{} replica processes are listening", plan.replicas),
                  seconds_between(before, clock::now()));
  return {};
}

cluster_under_load::outcome cluster_under_load::open_client(std::uint32_t number,
                                                            std::unique_ptr<cluster_session>& into) {
  client_options options;
  options.cluster = processes_->layout().root.string();
  options.client = number;
  auto config = read_client_of(options);
  if (!config) return tl::unexpected(run_failure{exit_code::usage, config.error()});
  client_settings settings;
  settings.bundle_operations_max = settings_.bundle;
  settings.requests_in_flight_max = std::clamp<std::size_t>(
      (settings_.in_flight + settings_.bundle - 1) / settings_.bundle, 1, limits::requests_in_flight_max / 2);
  settings.deadline = answer_patience;
  auto opened = cluster_session::open(std::move(*config), settings);
  if (!opened) return tl::unexpected(run_failure{exit_code::usage, opened.error()});
  into = std::move(*opened);
  return {};
}

cluster_under_load::outcome cluster_under_load::open_observer() { return open_client(1, observer_); }

cluster_under_load::outcome cluster_under_load::fill_state() {
  if (settings_.state_mib == 0) return {};
  const auto before = clock::now();
  if (auto done = write_fillers(); !done) return done;
  if (auto done = pass_checkpoints(); !done) return done;
  narrator_->step(fmt::format("the state holds {} MiB", settings_.state_mib), seconds_between(before, clock::now()));
  const auto restarted = clock::now();
  if (auto done = start_anew(); !done) return done;
  narrator_->step("all replicas restarted with this state", seconds_between(restarted, clock::now()));
  return {};
}

cluster_under_load::outcome cluster_under_load::await(std::future<submit_outcome>& answer) {
  while (answer.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready) {
    if (auto done = processes_->check_replicas(); !done)
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
    if (stop_->requested()) return interrupted;
  }
  const auto result = answer.get();
  const auto* error = std::get_if<client_error>(&result);
  if (error != nullptr) return tl::unexpected(run_failure{exit_code_of(*error), explain(*error)});
  return {};
}

cluster_under_load::outcome cluster_under_load::write_fillers() {
  const auto total = std::size_t{settings_.state_mib} * 1024 * 1024 / filler_bytes;
  const byte_vector value(filler_bytes, std::byte{0x5a});
  std::deque<std::future<submit_outcome>> under_way;
  for (std::size_t next = 0; next < total || !under_way.empty();) {
    while (next < total && under_way.size() < fillers_in_flight) {
      const auto key = fmt::format("filler-{}", next++);
      under_way.push_back(session_->client().submit(key_value::encode(key_value::put{as_byte_span(key), value})));
    }
    if (auto done = await(under_way.front()); !done) return done;
    under_way.pop_front();
  }
  return {};
}

cluster_under_load::outcome cluster_under_load::pass_checkpoints() {
  // The operations are submitted one after another, so each operation is in a separate batch.
  for (std::uint64_t count = 0; count < 2 * processes_->content().checkpoint_period; ++count) {
    auto answer = session_->client().submit(increment_load::reading_of(0));
    if (auto done = await(answer); !done) return done;
  }
  return {};
}

cluster_under_load::outcome cluster_under_load::start_anew() {
  for (std::uint32_t number = 0; number < settings_.replicas; ++number)
    processes_->kill(number);
  for (std::uint32_t number = 0; number < settings_.replicas; ++number) {
    if (auto done = processes_->restart(number); !done)
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
  }
  auto answer = session_->client().submit(increment_load::reading_of(0));
  return await(answer);
}

increment_load& cluster_under_load::increments() {
  require(increments_ != nullptr, "the load increments counters");
  return *increments_;
}

double cluster_under_load::seconds() const { return seconds_between(begun_, clock::now()); }

cluster_reports cluster_under_load::look(std::chrono::milliseconds patience) {
  return collect_reports(
      observer(), settings_.replicas, patience, [this] { return !stop_->requested(); }, distrusted_);
}

view_number cluster_under_load::view_in(const cluster_reports& reports) const {
  return current_view(reports, session_->cluster().parameters());
}

replica_id cluster_under_load::primary_of(view_number view) const {
  return session_->cluster().parameters().group().primary_of(view);
}

cluster_under_load::outcome cluster_under_load::check_health() {
  if (auto done = processes_->check_replicas(); !done)
    return tl::unexpected(run_failure{exit_code::failed, done.error()});
  if (load_->under_way() > 0 && clock::now() > load_->last_answer() + answer_patience) {
    return tl::unexpected(
        run_failure{exit_code::no_quorum,
                    {fmt::format("the cluster answered no operation for {} s", answer_patience.count()),
                     "run the command again with less load on this machine; if the error returns, report it"}});
  }
  return {};
}

cluster_under_load::outcome cluster_under_load::wait_until(const std::function<bool()>& reached) {
  while (!reached()) {
    if (auto done = check_health(); !done) return done;
    if (stop_->wait(wait_interval)) return interrupted;
  }
  return {};
}

cluster_under_load::outcome cluster_under_load::wait_until(clock::time_point time) {
  return wait_until([time] { return clock::now() >= time; });
}

or_run_failure<load_verdict> cluster_under_load::finish() {
  load_verdict verdict;
  if (auto done = end_load(); !done) return failure_of(done);
  verdict.elapsed_seconds = seconds();
  if (auto done = compare(verdict); !done) return failure_of(done);
  const auto findings = load_->judge(session_->client());
  if (!findings) return failure_of(findings);
  static_cast<load_findings&>(verdict) = *findings;
  return verdict;
}

cluster_under_load::outcome cluster_under_load::end_load() {
  load_->halt();
  return wait_until([this] { return load_->under_way() == 0; });
}

cluster_under_load::outcome cluster_under_load::compare(load_verdict& into) {
  const auto deadline = clock::now() + agreement_patience;
  do {
    into.reports = look(report_patience);
    into.roots_are_equal = reachable_count(into.reports) == settings_.replicas - distrusted_.size() &&
                           are_level(into.reports) && !have_diverged(into.reports);
    if (into.roots_are_equal) return {};
    if (stop_->wait(std::chrono::milliseconds{100})) return interrupted;
  } while (clock::now() < deadline);
  return {};
}

}  // namespace hypermesh::cli
