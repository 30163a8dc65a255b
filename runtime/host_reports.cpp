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
