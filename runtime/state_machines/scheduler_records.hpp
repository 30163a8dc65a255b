#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/state_machines/scheduler_results.hpp"

/// The records of the scheduler's state in its authenticated map. Every fact is stored once. Free resources, waiting
/// tasks, leases and all totals except one are derived from these records.
///
/// | key                     | value                                                                            |
/// |-------------------------|----------------------------------------------------------------------------------|
/// | "h"                     | u64 next ticket, u64 tasks ever released, u64 next event, u64 next node number,  |
/// |                         | u64 ordered time, u64 ticket and u64 count of the sweep                          |
/// | "n" node name           | u64 number, u64 event, u8 drained, u32 cpu_milli, u32 memory_mib, u8 gpus, model |
/// | "t" task name           | u8 state, demand and service class, u64 lease, then by state: pending u64        |
/// |                         | ticket, u64 deadline; released node name, u16 gpus, u64 ticket; placed the same  |
/// |                         | and u64 event, u64 deadline                                                      |
/// | "k" u32 client, key     | u64 ticket, digest of the submission, its first result                           |
/// | "e" u64 page            | the events of the page (event_log.hpp)                                           |
namespace hypermesh::machines::scheduler {

struct header_record {
  /// The next ticket. Tickets order waiting, placed and released tasks, and keys. No ticket is 0, which stands before
  /// the first one.
  std::uint64_t next_ticket = 1;
  std::uint64_t released = 0;
  std::uint64_t next_event = 1;
  std::uint64_t next_node = 0;
  /// The latest ordered time of a write.
  ordered_time time{};
  /// The sweep tries the waiting tasks from this ticket on, and continues with the first one after the last.
  std::uint64_t sweep_ticket = 0;
  /// The number of waiting tasks that the sweep still has to try.
  std::uint64_t sweep_left = 0;
};

struct node_record {
  /// The number of the node in the order of registration. It is never used again.
  std::uint64_t number = 0;
  /// The number of the event that registered, drained or undrained the node last.
  std::uint64_t event = 0;
  bool is_drained = false;
  node_spec spec;
};

struct task_record {
  task_state state = task_state::submitted;
  demand needs;
  service_class service = service_class::best_effort;
  std::chrono::milliseconds lease{0};
  /// Set unless the task is submitted: its place among the tasks that wait, are placed, or are released.
  std::uint64_t ticket = 0;
  /// Set only for placed and released tasks. A released task keeps the name of a node that was removed.
  std::string node;
  gpu_set gpus = 0;
  /// Set only for placed tasks: the number of the event that placed the task.
  std::uint64_t event = 0;
  /// Set only for tasks with a lease: the end of the lease of a placed task. For a waiting task, the end of the lease
  /// that it had when it was evicted, because its next lease does not end before.
  ordered_time deadline{};
};

/// The memory of a submission with a key.
struct submission_record {
  std::uint64_t ticket = 0;
  /// The digest of the encoded operation.
  digest content;
  /// The payload of its first result.
  byte_vector result;
};

/// The largest number of an event, ticket or node: far beyond what a cluster reaches, and small enough that no sum
/// wraps.
inline constexpr std::uint64_t counter_max = std::uint64_t{1} << 62U;

inline constexpr std::string_view header_key = "h";
[[nodiscard]] std::string node_key(std::string_view name);
[[nodiscard]] std::string task_key(std::string_view name);
[[nodiscard]] std::string submission_key(client_id client, std::string_view key);

/// The largest number of bytes of a task's record and its key, in any state of the task. It depends only on what was
/// submitted.
[[nodiscard]] std::uint64_t record_bytes_max(std::string_view task, const demand& needs);
/// The same for the key of a submission.
[[nodiscard]] std::uint64_t submission_bytes_max(std::string_view stored_key);

[[nodiscard]] byte_vector encode_record(const header_record& value);
[[nodiscard]] byte_vector encode_record(const node_record& value);
[[nodiscard]] byte_vector encode_record(const task_record& value);
[[nodiscard]] byte_vector encode_record(const submission_record& value);

/// Returns nothing unless the bytes are exactly one such record. The caller checks names and amounts.
[[nodiscard]] std::optional<header_record> decode_header(byte_span value);
[[nodiscard]] std::optional<node_record> decode_node(std::string_view name, byte_span value);
[[nodiscard]] std::optional<task_record> decode_task(byte_span value);
[[nodiscard]] std::optional<submission_record> decode_submission(byte_span value);

}  // namespace hypermesh::machines::scheduler
