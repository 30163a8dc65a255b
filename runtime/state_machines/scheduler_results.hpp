#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/state_machines/machine_answer.hpp"
#include "runtime/state_machines/scheduler_operations.hpp"

/// Results of the resource scheduler, as bytes and as text.
///
/// | operation              | payload of `applied`                     |
/// |------------------------|------------------------------------------|
/// | register, release, end | `placements` of tasks that waited        |
/// | submit                 | empty                                    |
/// | place                  | `placement`, or empty: the task waits    |
/// | queries                | `node_view`, `task_view`, `summary_view` |
///
/// The fields follow in order and have the same encoding as the fields of the operations.
namespace hypermesh::machines::scheduler {

/// A set of GPUs. Bit i stands for GPU i of the node.
using gpu_set = std::uint16_t;

/// A task that was placed on a node.
struct placement {
  std::string task;
  std::string node;
  gpu_set gpus = 0;

  friend bool operator==(const placement&, const placement&) = default;
};

/// The waiting tasks that an operation placed, in their order; at most `waiting_examined_max`.
using placements = std::vector<placement>;

enum class task_state : std::uint8_t { submitted = 0, pending = 1, placed = 2, released = 3 };
inline constexpr auto task_state_last = task_state::released;

[[nodiscard]] std::string_view to_string(task_state value);

struct node_view {
  node_spec spec;
  std::uint32_t cpu_milli_free = 0;
  std::uint32_t memory_mib_free = 0;
  /// The free thousandths of each GPU, in order.
  std::vector<std::uint16_t> gpu_milli_free;
  std::uint32_t tasks = 0;

  friend bool operator==(const node_view&, const node_view&) = default;
};

struct task_view {
  task_spec spec;
  task_state state = task_state::submitted;
  /// The node where the task is or was placed; empty if the task was never placed.
  std::string node;
  gpu_set gpus = 0;

  friend bool operator==(const task_view&, const task_view&) = default;
};

struct summary_view {
  std::uint64_t nodes = 0;
  /// The number of tasks in each state now.
  std::uint64_t submitted = 0;
  std::uint64_t pending = 0;
  std::uint64_t placed = 0;
  /// The number of tasks that were ever released. Older tasks are counted but no longer known by name.
  std::uint64_t released = 0;
  std::uint64_t cpu_milli_total = 0;
  std::uint64_t cpu_milli_used = 0;
  std::uint64_t memory_mib_total = 0;
  std::uint64_t memory_mib_used = 0;
  std::uint64_t gpu_milli_total = 0;
  std::uint64_t gpu_milli_used = 0;

  friend bool operator==(const summary_view&, const summary_view&) = default;
};

[[nodiscard]] byte_vector encode_result(const placement& value);
[[nodiscard]] byte_vector encode_result(const placements& value);
[[nodiscard]] byte_vector encode_result(const node_view& value);
[[nodiscard]] byte_vector encode_result(const task_view& value);
[[nodiscard]] byte_vector encode_result(const summary_view& value);

/// Returns nothing unless the payload is exactly one such result.
[[nodiscard]] std::optional<placement> decode_placement(byte_span payload);
[[nodiscard]] std::optional<placements> decode_placements(byte_span payload);
[[nodiscard]] std::optional<node_view> decode_node_view(byte_span payload);
[[nodiscard]] std::optional<task_view> decode_task_view(byte_span payload);
[[nodiscard]] std::optional<summary_view> decode_summary_view(byte_span payload);

/// Interprets the result of the operation `submitted`.
[[nodiscard]] machine_answer interpret(byte_span submitted, const operation_result& result);

}  // namespace hypermesh::machines::scheduler
