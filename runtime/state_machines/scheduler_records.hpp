#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/state_machines/node_pool.hpp"
#include "runtime/state_machines/scheduler_results.hpp"

/// The records of the scheduler's state in its authenticated map. Every fact is stored once. Free resources, waiting
/// tasks and all totals except one are derived from these records.
///
/// | key           | value                                                                     |
/// |---------------|---------------------------------------------------------------------------|
/// | "h"           | u64 next ticket, u64 tasks ever released                                  |
/// | "n" node name | u32 index, u32 cpu_milli, u32 memory_mib, u8 gpus, model                  |
/// | "t" task name | u8 state, demand and service class, then by state: pending u64 ticket;    |
/// |               | placed u32 node, u16 gpus; released u32 node, u16 gpus, u64 ticket        |
namespace hypermesh::machines::scheduler {

struct header_record {
  /// The ticket of the next task that waits or is released. Tickets order both queues.
  std::uint64_t next_ticket = 0;
  std::uint64_t released = 0;
};

struct node_record {
  node_index index = 0;
  node_spec spec;
};

struct task_record {
  task_state state = task_state::submitted;
  demand needs;
  service_class service = service_class::best_effort;
  /// Set only for pending and released tasks.
  std::uint64_t ticket = 0;
  /// Set only for placed and released tasks.
  node_index node = 0;
  gpu_set gpus = 0;
};

inline constexpr std::string_view header_key = "h";
[[nodiscard]] std::string node_key(std::string_view name);
[[nodiscard]] std::string task_key(std::string_view name);

[[nodiscard]] byte_vector encode_record(const header_record& value);
[[nodiscard]] byte_vector encode_record(const node_record& value);
[[nodiscard]] byte_vector encode_record(const task_record& value);

/// Returns nothing unless the bytes are exactly one such record. The caller checks names and amounts.
[[nodiscard]] std::optional<header_record> decode_header(byte_span value);
[[nodiscard]] std::optional<node_record> decode_node(std::string_view name, byte_span value);
[[nodiscard]] std::optional<task_record> decode_task(byte_span value);

}  // namespace hypermesh::machines::scheduler
