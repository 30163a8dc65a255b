#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hypermesh/state_machine.hpp>

#include "runtime/state_machines/machine_answer.hpp"
#include "runtime/state_machines/scheduler_operations.hpp"

/// Results of the resource scheduler, as bytes and as text.
///
/// | operation                                         | payload of `applied`                         |
/// |---------------------------------------------------|----------------------------------------------|
/// | register, drain, undrain, submit, place, release, | `change_result`                              |
/// | end                                               |                                              |
/// | remove                                            | `removal_result`                             |
/// | renew                                             | `renewal_result`                             |
/// | expire                                            | `expiry_result`                              |
/// | queries                                           | `node_view`, `task_view`, `summary_view`,    |
/// |                                                   | `capacity_view`, `fit_view`, `nodes_page`,   |
/// |                                                   | `tasks_page`, `placed_page`, `events_page`   |
///
/// Every payload begins with `event`, the number of the newest event of the state that it shows. So a client sees that
/// no answer is older than one before. The fields follow in order and have the same encoding as the fields of the
/// operations.
namespace hypermesh::machines::scheduler {

/// The reason for which a replica refuses a read whose client has seen more. The text is constant, so that the refusals
/// of replicas at different positions match.
inline constexpr std::string_view behind_reason =
    "behind: this replica has not reached the event that the client has seen; ask again, or order the read";

/// A set of GPUs. Bit i stands for GPU i of the node.
using gpu_set = std::uint16_t;

/// A task that was placed on a node.
struct placement {
  std::string task;
  std::string node;
  gpu_set gpus = 0;

  friend bool operator==(const placement&, const placement&) = default;
};

using placements = std::vector<placement>;

/// What a write did. `event` is the number of the newest event after it: a client that names it as `seen` reads its own
/// write. The tasks that the write placed follow in their order: the task itself, or tasks that waited for room on the
/// node of the write. Tasks that found room because a lease was over, or in the sweep of the waiting tasks, are not
/// among them; their events tell.
struct change_result {
  std::uint64_t event = 0;
  placements placed;

  friend bool operator==(const change_result&, const change_result&) = default;
};

/// A removed node, or a drained one that still has `remaining` tasks, because the work of one operation
/// is bounded (`scheduler_bounds::work_max`). The client repeats the operation until none remains.
struct removal_result {
  std::uint64_t event = 0;
  std::uint32_t evicted = 0;
  std::uint32_t remaining = 0;
  /// The evicted tasks that found another node. The others wait.
  placements placed;

  friend bool operator==(const removal_result&, const removal_result&) = default;
};

/// A renewed lease. No event tells of it, because leases are renewed far more often than placements change.
struct renewal_result {
  std::uint64_t event = 0;
  /// The lease is over at the first write whose ordered time is not before this.
  ordered_time deadline{};

  friend bool operator==(const renewal_result&, const renewal_result&) = default;
};

struct expiry_result {
  std::uint64_t event = 0;
  /// Tasks that this operation released because their leases are over, and those that are left for the next write.
  /// Both are counted up to the number that one write can release.
  std::uint32_t expired = 0;
  std::uint32_t due = 0;
  /// Waiting tasks that the next writes try, because a node gained room.
  std::uint64_t untried = 0;

  friend bool operator==(const expiry_result&, const expiry_result&) = default;
};

enum class task_state : std::uint8_t { submitted = 0, pending = 1, placed = 2, released = 3 };
inline constexpr auto task_state_last = task_state::released;

[[nodiscard]] std::string_view to_string(task_state value);

struct node_view {
  /// In a page, the event of the page.
  std::uint64_t event = 0;
  node_spec spec;
  bool is_drained = false;
  std::uint32_t cpu_milli_free = 0;
  std::uint32_t memory_mib_free = 0;
  /// The free thousandths of each GPU, in order.
  std::vector<std::uint16_t> gpu_milli_free;
  std::uint32_t tasks = 0;
  /// The number of the event that registered, drained or undrained the node last.
  std::uint64_t changed_by = 0;

  friend bool operator==(const node_view&, const node_view&) = default;
};

struct task_view {
  std::uint64_t event = 0;
  task_spec spec;
  task_state state = task_state::submitted;
  /// The node where the task is or was placed; empty if the task was never placed.
  std::string node;
  gpu_set gpus = 0;
  /// The number of the event that placed the task; 0 if it is not placed.
  std::uint64_t placed_by = 0;
  std::chrono::milliseconds lease{0};
  /// The end of the lease of a placed task. A lease that is over counts until a write releases the task.
  ordered_time deadline{};

  friend bool operator==(const task_view&, const task_view&) = default;
};

struct summary_view {
  std::uint64_t event = 0;
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
  /// The ordered time of the last write, in milliseconds since the Unix epoch.
  std::uint64_t time = 0;

  friend bool operator==(const summary_view&, const summary_view&) = default;
};

/// The numbers k of whole GPUs for which fragmentation is reported.
inline constexpr std::array<std::uint8_t, 4> fragment_sizes = {1, 2, 4, 8};

/// The nodes of one GPU model. The free amounts leave out drained nodes, because nothing is placed there.
struct model_capacity {
  /// "" stands for nodes without GPUs.
  std::string model;
  std::uint64_t nodes = 0;
  std::uint64_t nodes_drained = 0;
  std::uint64_t cpu_milli_free = 0;
  std::uint64_t memory_mib_free = 0;
  std::uint64_t gpu_milli_free = 0;
  std::uint64_t gpus_whole_free = 0;
  /// Fragmentation: the part of `gpu_milli_free` that tasks of k = `fragment_sizes[i]` whole GPUs cannot use. On a node
  /// with w entirely free GPUs, such tasks can use ⌊w / k⌋ · k of them. Divided by `gpu_milli_free` this is the
  /// fragmentation for k. Only GPUs count, not processors and memory.
  std::array<std::uint64_t, fragment_sizes.size()> gpu_milli_stranded{};

  friend bool operator==(const model_capacity&, const model_capacity&) = default;
};

struct capacity_view {
  std::uint64_t event = 0;
  /// In the order of the models' names; at most `gpu_models_max`.
  std::vector<model_capacity> models;

  friend bool operator==(const capacity_view&, const capacity_view&) = default;
};

/// The constraints of a placement, in the order in which they are examined.
enum class fit_blocker : std::uint8_t { drained = 0, model = 1, cpu = 2, memory = 3, gpu = 4 };
inline constexpr auto fit_blocker_last = fit_blocker::gpu;
inline constexpr auto fit_blockers = static_cast<std::size_t>(fit_blocker_last) + 1;

[[nodiscard]] std::string_view to_string(fit_blocker value);

/// How many of the examined nodes can take a task, and what keeps it away from the others. The numbers of
/// `first_blocker` and `fitting` add up to `nodes`.
struct fit_view {
  std::uint64_t event = 0;
  std::uint32_t nodes = 0;
  std::uint32_t fitting = 0;
  /// The nodes by the first constraint that fails.
  std::array<std::uint32_t, fit_blockers> first_blocker{};
  /// The nodes where no other constraint fails, so that one change helps.
  std::array<std::uint32_t, fit_blockers> only_blocker{};
  /// The nodes that are not drained, do not fit now, and would fit if they were empty.
  std::uint32_t fitting_when_empty = 0;
  /// The name of the last examined node, if others follow; otherwise empty.
  std::string next;

  friend bool operator==(const fit_view&, const fit_view&) = default;
};

/// What an event tells. Each change of the state makes events, except the renewal of a lease.
enum class event_kind : std::uint8_t {
  node_registered = 1,
  node_drained = 2,
  node_undrained = 3,
  node_removed = 4,
  task_submitted = 5,
  /// The task was to be placed and fits nowhere.
  task_waits = 6,
  task_placed = 7,
  task_released = 8,
  /// Released because its lease is over.
  task_expired = 9,
  /// Taken from a node that is removed. It is placed elsewhere or waits; the next event of the task tells.
  task_evicted = 10,
  /// Ended before it was placed, and forgotten.
  task_withdrawn = 11,
};
inline constexpr auto event_kind_first = event_kind::node_registered;
inline constexpr auto event_kind_last = event_kind::task_withdrawn;

[[nodiscard]] std::string_view to_string(event_kind value);
[[nodiscard]] constexpr bool is_about_node(event_kind kind) { return kind <= event_kind::node_removed; }

/// A change of the state. Events have the numbers 1, 2, 3 … without gaps.
struct event {
  event_kind kind = event_kind::node_registered;
  /// The ordered time of the operation.
  ordered_time time{};
  /// The task that changed; empty for a node.
  std::string task;
  /// The node that changed; for a task, the node where it is or was placed, or empty.
  std::string node;
  gpu_set gpus = 0;
  /// The end of the lease of a placed task; zero without a lease.
  ordered_time deadline{};

  friend bool operator==(const event&, const event&) = default;
};

/// The fields of an event, with texts that somebody else owns.
struct event_view {
  event_kind kind = event_kind::node_registered;
  ordered_time time{};
  std::string_view task;
  std::string_view node;
  gpu_set gpus = 0;
  ordered_time deadline{};
};
[[nodiscard]] event_view view_of(const event& value);

/// A part of the sequence of events. If `is_compacted`, the events after the asked number are not all kept, and the
/// client lists the placed tasks and the nodes instead (`list_placed`, `list_nodes`).
struct events_page {
  /// The number of the newest event; 0 if there is none yet.
  std::uint64_t event = 0;
  bool is_compacted = false;
  /// The number of the oldest event that is kept; 1 if there is none yet.
  std::uint64_t oldest = 1;
  /// The number of the first event below. The next page follows the number `first` + `events.size()` - 1.
  std::uint64_t first = 1;
  std::vector<scheduler::event> events;

  friend bool operator==(const events_page&, const events_page&) = default;
};

/// A node in a page. The page reflects all events up to `event`.
struct nodes_page {
  std::uint64_t event = 0;
  std::vector<node_view> rows;
  /// Whether a page follows, after the last row.
  bool is_last = true;

  friend bool operator==(const nodes_page&, const nodes_page&) = default;
};

struct task_row {
  std::string name;
  task_state state = task_state::submitted;
  std::string node;
  gpu_set gpus = 0;
  /// The number of the event that placed the task; 0 if it is not placed.
  std::uint64_t placed_by = 0;
  ordered_time deadline{};

  friend bool operator==(const task_row&, const task_row&) = default;
};

/// A part of the tasks. It reflects all events up to `event`; other pages may reflect more.
struct tasks_page {
  std::uint64_t event = 0;
  std::vector<task_row> rows;
  /// The name after which the next page begins; empty if this page is the last.
  std::string next;

  friend bool operator==(const tasks_page&, const tasks_page&) = default;
};

/// A part of the placed tasks. It reflects all events up to `event`; other pages may reflect more, and
/// `placement_watch` brings all of them to one state.
struct placed_page {
  std::uint64_t event = 0;
  std::vector<task_row> rows;
  /// The ticket after which the next page begins; nothing if this page is the last.
  std::optional<std::uint64_t> next;

  friend bool operator==(const placed_page&, const placed_page&) = default;
};

[[nodiscard]] byte_vector encode_result(const change_result& value);
[[nodiscard]] byte_vector encode_result(const removal_result& value);
[[nodiscard]] byte_vector encode_result(const renewal_result& value);
[[nodiscard]] byte_vector encode_result(const expiry_result& value);
[[nodiscard]] byte_vector encode_result(const node_view& value);
[[nodiscard]] byte_vector encode_result(const task_view& value);
[[nodiscard]] byte_vector encode_result(const summary_view& value);
[[nodiscard]] byte_vector encode_result(const capacity_view& value);
[[nodiscard]] byte_vector encode_result(const fit_view& value);
[[nodiscard]] byte_vector encode_result(const nodes_page& value);
[[nodiscard]] byte_vector encode_result(const tasks_page& value);
[[nodiscard]] byte_vector encode_result(const placed_page& value);
[[nodiscard]] byte_vector encode_result(const events_page& value);

/// Returns nothing unless the payload is exactly one such result.
[[nodiscard]] std::optional<change_result> decode_change(byte_span payload);
[[nodiscard]] std::optional<removal_result> decode_removal(byte_span payload);
[[nodiscard]] std::optional<renewal_result> decode_renewal(byte_span payload);
[[nodiscard]] std::optional<expiry_result> decode_expiry(byte_span payload);
[[nodiscard]] std::optional<node_view> decode_node_view(byte_span payload);
[[nodiscard]] std::optional<task_view> decode_task_view(byte_span payload);
[[nodiscard]] std::optional<summary_view> decode_summary_view(byte_span payload);
[[nodiscard]] std::optional<capacity_view> decode_capacity(byte_span payload);
[[nodiscard]] std::optional<fit_view> decode_fit(byte_span payload);
[[nodiscard]] std::optional<nodes_page> decode_nodes_page(byte_span payload);
[[nodiscard]] std::optional<tasks_page> decode_tasks_page(byte_span payload);
[[nodiscard]] std::optional<placed_page> decode_placed_page(byte_span payload);
[[nodiscard]] std::optional<events_page> decode_events_page(byte_span payload);

/// The encoding of one event, in results and in the state. A reader fails at an unknown kind.
void write_event(byte_writer& out, const event_view& value);
[[nodiscard]] event read_event(byte_reader& in);

/// The encoding of an ordered time: 64-bit milliseconds since the Unix epoch. A reader fails beyond 2⁶².
void write_time(byte_writer& out, ordered_time time);
[[nodiscard]] ordered_time read_time(byte_reader& in);

/// Interprets the result of the operation `submitted`.
[[nodiscard]] machine_answer interpret(byte_span submitted, const operation_result& result);

}  // namespace hypermesh::machines::scheduler
