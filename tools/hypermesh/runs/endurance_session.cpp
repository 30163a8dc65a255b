#include "tools/hypermesh/runs/endurance_session.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

constexpr std::chrono::milliseconds report_patience{2'000};
constexpr std::size_t parts = 10;

/// Makes one run from beginning to end.
class endurance_run {
 public:
  endurance_run(const endurance_settings& settings, interruption& stop, run_narrator& narrator)
      : narrator_(&narrator), cluster_(with_tenths(settings), stop, narrator) {
    result_.settings = settings;
  }

  static load_settings with_tenths(const endurance_settings& settings) {
    auto load = settings.load;
    // The last part ends with the last operation, even if the division leaves a remainder.
    for (std::size_t part = 1; part <= parts; ++part)
      load.milestones.push_back(settings.operations * part / parts);
    return load;
  }

  or_run_failure<endurance_result> run() {
    if (auto done = cluster_.start(); !done) return failure_of(done);
    last_ = {cluster_.begun(), 0};
    while (result_.tenths.size() < parts) {
      if (auto done = wait_for_tenth(); !done) return failure_of(done);
    }
    auto end = cluster_.finish();
    if (!end) return failure_of(end);
    result_.end = std::move(*end);
    return std::move(result_);
  }

 private:
  /// Asking the replicas takes time, and a fast load may finish several tenths meanwhile. Each tenth ends at the time
  /// of its last answer. Tenths that ended during one look share the reports of this look.
  cluster_under_load::outcome wait_for_tenth() {
    const auto known = result_.tenths.size();
    std::vector<increment_load::milestone> reached;
    auto done = cluster_.wait_until([this, known, &reached] {
      const auto answered = cluster_.load().answered();
      const auto total = result_.settings.operations;
      narrator_->progress(static_cast<std::size_t>(std::min(answered, total)), static_cast<std::size_t>(total));
      reached = cluster_.increments().milestones_after(known);
      return !reached.empty();
    });
    if (!done) return done;
    const auto replicas = burdens();
    for (const auto& each : reached) {
      endurance_tenth tenth;
      const load_mark now{each.when, each.answered};
      tenth.answered = now.answered;
      tenth.load = load_span::between(last_, now);
      tenth.latency_p50 = each.latencies.percentile(0.5);
      tenth.latency_p99 = each.latencies.percentile(0.99);
      tenth.replicas = replicas;
      last_ = now;
      result_.tenths.push_back(std::move(tenth));
    }
    return {};
  }

  std::vector<replica_burden> burdens() {
    const auto usage = cluster_.processes().usage();
    const auto disks = cluster_.processes().disk_bytes();
    const auto trails = cluster_.processes().audit_bytes();
    const auto reports = cluster_.look(report_patience);
    std::vector<replica_burden> all(result_.settings.load.replicas);
    for (std::size_t number = 0; number < all.size(); ++number) {
      all[number].resident_bytes = usage[number].resident_bytes;
      all[number].disk_bytes = disks[number];
      all[number].audit_bytes = trails[number];
      if (!reports[number]) continue;
      all[number].requests_pending = counter_of(*reports[number], "requests_pending");
      all[number].slots_in_use = counter_of(*reports[number], "slots_in_use");
    }
    return all;
  }

  run_narrator* narrator_;
  endurance_result result_;
  cluster_under_load cluster_;
  load_mark last_;
};

}  // namespace

std::uint64_t endurance_tenth::sum_of(std::uint64_t replica_burden::*what) const {
  std::uint64_t sum = 0;
  for (const auto& each : replicas)
    sum += each.*what;
  return sum;
}

std::uint64_t endurance_tenth::max_of(std::uint64_t replica_burden::*what) const {
  std::uint64_t most = 0;
  for (const auto& each : replicas)
    most = std::max(most, each.*what);
  return most;
}

double checkpoint_pauses::mean_us() const {
  return count == 0 ? 0 : static_cast<double>(total_us) / static_cast<double>(count);
}

double endurance_result::growth_of(std::uint64_t replica_burden::*what, std::size_t since) const {
  if (since >= tenths.size()) return 1;
  const auto before = tenths[since].sum_of(what);
  return before == 0 ? 1 : static_cast<double>(tenths.back().sum_of(what)) / static_cast<double>(before);
}

std::uint64_t endurance_result::most_of(std::uint64_t replica_burden::*what) const {
  std::uint64_t most = 0;
  for (const auto& each : tenths)
    most = std::max(most, each.sum_of(what));
  return most;
}

bool endurance_result::was_cut_back(std::uint64_t replica_burden::*what) const {
  for (std::size_t index = 1; index < tenths.size(); ++index) {
    if (10 * tenths[index].sum_of(what) <= 9 * tenths[index - 1].sum_of(what)) return true;
  }
  return false;
}

checkpoint_pauses endurance_result::pauses() const {
  checkpoint_pauses all;
  for (const auto& each : end.reports) {
    if (!each) continue;
    all.count += counter_of(*each, "snapshots_total");
    all.total_us += counter_of(*each, "snapshot_us_total");
    all.longest_us = std::max(all.longest_us, counter_of(*each, "snapshot_us_max"));
  }
  return all;
}

or_run_failure<endurance_result> run_endurance(const endurance_settings& settings, interruption& stop,
                                               run_narrator& narrator) {
  return endurance_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
