#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/expected.hpp"
#include "runtime/state_machines/scheduler_operations.hpp"

/// A cluster's history as operations of the resource scheduler. It is read from the two CSV files of the Alibaba GPU
/// trace (cluster-trace-gpu-v2023), or it is synthetic.
namespace hypermesh::cli {

/// A task of the trace. Times are in seconds since the trace began.
struct trace_task {
  scheduler::task_spec spec;
  std::uint64_t submit_time = 0;
  /// The time when the cluster of the trace placed the task; nothing if it never did.
  std::optional<std::uint64_t> place_time;
  std::optional<std::uint64_t> release_time;

  friend bool operator==(const trace_task&, const trace_task&) = default;
};

struct cluster_trace {
  std::vector<scheduler::node_spec> nodes;
  std::vector<trace_task> tasks;

  friend bool operator==(const cluster_trace&, const cluster_trace&) = default;
};

/// The largest number of rows of one file: as many as a scheduler can hold.
inline constexpr std::size_t trace_rows_max = 1'000'000;
inline constexpr std::uint64_t trace_bytes_max = 1ULL << 30U;

/// Reads the file of nodes (columns sn, cpu_milli, memory_mib, gpu, model) and the file
/// of pods (name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec, qos,
/// creation_time, deletion_time, scheduled_time). Columns are found by the names in the
/// first line, in any order, and other columns are ignored. Empty fields mean: no GPUs,
/// whole GPUs, any model, best effort, never scheduled, never deleted. The other fields
/// are required. The last five columns may be missing, as in
/// openb_pod_list_multigpu*.csv. All their fields then count as empty, and without
/// creation_time one pod arrives each second, in the order of the file. Fields may be
/// quoted; lines end in LF, CR LF or CR. A failure names file, line and column and says
/// what to do.
[[nodiscard]] or_reason<cluster_trace> read_trace(const std::filesystem::path& nodes_file,
                                                  const std::filesystem::path& pods_file);

/// Like `read_trace`, but from text. The failures name the files.
[[nodiscard]] or_reason<std::vector<scheduler::node_spec>> parse_trace_nodes(std::string_view text,
                                                                             std::string_view file_name);
[[nodiscard]] or_reason<std::vector<trace_task>> parse_trace_pods(std::string_view text, std::string_view file_name);

/// A synthetic workload that needs no files. Machines and demands have about the proportions of the Alibaba trace, and
/// tasks arrive so that about half of the GPUs are in use. Equal arguments give equal traces everywhere.
[[nodiscard]] cluster_trace synthetic_trace(std::uint64_t seed, std::size_t nodes, std::size_t tasks);

/// Events of one second happen in this order: resources are released before they are requested. If a task is released
/// in the second in which it was submitted or placed, its release comes last.
enum class trace_event_kind : std::uint8_t { register_node = 0, release = 1, submit = 2, place = 3, late_release = 4 };
inline constexpr auto trace_event_kind_last = trace_event_kind::late_release;

struct trace_event {
  std::uint64_t time = 0;
  trace_event_kind kind = trace_event_kind::register_node;
  /// The index of the node or task in its file.
  std::uint32_t subject = 0;
  /// The encoded operation of the scheduler.
  byte_vector operation;
};

/// All events: every node at time 0, then the others ordered by time, kind and place in
/// the file. A task without a place time is placed in the second of its submission. A
/// place time before the submission counts as the time of the submission, and a release
/// time before the placing counts as the time of the placing. A release is the operation
/// `end_task`: if this scheduler still lets a task wait when the history deletes it, the
/// task is withdrawn and not refused.
[[nodiscard]] std::vector<trace_event> events_of(const cluster_trace& trace);

}  // namespace hypermesh::cli
