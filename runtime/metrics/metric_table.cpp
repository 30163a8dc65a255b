#include "runtime/metrics/metric_table.hpp"

#include "messages/require.hpp"

namespace hypermesh::metrics {

namespace {

using enum metric_kind;
using set = label_set;
using group = metric_group;

/// From a quarter of a millisecond, which an idle cluster on one machine needs, to the longest time-out of a view.
constexpr std::array phase_buckets = {0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                      0.05,    0.1,    0.25,  0.5,    1.0,   2.5,  10.0};
constexpr std::array disk_buckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                     0.025,  0.05,    0.1,    0.25,  0.5,    1.0,   5.0};
constexpr std::array batch_buckets = {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0};

/// Two labels.
constexpr std::array<set, 2> by(set first, set second = set::none) { return {first, second}; }

using text = std::string_view;

/// A row without labels.
constexpr metric_row plain(metric id, text name, metric_kind kind, text unit, group part, text help) {
  return {id, name, kind, unit, part, by(set::none), {}, help};
}
/// A row with labels.
constexpr metric_row labelled(metric id, text name, metric_kind kind, text unit, group part, std::array<set, 2> labels,
                              text help) {
  return {id, name, kind, unit, part, labels, {}, help};
}
/// A histogram.
constexpr metric_row spread(metric id, text name, text unit, group part, std::array<set, 2> labels,
                            std::span<const double> buckets, text help) {
  return {id, name, histogram, unit, part, labels, buckets, help};
}

constexpr std::array rows = {
    plain(metric::requests_executed, "hypermesh_requests_executed_total", counter, "requests", group::service,
          "Requests in batches that this replica executed."),
    plain(metric::batches_committed, "hypermesh_batches_committed_total", counter, "batches", group::service,
          "Batches that became committed-local at this replica."),
    plain(metric::batch_payload_bytes, "hypermesh_batch_payload_bytes_total", counter, "bytes", group::service,
          "Bytes of the requests in committed batches. Divided by hypermesh_link_wire_bytes_total it is the share of "
          "the traffic that is payload."),
    spread(metric::batch_requests, "hypermesh_batch_requests", "requests", group::service, by(set::none), batch_buckets,
           "Requests in each committed batch."),
    spread(metric::phase_seconds, "hypermesh_phase_seconds", "seconds", group::service, by(set::phase), phase_buckets,
           "Time that a batch spent in each phase, from the end of the phase before. pre_prepare begins when the "
           "primary has the oldest request of the batch, and only a primary measures it."),
    plain(metric::requests_pending, "hypermesh_requests_pending", gauge, "requests", group::service,
          "Requests that this replica holds until they are executed."),
    plain(metric::request_bytes_pending, "hypermesh_requests_pending_bytes", gauge, "bytes", group::service,
          "Bytes of the pending requests."),
    plain(metric::slots_in_use, "hypermesh_slots_in_use", gauge, "slots", group::service,
          "Sequence numbers between the watermarks that have messages."),
    plain(metric::batches_unexecuted, "hypermesh_batches_unexecuted", gauge, "batches", group::service,
          "Committed batches that wait for the disk or for the executor."),

    plain(metric::replica_number, "hypermesh_replica_number", gauge, "number", group::agreement,
          "The number of this replica in the genesis."),
    plain(metric::view, "hypermesh_view", gauge, "number", group::agreement,
          "The view of this replica, or the view whose NEW-VIEW it waits for."),
    plain(metric::view_active, "hypermesh_view_active", gauge, "flag", group::agreement,
          "1 if this replica has entered its view, 0 if it waits for the NEW-VIEW."),
    plain(metric::views_entered, "hypermesh_views_entered_total", counter, "views", group::agreement,
          "Views that this replica entered since its start."),
    labelled(metric::suspicions, "hypermesh_suspicions_total", counter, "suspicions", group::agreement,
             by(set::suspicion), "Times that this replica suspected a primary."),
    plain(metric::last_proposed, "hypermesh_last_proposed_sequence", gauge, "number", group::agreement,
          "The last sequence number that this replica proposed or accepted."),
    plain(metric::last_executed, "hypermesh_last_executed_sequence", gauge, "number", group::agreement,
          "The last sequence number that this replica executed."),
    plain(metric::low_watermark, "hypermesh_low_watermark_sequence", gauge, "number", group::agreement,
          "The low watermark h."),
    plain(metric::high_watermark, "hypermesh_high_watermark_sequence", gauge, "number", group::agreement,
          "The high watermark H = h + L."),
    plain(metric::stable_checkpoint, "hypermesh_stable_checkpoint_sequence", gauge, "number", group::agreement,
          "The last checkpoint that a quorum certified, as far as this replica knows."),
    plain(metric::lag, "hypermesh_lag_batches", gauge, "batches", group::agreement,
          "Batches up to the last certified checkpoint that this replica has not executed."),
    plain(metric::checkpoints_stable, "hypermesh_checkpoints_stable_total", counter, "checkpoints", group::agreement,
          "Checkpoints that became stable."),
    plain(metric::divergences, "hypermesh_divergences_total", counter, "divergences", group::agreement,
          "Times that a quorum certified another state than this replica computed."),
    plain(metric::moves_agreed, "hypermesh_moves_agreed_total", counter, "moves", group::agreement,
          "READMISSIONs and HAND-OVERs that were executed and granted."),
    plain(metric::on_probation, "hypermesh_on_probation", gauge, "flag", group::agreement,
          "1 while this replica lost its disk and may not vote, 0 otherwise."),

    spread(metric::storage_write_seconds, "hypermesh_storage_write_seconds", "seconds", group::storage, by(set::none),
           disk_buckets, "Time of each group of records until it is durable. In storage mode sync each is one sync."),
    plain(metric::storage_records, "hypermesh_storage_records_total", counter, "records", group::storage,
          "Records that became durable."),
    plain(metric::storage_written_bytes, "hypermesh_storage_written_bytes_total", counter, "bytes", group::storage,
          "Bytes of the records that became durable."),
    plain(metric::storage_held_bytes, "hypermesh_storage_held_bytes", gauge, "bytes", group::storage,
          "Bytes of the storage when a state was last kept."),
    spread(metric::snapshot_pause_seconds, "hypermesh_snapshot_pause_seconds", "seconds", group::storage, by(set::none),
           disk_buckets, "Pause of the execution for each snapshot."),
    plain(metric::states_kept, "hypermesh_states_kept_total", counter, "states", group::storage,
          "States that were written to the disk."),
    plain(metric::states_installed, "hypermesh_states_installed_total", counter, "states", group::storage,
          "Certified states of other replicas that this replica installed."),
    labelled(metric::donors_replaced, "hypermesh_donors_replaced_total", counter, "donors", group::storage,
             by(set::donor_fault), "Donors that a state transfer of this replica replaced."),
    plain(metric::audit_interruptions, "hypermesh_audit_interruptions_total", counter, "interruptions", group::storage,
          "Times that the audit trail could not be written."),
    labelled(metric::disk_free_bytes, "hypermesh_disk_free_bytes", gauge, "bytes", group::storage, by(set::directory),
             "Bytes that this node may still write to the disk of each directory."),
    labelled(metric::disk_size_bytes, "hypermesh_disk_size_bytes", gauge, "bytes", group::storage, by(set::directory),
             "Bytes of the disk of each directory."),

    labelled(metric::link_up, "hypermesh_link_up", gauge, "flag", group::links, by(set::replica),
             "1 if the link to the replica is open, 0 if not. A replica has no link to itself."),
    labelled(metric::link_frames, "hypermesh_link_frames_total", counter, "frames", group::links,
             by(set::direction, set::message_kind), "Frames on all links, by direction and kind."),
    labelled(metric::link_frame_bytes, "hypermesh_link_frame_bytes_total", counter, "bytes", group::links,
             by(set::direction, set::message_kind),
             "Bytes of the frames on all links, without the bytes that the links add."),
    labelled(metric::link_wire_bytes, "hypermesh_link_wire_bytes_total", counter, "bytes", group::links,
             by(set::direction), "All bytes on the connections, with handshakes and keepalives."),
    labelled(metric::link_dropped, "hypermesh_link_dropped_frames_total", counter, "frames", group::links,
             by(set::drop), "Frames that were not sent."),
    labelled(metric::link_closed, "hypermesh_link_closed_total", counter, "connections", group::links,
             by(set::link_error), "Connections that were refused or ended, by reason."),
    plain(metric::link_reconnects, "hypermesh_link_reconnects_total", counter, "links", group::links,
          "Links that came up again."),
    plain(metric::link_reading_halted, "hypermesh_link_reading_halted_total", counter, "halts", group::links,
          "Times that a link stopped reading because this node was too slow."),
    plain(metric::link_sessions, "hypermesh_link_sessions", gauge, "sessions", group::links,
          "Open sessions of clients."),
    plain(metric::link_handshakes, "hypermesh_link_handshakes", gauge, "handshakes", group::links,
          "Connections that are not authenticated yet."),

    labelled(metric::frames_rejected, "hypermesh_frames_rejected_total", counter, "frames", group::guard,
             by(set::rejection), "Frames that were rejected as wrong or too many, by reason."),
    labelled(metric::frames_rejected_by_sender, "hypermesh_frames_rejected_by_sender_total", counter, "frames",
             group::guard, by(set::sender), "Rejected frames by sender. All clients count together."),
    labelled(metric::frames_ignored, "hypermesh_frames_ignored_total", counter, "frames", group::guard,
             by(set::ignored), "Late or repeated frames, which correct senders cause too."),
    plain(metric::faults_proven, "hypermesh_faults_proven_total", counter, "proofs", group::guard,
          "Proofs of misbehaviour that this replica saw."),
    labelled(metric::convictions, "hypermesh_convictions_total", counter, "convictions", group::guard, by(set::replica),
             "Convictions of each replica since the genesis, as the group agreed on them."),
    labelled(metric::quarantined, "hypermesh_quarantined", gauge, "flag", group::guard, by(set::replica),
             "1 if the replica is in quarantine or waits for it, 0 if not."),
    labelled(metric::reputation_score, "hypermesh_reputation_score", gauge, "points", group::guard, by(set::replica),
             "The agreed score of each replica, from 0 to 1000."),
    labelled(metric::reputation_local_score, "hypermesh_reputation_local_score", gauge, "points", group::guard,
             by(set::replica), "The impression of this node, from 0 to 1000."),
    labelled(metric::avoided_as_primary, "hypermesh_avoided_as_primary", gauge, "flag", group::guard, by(set::replica),
             "1 if this node suspects the replica as soon as it leads, 0 if not."),

    plain(metric::queries_failed, "hypermesh_queries_failed_total", counter, "queries", group::process,
          "Queries that the state machine failed to answer."),
    plain(metric::node_failures, "hypermesh_node_failures_total", counter, "failures", group::process,
          "Errors after which this node stopped taking part in the protocol."),
    plain(metric::resident_bytes, "hypermesh_process_resident_memory_bytes", gauge, "bytes", group::process,
          "Resident memory of the process."),
    plain(metric::cpu_seconds, "hypermesh_process_cpu_seconds_total", counter, "seconds", group::process,
          "Processor time of the process, user and system."),
    plain(metric::open_files, "hypermesh_process_open_files", gauge, "files", group::process,
          "Open file descriptors of the process."),
    plain(metric::open_files_max, "hypermesh_process_open_files_limit", gauge, "files", group::process,
          "The limit of open file descriptors of the process."),
    plain(metric::threads, "hypermesh_process_threads", gauge, "threads", group::process, "Threads of the process."),
    plain(metric::start_time, "hypermesh_process_start_time_seconds", gauge, "seconds", group::process,
          "When the node was started, in seconds since 1970."),

    labelled(metric::http_requests, "hypermesh_http_requests_total", counter, "requests", group::http,
             by(set::http_answer), "Requests that the HTTP server answered, by the meaning of the answer."),
    plain(metric::http_connections, "hypermesh_http_connections", gauge, "connections", group::http,
          "Open connections of the HTTP server."),
    plain(metric::http_connections_cut, "hypermesh_http_connections_cut_total", counter, "connections", group::http,
          "Connections that were closed because they took too long."),
    plain(metric::http_event_clients, "hypermesh_http_event_clients", gauge, "clients", group::http,
          "Clients that receive events."),
    plain(metric::http_event_clients_dropped, "hypermesh_http_event_clients_dropped_total", counter, "clients",
          group::http, "Clients that were dropped because they read events too slowly."),
};

static_assert(rows.size() == metric_count, "one row for each metric");
static_assert(
    [] {
      for (std::size_t index = 0; index < rows.size(); ++index) {
        if (rows[index].id != static_cast<metric>(index)) return false;
      }
      return true;
    }(),
    "the rows are in the order of the enum");

}  // namespace

std::span<const metric_row> metric_table() { return rows; }

const metric_row& row_of(metric id) {
  const auto index = static_cast<std::size_t>(id);
  messages::require(index < rows.size(), "a metric is one of the enumerators");
  return rows[index];
}

std::string_view title_of(metric_group group) {
  static constexpr std::array<std::string_view, 7> titles = {"Service", "Agreement", "Storage", "Links",
                                                             "Guard",   "Process",   "HTTP"};
  static_assert(titles.size() == static_cast<std::size_t>(metric_group_last) + 1);
  return titles.at(static_cast<std::size_t>(group));
}

}  // namespace hypermesh::metrics
