#include "tools/hypermesh/runs/gap_session.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>

#include <fmt/format.h>

#include "actors/protocol/reputation/system_request.hpp"
#include "tools/hypermesh/client/asking_operator.hpp"

namespace hypermesh::cli {

namespace {

using clock = cluster_under_load::clock;

constexpr std::chrono::milliseconds report_patience{2'000};
/// A statement may be lost with a link, so it is sent again after this time.
constexpr std::chrono::milliseconds ask_interval{500};
/// The longest time for one step: until the replicas are in step, or until the group has another primary.
constexpr std::chrono::seconds step_patience{60};
/// A primary that got SIGTERM hands its view over within 5 s, then it ends.
constexpr std::chrono::seconds end_patience{20};
constexpr std::chrono::milliseconds look_interval{50};

tl::unexpected<run_failure> failed_with(const world_error& error) {
  return tl::unexpected(run_failure{exit_code::failed, error});
}

/// Makes one run from beginning to end.
class gap_run {
 public:
  gap_run(const gap_settings& settings, interruption& stop, run_narrator& narrator)
      : narrator_(&narrator), cluster_(settings.load, stop, narrator) {
    result_.settings = settings;
  }

  or_run_failure<gap_result> run() {
    if (auto done = cluster_.start(); !done) return failure_of(done);
    if (auto done = cluster_.open_observer(); !done) return failure_of(done);
    while (result_.gaps.size() < result_.settings.count) {
      if (auto done = measure_once(); !done) return failure_of(done);
      narrator_->progress(result_.gaps.size(), result_.settings.count);
    }
    auto end = cluster_.finish();
    if (!end) return failure_of(end);
    result_.end = std::move(*end);
    return std::move(result_);
  }

 private:
  using outcome = cluster_under_load::outcome;

  /// Whether all replicas answer, are in one view, and lag by less than a checkpoint period.
  [[nodiscard]] bool is_in_step() {
    const auto reports = cluster_.look(report_patience);
    if (reachable_count(reports) < reports.size()) return false;
    const auto [low, high] = std::ranges::minmax(reports, {}, [](const auto& each) { return each->last_executed; });
    const auto view = cluster_.view_in(reports);
    const bool agree = std::ranges::all_of(reports, [view](const auto& each) { return each->view == view; });
    return agree && high->last_executed.value - low->last_executed.value < result_.settings.load.checkpoint_period;
  }

  /// Waits until the replicas are in step.
  [[nodiscard]] outcome await_step() {
    const auto deadline = clock::now() + step_patience;
    auto next = clock::now();
    bool is_late = false;
    auto done = cluster_.wait_until([&] {
      if (clock::now() < next) return false;
      next = clock::now() + look_interval;
      is_late = clock::now() >= deadline;
      return is_late || is_in_step();
    });
    if (!done || !is_late) return done;
    return tl::unexpected(
        run_failure{exit_code::no_quorum,
                    {fmt::format("the replicas were not in step within {} s", step_patience.count()),
                     "run the command again with less load on this machine; if the error returns, report it"}});
  }

  [[nodiscard]] outcome measure_once() {
    if (auto done = await_step(); !done) return done;
    auto& load = cluster_.increments();
    load.watch_gaps();
    if (auto done = cluster_.wait_until(clock::now() + result_.settings.window); !done) return done;
    service_gap gap;
    gap.quiet_seconds = load.longest_gap();
    gap.view = cluster_.view_in(cluster_.look(report_patience));
    gap.primary = cluster_.primary_of(gap.view);
    gap.at_seconds = cluster_.seconds();
    load.watch_gaps();
    if (auto done = take_role(gap); !done) return done;
    if (auto done = await_service(gap); !done) return done;
    if (auto done = bring_back(gap); !done) return done;
    narrator_->step(
        fmt::format("{} of replica {} in view {}", name_of(result_.settings.cause), gap.primary.value, gap.view.value),
        gap.gap_seconds);
    result_.gaps.push_back(gap);
    return {};
  }

  [[nodiscard]] outcome take_role(const service_gap& gap) {
    auto& processes = cluster_.processes();
    switch (result_.settings.cause) {
      case gap_cause::kill:
        processes.kill(gap.primary.value);
        return {};
      case gap_cause::restart:
        if (processes.terminate(gap.primary.value, end_patience)) return {};
        return failed_with({fmt::format("replica {} did not end in order after SIGTERM", gap.primary.value),
                            "run the command again; if the error returns, report it"});
      case gap_cause::hand_over:
        return ask_for_hand_over(gap);
    }
    return {};
  }

  [[nodiscard]] outcome ask_for_hand_over(const service_gap& gap) {
    const auto& content = cluster_.content();
    auto who = operator_of(cluster_.processes().layout().node_file(gap.primary.value), content);
    if (!who) return failed_with(who.error());
    const auto wanted = protocol::hand_over_of(who->self, gap.primary, gap.view.next(), hand_over_cause::step_down,
                                               content.parameters().signing.epoch);
    const auto frame = who->word(message_kind::hand_over, wanted, content);
    const auto deadline = clock::now() + step_patience;
    while (clock::now() < deadline) {
      cluster_.observer().tell_replicas(frame);
      // The replicas are not asked meanwhile, because their answers would be part of the measured load.
      if (auto done = cluster_.wait_until(clock::now() + ask_interval); !done) return done;
      if (cluster_.view_in(cluster_.look(report_patience)) > gap.view) return {};
    }
    return tl::unexpected(run_failure{
        exit_code::no_quorum,
        {fmt::format("the group did not hand view {} over within {} s", gap.view.value, step_patience.count()),
         "run the command again with less load on this machine; if the error returns, report it"}});
  }

  /// Waits until the cluster answers again, and at least for the window.
  [[nodiscard]] outcome await_service(service_gap& gap) {
    const auto answered = cluster_.load().answered();
    const auto least = clock::now() + result_.settings.window;
    auto done = cluster_.wait_until([&] { return clock::now() >= least && cluster_.load().answered() > answered; });
    gap.gap_seconds = cluster_.increments().longest_gap();
    return done;
  }

  [[nodiscard]] outcome bring_back(service_gap& gap) {
    if (result_.settings.cause == gap_cause::hand_over) return {};
    cluster_.increments().watch_gaps();
    if (auto done = cluster_.processes().restart(gap.primary.value); !done) return failed_with(done.error());
    if (auto done = await_step(); !done) return done;
    gap.return_seconds = cluster_.increments().longest_gap();
    return {};
  }

  run_narrator* narrator_;
  gap_result result_;
  cluster_under_load cluster_;
};

}  // namespace

std::string_view name_of(gap_cause cause) {
  switch (cause) {
    case gap_cause::kill:
      return "kill";
    case gap_cause::hand_over:
      return "hand-over";
    case gap_cause::restart:
      return "planned restart";
  }
  return "unknown";
}

std::optional<double> gap_result::percentile(double share, double service_gap::*which) const {
  if (gaps.empty()) return std::nullopt;
  std::vector<double> all;
  for (const auto& each : gaps)
    all.push_back(each.*which);
  std::ranges::sort(all);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size())));
  return all[std::clamp<std::size_t>(rank, 1, all.size()) - 1];
}

or_run_failure<gap_result> run_gaps(const gap_settings& settings, interruption& stop, run_narrator& narrator) {
  return gap_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
