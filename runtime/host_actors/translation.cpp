#include "runtime/host_actors/translation.hpp"

#include "runtime/host_reports.hpp"

namespace hypermesh::host {

namespace {

std::string text_in(byte_span bytes) { return std::string{as_text(bytes)}; }

operation_item shown_of(const hypermesh::operation_item& item) {
  operation_item shown;
  if (const auto* gap = std::get_if<operation_gap>(&item)) {
    shown.sequence = gap->first.value;
    shown.gap_last = gap->last.value;
    return shown;
  }
  const auto& done = std::get<committed_operation>(item);
  shown.sequence = done.at.sequence.value;
  shown.client = done.at.client.value;
  shown.session = done.at.session.value;
  shown.timestamp = done.at.when.value;
  shown.index = done.at.index;
  shown.ordered_time_ms = done.at.ordered_time.time_since_epoch().count();
  shown.operation = text_in(done.operation);
  shown.status = static_cast<std::uint8_t>(done.result.status);
  shown.result = text_in(done.result.payload);
  return shown;
}

}  // namespace

outcome shown_of(const submit_outcome& result) {
  outcome shown;
  if (const auto* error = std::get_if<client_error>(&result)) {
    shown.error = static_cast<std::uint8_t>(*error);
    shown.error_name = to_string(*error);
    return shown;
  }
  const auto& done = std::get<operation_result>(result);
  shown.status = static_cast<std::uint8_t>(done.status);
  shown.payload = text_in(done.payload);
  return shown;
}

node_health shown_of(const hypermesh::node_health& health) {
  node_health shown{
      health.is_live, health.is_ready, health.is_draining, health.is_service_possible, health.faults_tolerated, {}, {},
      health.sentence};
  for (const auto each : health.safe_to_restart)
    shown.safe_to_restart.push_back(each.value);
  for (const auto& each : health.reasons)
    shown.reasons.push_back({each.replica.value, each.condition, each.text});
  return shown;
}

operations shown_of(const feed::operation_page& page) {
  operations shown;
  shown.items.reserve(page.items.size());
  for (const auto& each : page.items)
    shown.items.push_back(shown_of(each));
  shown.next_sequence = page.next.sequence.value;
  shown.next_offset = page.next.offset;
  return shown;
}

events shown_of(const feed::event_page& page) {
  events shown;
  shown.next = page.next;
  shown.dropped = page.dropped;
  shown.all.reserve(page.events.size());
  for (const auto& each : page.events) {
    shown.all.push_back({each.number, std::string{to_string(each.kind)}, each.view.value, each.sequence.value,
                         each.about ? to_string(*each.about) : std::string{}, each.text});
  }
  return shown;
}

proofs shown_of(const std::vector<feed::found_evidence>& found) {
  proofs shown;
  shown.all.reserve(found.size());
  for (const auto& each : found)
    shown.all.push_back({to_string(each.accused), text_in(*each.frame)});
  return shown;
}

node_state state_in(const node_report& report) {
  const auto state = runtime::state_of(report);
  return {state.replica.value,
          state.view.value,
          state.last_executed.value,
          state.stable_checkpoint.value,
          state.low_watermark.value,
          state.high_watermark.value,
          text_in(state.state_root.view())};
}

metrics metrics_in(const node_report& report) {
  metrics shown;
  shown.all.reserve(report.counters.size());
  for (const auto& each : report.counters)
    shown.all.push_back({each.name, each.value});
  return shown;
}

reputations reputations_in(const reputation_report& report) {
  reputations shown;
  for (std::uint32_t number = 0; number < report.replicas.size(); ++number) {
    const auto known = runtime::shown_of(report.replicas[number]);
    shown.all.push_back({number, known.score, known.convictions, known.complaints, known.is_quarantined,
                         known.quarantined_until.value, known.local_score, known.is_avoided_as_primary,
                         known.is_throttled});
  }
  return shown;
}

}  // namespace hypermesh::host
