#include "runtime/host_reports.hpp"

#include <utility>

namespace hypermesh::runtime {

node_observers observers_for(std::shared_ptr<feed::node_feed> feed) {
  node_observers observers;
  observers.on_observation = [feed](const observation& what) { feed->on_observation(what); };
  observers.on_failure = [feed = std::move(feed)](const world_error& error) { feed->on_failure(error); };
  return observers;
}

node_state state_of(const node_report& report) {
  return {report.replica,       report.view,           report.last_executed, report.stable_checkpoint,
          report.low_watermark, report.high_watermark, report.state_root};
}

std::vector<hypermesh::metric> metrics_of(const node_report& report) {
  std::vector<hypermesh::metric> all;
  all.reserve(report.counters.size());
  for (const auto& each : report.counters)
    all.push_back({each.name, each.value});
  return all;
}

node_health shown_of(const health_report& report, or_error<void> running) {
  node_health shown;
  shown.is_live = report.live;
  shown.is_ready = report.ready;
  shown.is_draining = report.draining;
  shown.running = std::move(running);
  shown.is_service_possible = report.service_possible;
  shown.faults_tolerated = report.faults_tolerated;
  shown.safe_to_restart = report.safe_to_restart;
  for (const auto& each : report.reasons)
    shown.reasons.push_back({each.replica, std::string{to_string(each.condition)}, text_of(each)});
  shown.sentence = sentence_of(report);
  return shown;
}

replica_reputation shown_of(const reputation& known) {
  replica_reputation shown;
  shown.score = known.agreed.score;
  shown.convictions = known.agreed.convictions;
  shown.complaints = known.agreed.complaints;
  shown.is_quarantined = known.agreed.is_quarantined();
  shown.quarantined_until = known.agreed.quarantined_until;
  shown.local_score = known.local_score;
  shown.is_avoided_as_primary = known.is_avoided_as_primary;
  shown.is_throttled = known.is_throttled;
  return shown;
}

}  // namespace hypermesh::runtime
