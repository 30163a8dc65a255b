#include "tools/hypermesh/runs/primary_killer.hpp"

#include <algorithm>

#include "tools/hypermesh/client/cluster_reports.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::chrono::milliseconds report_patience{200};
/// The time for which a killed primary is away. If half of the time between two kills is shorter, that time is used.
constexpr std::chrono::milliseconds away_max{1'000};

}  // namespace

primary_killer::primary_killer(local_cluster& cluster, hosted_client& client, std::chrono::milliseconds every)
    : cluster_(&cluster),
      client_(&client),
      every_(every),
      away_(std::min(away_max, every / 2)),
      next_kill_(clock::now() + every) {}

or_error<void> primary_killer::poll() {
  if (victim_ && clock::now() >= back_at_) return restore();
  if (!victim_ && clock::now() >= next_kill_) kill_primary();
  return {};
}

or_error<void> primary_killer::restore() {
  if (!victim_) return {};
  const auto number = *victim_;
  victim_.reset();
  return cluster_->restart(number);
}

void primary_killer::kill_primary() {
  const auto parameters = cluster_->content().parameters();
  const auto replicas = parameters.group().replicas();
  const auto reports = collect_reports(*client_, replicas, report_patience, [] { return true; });
  // Fewer than f + 1 reports would give view 0, which does not identify the primary.
  if (reachable_count(reports) < parameters.group().weak_quorum()) return;
  victim_ = parameters.group().primary_of(current_view(reports, parameters)).value;
  cluster_->kill(*victim_);
  ++kills_;
  next_kill_ = clock::now() + every_;
  back_at_ = clock::now() + away_;
}

}  // namespace hypermesh::cli
