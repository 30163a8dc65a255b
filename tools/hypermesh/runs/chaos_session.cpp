#include "tools/hypermesh/runs/chaos_session.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

using clock = cluster_under_load::clock;

constexpr std::chrono::milliseconds report_patience{2'000};

/// Makes one run from beginning to end.
class chaos_run {
 public:
  chaos_run(const chaos_settings& settings, interruption& stop, run_narrator& narrator)
      : narrator_(&narrator), cluster_(settings.load, stop, narrator) {
    result_.settings = settings;
  }

  or_run_failure<chaos_result> run() {
    if (auto done = cluster_.start(); !done) return failure_of(done);
    if (auto done = kill_again_and_again(); !done) return failure_of(done);
    auto end = cluster_.finish();
    if (!end) return failure_of(end);
    result_.end = std::move(*end);
    return std::move(result_);
  }

 private:
  cluster_under_load::outcome wait_until(clock::time_point time) {
    return cluster_.wait_until([this, time] {
      narrator_->progress(static_cast<std::size_t>(1'000 * cluster_.seconds()),
                          static_cast<std::size_t>(result_.settings.duration.count()));
      return clock::now() >= time;
    });
  }

  cluster_under_load::outcome kill_again_and_again() {
    const auto end = cluster_.begun() + result_.settings.duration;
    for (auto next = cluster_.begun() + result_.settings.every; next < end; next += result_.settings.every) {
      if (auto done = wait_until(next); !done) return done;
      if (auto done = kill_once(std::min(next + result_.settings.every, end)); !done) return done;
    }
    return wait_until(end);
  }

  cluster_under_load::outcome kill_once(clock::time_point window_end) {
    const bool all = result_.settings.victims == chaos_victims::all;
    chaos_kill kill;
    kill.view = cluster_.view_in(cluster_.look(report_patience));
    const auto primary = cluster_.primary_of(kill.view);
    for (std::uint32_t number = 0; number < result_.settings.load.replicas; ++number) {
      if (all || number == primary.value) kill.victims.push_back(number);
    }
    const auto killed_at = clock::now();
    kill.at_seconds = cluster_.seconds();
    cluster_.increments().watch_gaps();
    for (const auto each : kill.victims)
      cluster_.processes().kill(each);
    if (auto done = wait_until(killed_at + result_.settings.away); !done) return done;
    for (const auto each : kill.victims) {
      if (auto done = cluster_.processes().restart(each); !done)
        return tl::unexpected(run_failure{exit_code::failed, done.error()});
    }
    if (auto done = wait_until(window_end); !done) return done;
    kill.gap_seconds = cluster_.increments().longest_gap();
    narrator_->step(fmt::format("killed {} in view {}; {} answers so far",
                                all ? std::string{"all replicas"} : fmt::format("primary {}", primary.value),
                                kill.view.value, cluster_.load().answered()),
                    kill.gap_seconds);
    result_.kills.push_back(std::move(kill));
    return {};
  }

  run_narrator* narrator_;
  chaos_result result_;
  cluster_under_load cluster_;
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

or_run_failure<chaos_result> run_chaos(const chaos_settings& settings, interruption& stop, run_narrator& narrator) {
  return chaos_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
