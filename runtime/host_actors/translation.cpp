#include "runtime/host_actors/translation.hpp"

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"

namespace hypermesh::host {

namespace {

std::string text_in(byte_span bytes) { return std::string{as_text(bytes)}; }

executed_operation shown_of(const operation_item& item) {
  executed_operation shown;
  if (const auto* gap = std::get_if<operation_gap>(&item)) {
    shown.sequence = gap->first.value;
    shown.gap_through = gap->last.value;
    return shown;
  }
  const auto& done = std::get<committed_operation>(item);
  shown.sequence = done.at.sequence.value;
  shown.client = done.at.client.value;
  shown.session = done.at.session.value;
  shown.timestamp = done.at.when.value;
  shown.index = done.at.index;
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

condition shown_of(const node_health& health) {
  return {health.is_live, health.is_ready, health.is_draining, health.reasons, health.sentence};
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

proofs shown_of(const std::vector<std::shared_ptr<const evidence>>& found, const cluster_parameters& cluster) {
  proofs shown;
  for (const auto& each : found) {
    const auto about = claim_in(*each, cluster);
    const auto* accused = about ? std::get_if<misbehaviour>(&*about) : nullptr;
    if (accused == nullptr) continue;
    const auto frame = reframe(system_request_for(*about, each));
    shown.all.push_back({to_string(accused->accused), text_in(*frame)});
  }
  return shown;
}

node_position position_in(const node_report& report) {
  return {report.replica.value, report.view.value, report.last_executed.value, report.stable_checkpoint.value,
          text_in(report.state_root.view())};
}

counters counters_in(const node_report& report) {
  counters shown;
  for (const auto& each : report.counters)
    shown.all.push_back({each.name, each.value});
  return shown;
}

standings standings_in(const reputation_report& report) {
  standings shown;
  for (std::uint32_t number = 0; number < report.replicas.size(); ++number) {
    const auto& agreed = report.replicas[number].agreed;
    shown.all.push_back({number, agreed.score, agreed.convictions, agreed.complaints, agreed.is_quarantined()});
  }
  return shown;
}

}  // namespace hypermesh::host
