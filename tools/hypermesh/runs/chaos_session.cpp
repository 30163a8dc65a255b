#include "tools/hypermesh/runs/chaos_session.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

using clock = cluster_under_load::clock;

constexpr std::chrono::milliseconds report_patience{2'000};

/// One run from beginning to end.
class chaos_run {
 public:
  chaos_run(const chaos_settings& settings, interruption& stop, run_narrator& narrator)
      : narrator_(&narrator), cluster_(settings.load, stop, narrator) {
    result_.settings = settings;
  }

  std::variant<chaos_result, run_failure> run() {
    if (auto failed = cluster_.start()) return *failed;
    if (auto failed = kill_again_and_again()) return *failed;
    auto end = cluster_.finish();
    if (auto* failed = std::get_if<run_failure>(&end)) return std::move(*failed);
    result_.end = std::move(std::get<load_verdict>(end));
    return std::move(result_);
  }

 private:
  cluster_under_load::failure wait_until(clock::time_point time) {
    return cluster_.wait_until([this, time] {
      narrator_->progress(static_cast<std::size_t>(1'000 * cluster_.seconds()),
                          static_cast<std::size_t>(result_.settings.duration.count()));
      return clock::now() >= time;
    });
  }

  cluster_under_load::failure kill_again_and_again() {
    const auto end = cluster_.begun() + result_.settings.duration;
    for (auto next = cluster_.begun() + result_.settings.every; next < end; next += result_.settings.every) {
      if (auto failed = wait_until(next)) return failed;
      if (auto failed = kill_once(std::min(next + result_.settings.every, end))) return failed;
    }
    return wait_until(end);
  }

  cluster_under_load::failure kill_once(clock::time_point window_end) {
    const bool all = result_.settings.victims == chaos_victims::all;
    chaos_kill kill;
    kill.view = cluster_.view_in(cluster_.look(report_patience));
    const auto primary = cluster_.primary_of(kill.view);
    for (std::uint32_t number = 0; number < result_.settings.load.replicas; ++number) {
      if (all || number == primary.value) kill.victims.push_back(number);
    }
    const auto killed_at = clock::now();
    kill.at_seconds = cluster_.seconds();
    cluster_.load().watch_gaps();
    for (const auto each : kill.victims)
      cluster_.processes().kill(each);
    if (auto failed = wait_until(killed_at + result_.settings.away)) return failed;
    for (const auto each : kill.victims) {
      if (auto error = cluster_.processes().restart(each)) return run_failure{exit_code::failed, *error};
    }
    if (auto failed = wait_until(window_end)) return failed;
    kill.gap_seconds = cluster_.load().longest_gap();
    narrator_->step(fmt::format("killed {} in view {}; {} answers so far",
                                all ? std::string{"all replicas"} : fmt::format("primary {}", primary.value),
                                kill.view.value, cluster_.load().answered()),
                    kill.gap_seconds);
    result_.kills.push_back(std::move(kill));
    return std::nullopt;
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

std::variant<chaos_result, run_failure> run_chaos(const chaos_settings& settings, interruption& stop,
                                                  run_narrator& narrator) {
  return chaos_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
