#include "runtime/host_reports.hpp"

namespace hypermesh::runtime {

node_state state_of(const node_report& report) {
  return {report.replica,       report.view,           report.last_executed, report.stable_checkpoint,
          report.low_watermark, report.high_watermark, report.state_root};
}

std::vector<metric> metrics_of(const node_report& report) {
  std::vector<metric> all;
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
