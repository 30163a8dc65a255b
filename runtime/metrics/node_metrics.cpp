#include "runtime/metrics/node_metrics.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::metrics {

namespace {

template <class Enum>
std::size_t index_of(Enum value) {
  return static_cast<std::size_t>(value);
}

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>{time}.count(); }

double number_of(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

/// Translates one observation into values. Each kind of observation has its function, so a new kind does not compile
/// until somebody decides what it means for the metrics.
struct node_metrics::noting {
  node_metrics& of;
  metric_values& values;

  void operator()(const frame_rejected& it) const {
    if (is_benign(it.reason)) return values.add(metric::frames_ignored, 1, index_of(it.reason));
    values.add(metric::frames_rejected, 1, index_of(it.reason));
    const bool is_member = it.sender.is_replica() && it.sender.number < values.replicas();
    values.add(metric::frames_rejected_by_sender, 1, is_member ? it.sender.number + std::size_t{1} : 0);
  }
  void operator()(const slot_committed& it) const {
    const auto& body = *it.content.body;
    values.add(metric::batches_committed);
    values.add(metric::batch_payload_bytes, static_cast<double>(body.bytes));
    values.observe(metric::batch_requests, static_cast<double>(body.requests.size() + body.system_requests.size()));
    of.note_phase(phase::pre_prepare, it.times.requested, it.times.proposed);
    of.note_phase(phase::prepared, it.times.proposed, it.times.prepared);
    of.note_phase(phase::committed, it.times.prepared, it.times.committed);
    of.last_committed_ = std::max(of.last_committed_, it.content.sequence);
    of.note_end(it.content.sequence, it.times.committed, {});
  }
  void operator()(const batch_was_executed& it) const {
    values.add(metric::requests_executed, static_cast<double>(it.requests->size()));
    of.note_phase(phase::replied, it.executed, it.replied);
    of.note_position(metric::last_executed, it.sequence);
    of.note_end(it.sequence, {}, it.executed);
  }
  void operator()(const watermarks_moved& it) const {
    values.set(metric::low_watermark, number_of(it.low.value));
    values.set(metric::high_watermark, number_of(it.high.value));
    of.note_certified(it.low);
  }
  void operator()(const checkpoint_became_stable& it) const {
    values.add(metric::checkpoints_stable);
    of.note_certified(it.sequence);
  }
  void operator()(const snapshot_was_taken& it) const {
    values.observe(metric::snapshot_pause_seconds, in_seconds(it.pause));
  }
  void operator()(const state_was_installed& it) const {
    values.add(metric::states_installed);
    of.note_certified(it.sequence);
    of.note_position(metric::last_executed, it.sequence);
  }
  void operator()(const state_was_kept& it) const {
    values.add(metric::states_kept);
    values.set(metric::storage_held_bytes, number_of(it.bytes_held));
  }
  void operator()(const divergence_found&) const { values.add(metric::divergences); }
  void operator()(const view_was_entered&) const { values.add(metric::views_entered); }
  void operator()(const primary_suspected& it) const { values.add(metric::suspicions, 1, index_of(it.reason)); }
  void operator()(const donor_replaced& it) const { values.add(metric::donors_replaced, 1, index_of(it.reason)); }
  void operator()(const execution_resumed& it) const { of.note_position(metric::last_executed, it.last_executed); }
  void operator()(const probation_changed& it) const { values.set(metric::on_probation, it.over ? 0 : 1); }
  void operator()(const move_agreed&) const { values.add(metric::moves_agreed); }
  void operator()(const replica_progress& it) const {
    values.set(metric::view, number_of(it.view.value));
    values.set(metric::view_active, it.active ? 1 : 0);
    values.set(metric::last_proposed, number_of(it.last_proposed.value));
    values.set(metric::slots_in_use, number_of(it.slots_in_use));
  }
  void operator()(const batcher_progress& it) const {
    values.set(metric::requests_pending, number_of(it.requests_pending));
    values.set(metric::request_bytes_pending, number_of(it.bytes_pending));
  }
  void operator()(const fault_proven&) const { values.add(metric::faults_proven); }
  // The reputations show the agreed standing.
  void operator()(const standing_changed&) const {}
  void operator()(const status_was_heard&) const {}
  void operator()(const audit_interrupted&) const { values.add(metric::audit_interruptions); }
  void operator()(const query_failed&) const { values.add(metric::queries_failed); }
  void operator()(const node_failed&) const { values.add(metric::node_failures); }
};

node_metrics::node_metrics(replica_id self, std::uint32_t replicas, std::uint32_t window)
    : values_(replicas), ends_(window) {
  require(window > 0, "a window has room for a batch");
  values_.set(metric::replica_number, self.value);
  // A node that did not report yet has executed nothing, is in view 0 and does not lag.
  for (const auto id : {metric::view, metric::last_executed, metric::low_watermark, metric::stable_checkpoint,
                        metric::lag, metric::on_probation, metric::requests_pending, metric::batches_unexecuted})
    values_.set(id, 0);
  values_.set(metric::view_active, 1);
  values_.set(metric::high_watermark, window);
  // A link that never comes up has no event, and an alert needs its series.
  for (std::uint32_t number = 0; number < replicas; ++number) {
    if (number != self.value) values_.set(metric::link_up, 0, number);
  }
}

void node_metrics::note(const observation& what) { std::visit(noting{*this, values_}, what); }

void node_metrics::note_link(replica_id to, bool up) {
  if (to.value < values_.replicas()) values_.set(metric::link_up, up ? 1 : 0, to.value);
}

void node_metrics::note_write(std::size_t records, std::size_t bytes, std::chrono::nanoseconds took) {
  values_.observe(metric::storage_write_seconds, in_seconds(took));
  values_.add(metric::storage_records, static_cast<double>(records));
  values_.add(metric::storage_written_bytes, static_cast<double>(bytes));
}

void node_metrics::note_phase(phase what, time from, time to) {
  // A batch that was proposed before a restart, or learned from others, lacks times.
  if (from == time{} || to == time{}) return;
  values_.observe(metric::phase_seconds, in_seconds(to - from), index_of(what));
}

void node_metrics::note_end(sequence_number sequence, time committed, time executed) {
  auto& end = ends_[sequence.value % ends_.size()];
  if (end.sequence != sequence) end = {sequence, {}, {}};
  if (committed != time{}) end.committed = committed;
  if (executed != time{}) end.executed = executed;
  if (end.committed != time{} && end.executed != time{}) {
    note_phase(phase::executed, end.committed, end.executed);
    end = {};
  }
  refresh_lag();
}

void node_metrics::note_position(metric id, sequence_number sequence) {
  last_executed_ = sequence;
  last_committed_ = std::max(last_committed_, sequence);
  values_.set(id, number_of(sequence.value));
  refresh_lag();
}

void node_metrics::note_certified(sequence_number sequence) {
  certified_ = std::max(certified_, sequence);
  values_.set(metric::stable_checkpoint, number_of(certified_.value));
  refresh_lag();
}

void node_metrics::refresh_lag() {
  const auto behind = [this](sequence_number other) {
    return other > last_executed_ ? number_of(other.value - last_executed_.value) : 0.0;
  };
  values_.set(metric::lag, behind(certified_));
  values_.set(metric::batches_unexecuted, behind(last_committed_));
}

void fold(const links::link_counters& counted, metric_values& into) {
  using links::link_count;
  const auto number = [&counted](auto what) { return number_of(counted.of(what)); };
  for (std::size_t way = 0; way < links::link_direction_count; ++way) {
    for (std::uint8_t kind = message_kind_first; kind <= message_kind_last; ++kind) {
      const auto of_kind = counted.of(static_cast<links::link_direction>(way), static_cast<message_kind>(kind));
      into.set(metric::link_frames, number_of(of_kind.frames), way, std::size_t{kind} - message_kind_first);
      into.set(metric::link_frame_bytes, number_of(of_kind.bytes), way, std::size_t{kind} - message_kind_first);
    }
  }
  into.set(metric::link_wire_bytes, number(link_count::wire_bytes_in), index_of(links::link_direction::in));
  into.set(metric::link_wire_bytes, number(link_count::wire_bytes_out), index_of(links::link_direction::out));
  into.set(metric::link_dropped, number(link_count::dropped_queue_full), index_of(drop_reason::queue_full));
  into.set(metric::link_dropped, number(link_count::dropped_link_down), index_of(drop_reason::link_down));
  into.set(metric::link_dropped, number(link_count::dropped_too_long), index_of(drop_reason::too_long));
  for (std::size_t reason = 0; reason < links::link_error_count; ++reason)
    into.set(metric::link_closed, number(static_cast<links::link_error>(reason)), reason);
  into.set(metric::link_reconnects, number(link_count::reconnects));
  into.set(metric::link_reading_halted, number(link_count::reading_halted));
  into.set(metric::link_sessions, number(link_count::client_links_open));
  into.set(metric::link_handshakes, number(link_count::handshakes_pending));
}

bool is_punished(const reputation& each) { return each.agreed.is_quarantined() || each.agreed.awaits_quarantine; }

void fold(const std::vector<reputation>& reputations, metric_values& into) {
  const auto count = std::min<std::size_t>(reputations.size(), into.replicas());
  for (std::size_t replica = 0; replica < count; ++replica) {
    const auto& each = reputations[replica];
    into.set(metric::convictions, each.agreed.convictions, replica);
    into.set(metric::quarantined, is_punished(each) ? 1 : 0, replica);
    into.set(metric::reputation_score, each.agreed.score, replica);
    into.set(metric::reputation_local_score, each.local_score, replica);
    into.set(metric::avoided_as_primary, each.is_avoided_as_primary ? 1 : 0, replica);
  }
}

void fold(const host_facts& facts, metric_values& into) {
  const auto set = [&into](metric id, const std::optional<std::uint64_t>& value) {
    if (value) into.set(id, number_of(*value));
  };
  set(metric::resident_bytes, facts.resident_bytes);
  set(metric::open_files, facts.open_files);
  set(metric::open_files_max, facts.open_files_max);
  set(metric::threads, facts.threads);
  if (facts.processor_time) into.set(metric::cpu_seconds, in_seconds(*facts.processor_time));
  for (std::size_t index = 0; index < facts.disks.size(); ++index) {
    if (!facts.disks[index]) continue;
    into.set(metric::disk_free_bytes, number_of(facts.disks[index]->free_bytes), index);
    into.set(metric::disk_size_bytes, number_of(facts.disks[index]->size_bytes), index);
  }
}

}  // namespace hypermesh::metrics
