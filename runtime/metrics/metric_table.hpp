#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "messages/layers.hpp"

/// The table of all metrics of a node. It drives the values, the text of `/metrics`, `runtime/METRICS.md`, and the
/// dashboard and the alert rules in `tools/observability/`. Pure.
namespace hypermesh::metrics {

enum class metric_kind {
  /// Only grows while the process runs. The name ends in `_total`.
  counter,
  gauge,
  /// Counts in buckets, with sum and count.
  histogram,
};

/// The set of values of a label. Every set is bounded: the words of an enum, or the members of the cluster.
enum class label_set : std::uint8_t {
  none,
  /// The `rejection`s that show a fault, and those that correct senders cause too (`is_benign`).
  rejection,
  ignored,
  /// A replica, or "clients" for all clients together.
  sender,
  replica,
  message_kind,
  direction,
  phase,
  suspicion,
  donor_fault,
  link_error,
  drop,
  directory,
  http_answer,
};
inline constexpr auto label_set_last = label_set::http_answer;

/// The parts of the dashboard.
enum class metric_group : std::uint8_t { service, agreement, storage, links, guard, process, http };
inline constexpr auto metric_group_last = metric_group::http;

/// Every metric, in the order of the table.
enum class metric : std::uint8_t {
  requests_executed,
  batches_committed,
  batch_payload_bytes,
  batch_requests,
  phase_seconds,
  requests_pending,
  request_bytes_pending,
  slots_in_use,
  batches_unexecuted,

  replica_number,
  view,
  view_active,
  views_entered,
  suspicions,
  last_proposed,
  last_executed,
  low_watermark,
  high_watermark,
  stable_checkpoint,
  lag,
  checkpoints_stable,
  divergences,
  moves_agreed,
  on_probation,

  storage_write_seconds,
  storage_records,
  storage_written_bytes,
  storage_held_bytes,
  snapshot_pause_seconds,
  states_kept,
  states_installed,
  donors_replaced,
  audit_interruptions,
  disk_free_bytes,
  disk_size_bytes,

  link_up,
  link_frames,
  link_frame_bytes,
  link_wire_bytes,
  link_dropped,
  link_closed,
  link_reconnects,
  link_reading_halted,
  link_sessions,
  link_handshakes,

  frames_rejected,
  frames_rejected_by_sender,
  frames_ignored,
  faults_proven,
  convictions,
  quarantined,
  reputation_score,
  reputation_local_score,
  avoided_as_primary,

  queries_failed,
  node_failures,
  resident_bytes,
  cpu_seconds,
  open_files,
  open_files_max,
  threads,
  start_time,

  http_requests,
  http_connections,
  http_connections_cut,
  http_event_clients,
  http_event_clients_dropped,
};
inline constexpr auto metric_last = metric::http_event_clients_dropped;
inline constexpr std::size_t metric_count = static_cast<std::size_t>(metric_last) + 1;

/// The facts about one metric. All views have static storage.
struct metric_row {
  metric id;
  /// The full name: "hypermesh_", the noun, the unit, and `_total` for a counter.
  std::string_view name;
  metric_kind kind = metric_kind::gauge;
  /// A base unit of Prometheus ("seconds", "bytes"), or the counted noun.
  std::string_view unit;
  metric_group group = metric_group::service;
  std::array<label_set, 2> labels = {label_set::none, label_set::none};
  /// Upper bounds of the buckets of a histogram in ascending order, without +Inf.
  std::span<const double> buckets = {};
  /// One sentence or two.
  std::string_view help;
};

[[nodiscard]] std::span<const metric_row> metric_table();
[[nodiscard]] const metric_row& row_of(metric id);
[[nodiscard]] std::string_view title_of(metric_group group);

/// The name of the label, for example "reason".
[[nodiscard]] std::string_view name_of(label_set labels);
/// The number of values in a cluster of this many replicas; 1 for `none`.
[[nodiscard]] std::size_t count_of(label_set labels, std::uint32_t replicas);
/// The value with this index, which is below `count_of`.
[[nodiscard]] std::string value_of(label_set labels, std::size_t index);
/// Whether the value occurs. The two sets of rejections share their indices, and each uses only its own.
[[nodiscard]] bool is_used(label_set labels, std::size_t index);
/// The values as a reader of the reference sees them, for example "in, out" or "0 to n - 1".
[[nodiscard]] std::string values_text(label_set labels);

/// The phases in the order of the protocol. Each is measured from the end of the phase before it.
enum class phase : std::uint8_t { pre_prepare, prepared, committed, executed, replied };
inline constexpr auto phase_last = phase::replied;

enum class disk_directory : std::uint8_t { data, audit };
inline constexpr auto disk_directory_last = disk_directory::audit;
inline constexpr std::size_t disk_directory_count = static_cast<std::size_t>(disk_directory_last) + 1;

/// The reasons why a link dropped a frame that was to be sent.
enum class drop_reason : std::uint8_t { queue_full, link_down, too_long };
inline constexpr auto drop_reason_last = drop_reason::too_long;

/// The answers of the HTTP server, by meaning.
enum class http_answer : std::uint8_t { ok, unready, bad_request, unauthorized, not_found, bad_method, overloaded };
inline constexpr auto http_answer_last = http_answer::overloaded;

}  // namespace hypermesh::metrics
