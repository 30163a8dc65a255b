#include "tools/hypermesh/runs/replay_session.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tools/hypermesh/client/trace_collection.hpp"
#include "tools/hypermesh/runs/primary_killer.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

/// The longest time until the slowest replica has executed everything that the others have executed.
constexpr std::chrono::seconds agreement_patience{20};
constexpr std::chrono::milliseconds report_patience{2'000};
constexpr std::size_t bundle_default = 64;
/// The batches that each replica traces, which fit into one answer of its HTTP server.
constexpr std::uint32_t traced_batches = 1'024;
constexpr duration trace_patience = 10s;

double seconds_between(clock::time_point from, clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

double seconds_since(clock::time_point from) { return seconds_between(from, clock::now()); }

const tl::unexpected interrupted{run_failure{exit_code::interrupted, {"interrupted", ""}}};

/// One replay from beginning to end. Members are constructed in this order and destroyed in reverse order.
class replay {
 public:
  replay(const replay_settings& settings, interruption& stop, run_narrator& narrator)
      : stop_(&stop), narrator_(&narrator) {
    result_.settings = settings;
  }

  or_run_failure<replay_result> run() {
    if (auto done = load(); !done) return failure_of(done);
    if (own()) {
      if (auto done = start_cluster(); !done) return failure_of(done);
    }
    if (auto done = connect(); !done) return failure_of(done);
    if (auto done = submit(); !done) return failure_of(done);
    if (auto done = compare(); !done) return failure_of(done);
    if (auto done = gather_counters(); !done) return failure_of(done);
    if (auto done = collect_traces(); !done) return failure_of(done);
    session_.reset();
    if (auto done = finish(); !done) return failure_of(done);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool own() const { return result_.settings.has_own_cluster(); }

  or_run_failure<void> load() {
    const auto begun = clock::now();
    auto loaded = load_workload(result_.settings.source);
    if (!loaded) return tl::unexpected(run_failure{exit_code::usage, loaded.error()});
    result_.work = std::move(*loaded);
    for (const auto& each : result_.work.events)
      operations_.emplace_back(each.operation);
    narrator_->step(fmt::format("{}: {}", result_.work.made_up ? "synthetic workload" : "cluster trace",
                                result_.work.description()),
                    seconds_since(begun));
    return {};
  }

  or_run_failure<void> start_cluster() {
    auto begun = clock::now();
    cluster_plan plan;
    plan.name = "local";
    plan.state_machine = "scheduler";
    plan.replicas = result_.settings.replicas;
    plan.clients = 1;
    auto prepared = local_cluster::prepare(plan);
    if (!prepared) return tl::unexpected(run_failure{exit_code::failed, prepared.error()});
    cluster_ = std::move(*prepared);
    for (std::uint32_t number = 0; number < plan.replicas; ++number)
      cluster_->run_with(number, result_.settings.program);
    if (!result_.settings.trace_file.empty()) {
      if (auto done = cluster_->keep_traces(traced_batches); !done)
        return tl::unexpected(run_failure{exit_code::failed, done.error()});
    }
    narrator_->step(
        fmt::format("keys and configuration of {} replicas in {}", plan.replicas, cluster_->layout().root.string()),
        seconds_since(begun));
    begun = clock::now();
    if (auto done = cluster_->start(); !done) return tl::unexpected(run_failure{exit_code::failed, done.error()});
    const auto [first, last] = std::minmax_element(cluster_->ports().begin(), cluster_->ports().end());
    narrator_->step(
        fmt::format("{} replica processes are listening on 127.0.0.1, ports {} to {}", plan.replicas, *first, *last),
        seconds_since(begun));
    return {};
  }

  or_run_failure<void> connect() {
    auto options = result_.settings.existing;
    if (cluster_) options.cluster = cluster_->layout().root.string();
    auto config = read_client_of(options);
    if (!config) return tl::unexpected(run_failure{exit_code::usage, config.error()});
    client_settings settings;
    const auto in_flight = result_.settings.operations_in_flight();
    const auto bundle = result_.settings.operations_in_bundle();
    settings.bundle_operations_max = bundle;
    settings.requests_in_flight_max =
        std::clamp<std::size_t>((in_flight + bundle - 1) / bundle, 1, limits::requests_in_flight_max);
    settings.operations_pending_max = std::max(settings.operations_pending_max, in_flight);
    settings.deadline = options.timeout();
    auto opened = cluster_session::open(std::move(*config), settings);
    if (!opened) return tl::unexpected(run_failure{exit_code::usage, opened.error()});
    session_ = std::move(*opened);
    result_.cluster = session_->cluster();
    result_.settings.replicas = static_cast<std::uint32_t>(result_.cluster.replicas.size());
    if (result_.cluster.state_machine != "scheduler") {
      return tl::unexpected(
          run_failure{exit_code::usage,
                      {fmt::format("the cluster runs the state machine '{}', but a trace needs 'scheduler'",
                                   result_.cluster.state_machine),
                       "make a cluster for the trace: hypermesh init DIRECTORY --machine scheduler"}});
    }
    return {};
  }

  or_run_failure<void> submit() {
    const auto begun = cluster_ ? cluster_->started() : clock::now();
    bool first_told = false;
    or_error<void> intact;
    auto killer = make_killer();
    const auto keep_on = [&](std::size_t answered) {
      if (answered > 0 && !first_told) {
        first_told = true;
        narrator_->step("first operation ordered and executed", seconds_since(begun));
      }
      narrator_->progress(answered, operations_.size());
      if (cluster_) intact = cluster_->check_replicas();
      if (killer && intact) intact = killer->poll();
      return intact && !stop_->requested();
    };
    const workload_settings settings{result_.settings.operations_in_flight(),
                                     std::chrono::duration<double>{result_.settings.duration_seconds}};
    auto outcome = run_workload(session_->client(), operations_, settings, keep_on);
    if (killer && intact) intact = killer->restore();
    if (!intact) return tl::unexpected(run_failure{exit_code::failed, intact.error()});
    if (outcome.cut_short) return interrupted;
    if (killer) result_.kills = killer->kills();
    judge_speed(outcome, begun);
    judge_results(outcome.outcomes);
    narrator_->step(
        fmt::format("{} operations answered by f + 1 = {} replicas each", grouped(result_.submitted - result_.failed),
                    result_.cluster.parameters().group().weak_quorum()),
        result_.elapsed_seconds);
    return {};
  }

  [[nodiscard]] std::optional<primary_killer> make_killer() {
    const auto every = result_.settings.kill_primary_every_seconds;
    if (!cluster_ || every <= 0) return std::nullopt;
    return primary_killer{*cluster_, session_->client(),
                          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>{every})};
  }

  void judge_speed(const workload_outcome& outcome, clock::time_point begun) {
    result_.submitted = outcome.outcomes.size();
    result_.latency = outcome.latency;
    result_.first_commit_seconds = seconds_between(begun, outcome.first_answer);
    result_.elapsed_seconds = seconds_between(outcome.started, outcome.last_answer);
    // The first operation waited for the links, so the rate counts the operations after it.
    const auto busy = seconds_between(outcome.first_answer, outcome.last_answer);
    if (busy > 0) result_.operations_per_second = static_cast<double>(result_.submitted - 1) / busy;
  }

  void judge_results(const std::vector<submit_outcome>& outcomes) {
    reference_run reference;
    if (own()) {
      reference = run_reference(result_.work, outcomes.size());
      result_.reference_totals = reference.totals;
    }
    auto& tally = result_.tally.emplace(result_.work.trace);
    for (std::size_t index = 0; index < outcomes.size(); ++index) {
      if (const auto* error = std::get_if<client_error>(&outcomes[index])) {
        ++result_.failed;
        if (!result_.first_failure) result_.first_failure = *error;
        continue;
      }
      const auto& given = std::get<operation_result>(outcomes[index]);
      tally.note(result_.work.events[index], given);
      if (own() && !(given == reference.results[index])) ++result_.wrong_results;
    }
  }

  /// Waits until all replicas have executed the same number of batches and have the expected state. If the time is
  /// over, it keeps their last reports.
  or_run_failure<void> compare() {
    const auto begun = clock::now();
    const auto deadline = begun + agreement_patience;
    bool told = false;
    do {
      const auto reports = collect_reports(session_->client(), result_.settings.replicas, report_patience,
                                           [this] { return !stop_->requested(); });
      if (stop_->requested()) return interrupted;
      result_.replicas.assign(result_.settings.replicas, {});
      for (std::size_t index = 0; index < reports.size(); ++index)
        result_.replicas[index].report = reports[index];
      told = result_.replicas_agree();
      if (!told && stop_->wait(std::chrono::milliseconds{50})) return interrupted;
    } while (!told && clock::now() < deadline);
    if (own()) read_totals();
    narrator_->step("the replicas' states compared", seconds_since(begun));
    return {};
  }

  void read_totals() {
    const auto outcome =
        session_->client().query(scheduler::encode(scheduler::query_summary{}), read_mode::committed).get();
    const auto* answer = std::get_if<operation_result>(&outcome);
    if (answer == nullptr || answer->status != operation_status::applied) return;
    result_.totals = scheduler::decode_summary_view(answer->payload);
    if (result_.totals) result_.totals->time = 0;
  }

  /// Reads the use of the network and of the processes. Links count independently and report to the node once a second,
  /// so the function waits for the last report of the workload. The compared states stay unchanged.
  or_run_failure<void> gather_counters() {
    if (stop_->wait(link_limits{}.report_interval + std::chrono::milliseconds{50})) return interrupted;
    const auto reports = collect_reports(session_->client(), result_.settings.replicas, report_patience,
                                         [this] { return !stop_->requested(); });
    for (std::size_t index = 0; index < reports.size(); ++index) {
      auto& kept = result_.replicas[index].report;
      if (kept && reports[index]) kept->counters = reports[index]->counters;
    }
    if (!cluster_) return {};
    const auto usage = cluster_->usage();
    for (std::size_t index = 0; index < usage.size(); ++index)
      result_.replicas[index].usage = usage[index];
    return {};
  }

  /// Writes the trace of all replicas that answer. A replica that was killed has only the batches since its restart.
  or_run_failure<void> collect_traces() {
    if (!cluster_ || result_.settings.trace_file.empty()) return {};
    const auto begun = clock::now();
    std::vector<node_trace> traces;
    for (std::uint32_t number = 0; number < result_.settings.replicas; ++number) {
      const auto config = read_node_config(cluster_->layout().node_file(number));
      if (!config) return tl::unexpected(run_failure{exit_code::failed, config.error()});
      auto trace = ask_trace(*config, trace_patience);
      if (!trace) return tl::unexpected(run_failure{exit_code::failed, trace.error()});
      traces.push_back(std::move(*trace));
    }
    if (auto done = write_chrome_trace(result_.settings.trace_file, traces); !done) {
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
    }
    narrator_->step(fmt::format("trace of the last batches in {}", result_.settings.trace_file), seconds_since(begun));
    return {};
  }

  or_run_failure<void> finish() {
    if (!cluster_) return {};
    const auto begun = clock::now();
    result_.ended_cleanly = cluster_->stop();
    if (const auto& folder = result_.settings.logs_folder; !folder.empty()) {
      if (auto done = cluster_->save_logs(folder); !done) {
        return tl::unexpected(run_failure{exit_code::failed, done.error()});
      }
    }
    cluster_.reset();
    narrator_->step("processes stopped, files removed", seconds_since(begun));
    return {};
  }

  interruption* stop_;
  run_narrator* narrator_;
  replay_result result_;
  std::vector<byte_span> operations_;
  std::unique_ptr<local_cluster> cluster_;
  std::unique_ptr<cluster_session> session_;
};

}  // namespace

std::size_t replay_settings::operations_in_bundle() const { return bundle > 0 ? bundle : bundle_default; }

std::size_t replay_settings::operations_in_flight() const { return in_flight > 0 ? in_flight : operations_in_bundle(); }

std::optional<digest> replay_result::common_root() const {
  std::optional<digest> root;
  for (const auto& each : replicas) {
    if (!each.report) continue;
    if (root && *root != each.report->state_root) return std::nullopt;
    root = each.report->state_root;
  }
  return root;
}

bool replay_result::replicas_agree() const {
  std::size_t reachable = 0;
  std::optional<sequence_number> level;
  for (const auto& each : replicas) {
    if (!each.report) continue;
    ++reachable;
    if (level && *level != each.report->last_executed) return false;
    level = each.report->last_executed;
  }
  const auto needed = settings.has_own_cluster() ? replicas.size() : cluster.parameters().group().quorum();
  return reachable >= needed && common_root().has_value();
}

bool replay_result::was_refused() const { return !reference_totals && tally && tally->totals().refused > 0; }

bool replay_result::is_right() const {
  const bool clean = failed == 0 && wrong_results == 0 && tally && tally->totals().malformed == 0 &&
                     tally->flaw().empty() && !was_refused();
  return clean && ended_cleanly && replicas_agree() && equals_reference();
}

std::uint64_t replay_result::sum_of(std::string_view counter) const {
  std::uint64_t sum = 0;
  for (const auto& each : replicas) {
    if (each.report) sum += counter_of(*each.report, counter);
  }
  return sum;
}

or_run_failure<replay_result> run_replay(const replay_settings& settings, interruption& stop, run_narrator& narrator) {
  return replay{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
