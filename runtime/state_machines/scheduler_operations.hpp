#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/byte_codec.hpp"
#include "messages/expected.hpp"
#include "messages/types.hpp"

/// Operations of the resource scheduler as bytes and as text.
///
/// The first octet is the place of the operation in `operation` below, from 1. The fields follow in order. Numbers are
/// little-endian in the width of their type, times are 64-bit milliseconds, flags are the octet 0 or 1, texts have one
/// octet of length, and lists have one octet of count.
namespace hypermesh::machines::scheduler {

/// The longest name of a node, task or GPU model. Names are visible ASCII.
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t model_alternatives_max = 16;
/// The longest key of a submission, in visible ASCII. It has room for a UUID and a prefix.
inline constexpr std::size_t submission_key_bytes_max = 64;
/// The most rows of one page. A request may order 1,024 reads, so a page costs at most about 40 times as much as
/// placing a task: 100 µs. The pages of tasks, nodes and events also fit into a result (scheduler_results.hpp).
inline constexpr std::uint16_t page_rows_max = 128;
/// The most nodes that one explanation reads: about 50 µs.
inline constexpr std::size_t nodes_explained_max = 1'024;
/// The largest servers have sixteen GPUs. The set of GPUs of a placement has 16 bits.
inline constexpr std::uint8_t gpus_per_node_max = 16;
/// The amount that stands for a whole GPU.
inline constexpr std::uint16_t gpu_milli_whole = 1000;
/// 100,000 cores. This bound keeps every sum over `nodes_max` nodes far below 2⁶⁴.
inline constexpr std::uint32_t cpu_milli_max = 100'000'000;
/// The largest memory of a machine: one PiB.
inline constexpr std::uint32_t memory_mib_max = 1U << 30U;
/// The longest lease: a task that needs a longer one renews it, or needs none.
inline constexpr std::chrono::milliseconds lease_max = std::chrono::hours{24 * 366};

/// The time that the replicas agreed on with an operation.
using ordered_time = std::chrono::sys_time<std::chrono::milliseconds>;
/// Later times count as this one. The sum of a time and a lease is then below the largest time that can be written.
inline constexpr ordered_time ordered_time_max{std::chrono::milliseconds{std::int64_t{1} << 61U}};
static_assert(lease_max < ordered_time_max.time_since_epoch());

/// Quality of service, with the names of Kubernetes and the trace. The class is recorded and reported. It does not
/// change where or when a task is placed.
enum class service_class : std::uint8_t { best_effort = 0, burstable = 1, latency_sensitive = 2, guaranteed = 3 };
inline constexpr auto service_class_last = service_class::guaranteed;

/// A machine of the cluster: thousandths of a core, MiB, and GPUs of one model (the model is "" if there are no GPUs).
struct node_spec {
  std::string name;
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint8_t gpus = 0;
  std::string gpu_model;

  friend bool operator==(const node_spec&, const node_spec&) = default;
};

/// The resources that a task takes while it is placed. A task may take one GPU in thousandths, or several whole GPUs.
/// If `models` is empty, any model is suitable.
struct demand {
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint8_t gpus = 0;
  std::uint16_t gpu_milli = 0;
  std::vector<std::string> models;

  friend bool operator==(const demand&, const demand&) = default;
};

struct task_spec {
  std::string name;
  demand needs;
  service_class service = service_class::best_effort;

  friend bool operator==(const task_spec&, const task_spec&) = default;
};

// --- Writes ----------------------------------------------------------------------

/// Adds a node and places waiting tasks on it.
struct register_node {
  node_spec node;
};
/// Stops placements on a node. Its tasks stay.
struct drain_node {
  std::string name;
};
/// Lets a drained node accept tasks again, and places waiting tasks on it.
struct undrain_node {
  std::string name;
};
/// Removes a node that has no task. With `evicts`, its tasks are placed elsewhere or wait; see `removal_result`.
struct remove_node {
  std::string name;
  bool evicts = false;
};

/// Registers a task, which takes no resources before it is placed. With `places`, it is placed at once, or waits.
struct submit_task {
  task_spec task;
  /// If this is not zero, each placement of the task ends after this time, unless the lease is renewed.
  std::chrono::milliseconds lease{0};
  /// If this is not empty, a repetition by the same client with the same content gets the first result again.
  std::string key;
  bool places = false;
};
/// Places a submitted or waiting task. If it fits nowhere, it waits.
struct place_task {
  std::string name;
};
/// Ends a placed task, and places waiting tasks in the room that it leaves.
struct release_task {
  std::string name;
};
/// Ends a task in any state: a placed task is released, any other task is forgotten.
struct end_task {
  std::string name;
};
/// Lets the lease of a placed task end at the ordered time of this operation plus `lease`. Zero means the lease that
/// the task was submitted with.
struct renew_lease {
  std::string name;
  std::chrono::milliseconds lease{0};
};
/// Changes nothing by itself. Like every write, it first releases the tasks whose leases are over, so a client can end
/// them in a cluster without other writes.
struct expire_leases {};

// --- Reads -----------------------------------------------------------------------

/// `seen` is the number of an event that the client has seen. A replica that has not reached it refuses the read with
/// `behind_reason`. Zero accepts any state. Each answer begins with the number of the newest event.
struct query_node {
  std::string name;
  std::uint64_t seen = 0;
};
struct query_task {
  std::string name;
  std::uint64_t seen = 0;
};
struct query_summary {
  std::uint64_t seen = 0;
};
struct query_capacity {
  std::uint64_t seen = 0;
};
/// Why the nodes whose names follow `after` do not take a task; at most `nodes_explained_max` of them, by name.
struct explain_task {
  std::string name;
  std::string after;
  std::uint64_t seen = 0;
};
/// Which of the nodes whose names follow `after` would take a task with this demand.
struct explain_demand {
  demand needs;
  std::string after;
  std::uint64_t seen = 0;
};
/// The nodes whose names follow `after`, by name.
struct list_nodes {
  std::string after;
  std::uint16_t limit = page_rows_max;
  std::uint64_t seen = 0;
};
/// The tasks that follow `after` in the order of the state, which is no order of names. A task that exists throughout
/// the reading of all pages is on exactly one of them.
struct list_tasks {
  std::string after;
  std::uint16_t limit = page_rows_max;
  std::uint64_t seen = 0;
};
/// The placed tasks whose placements follow the ticket `after`, in the order of their placement. A placement that
/// exists throughout the reading of all pages is on exactly one of them. A task that is evicted and placed again
/// meanwhile may be on two pages; the later one is right.
struct list_placed {
  std::uint64_t after = 0;
  std::uint16_t limit = page_rows_max;
  std::uint64_t seen = 0;
};
/// The events after the number `since`. A replica that has not reached `since` refuses with `behind_reason`.
struct query_events {
  std::uint64_t since = 0;
  std::uint16_t limit = page_rows_max;
  std::uint64_t seen = 0;
};

using operation =
    std::variant<register_node, drain_node, undrain_node, remove_node, submit_task, place_task, release_task, end_task,
                 renew_lease, expire_leases, query_node, query_task, query_summary, query_capacity, explain_task,
                 explain_demand, list_nodes, list_tasks, list_placed, query_events>;

/// Encodes an operation. Its texts and lists must be within the bounds above, because the decoder refuses anything
/// longer.
[[nodiscard]] byte_vector encode(const operation& value);

/// Accepts only the exact output of `encode`. This function checks lengths, counts and the service class; `flaw_of`
/// checks names and amounts.
[[nodiscard]] or_reason<operation> decode(byte_span bytes);

/// The encoding of a time and of a flag. A reader fails at a time beyond `lease_max`, and at a flag other than 0 or 1.
void write_lease(byte_writer& out, std::chrono::milliseconds lease);
[[nodiscard]] std::chrono::milliseconds read_lease(byte_reader& in);
void write_flag(byte_writer& out, bool flag);
[[nodiscard]] bool read_flag(byte_reader& in);
/// The encoding of demand and service class in operations and records. A reader fails at a value out of bounds.
void write_needs(byte_writer& out, const demand& needs, service_class service);
[[nodiscard]] demand read_needs(byte_reader& in, service_class& service);

[[nodiscard]] bool is_read(const operation& value);

/// The reason why the scheduler refuses this node or task in every state; empty if it is valid.
[[nodiscard]] std::string_view flaw_of(const node_spec& node);
[[nodiscard]] std::string_view flaw_of(const task_spec& task);
[[nodiscard]] std::string_view flaw_of(const demand& needs);
[[nodiscard]] std::string_view flaw_of_key(std::string_view key);
/// Whether the text is 1 to 64 visible characters.
[[nodiscard]] bool is_name(std::string_view text);

/// Returns "BE", "Burstable", "LS" or "Guaranteed", the names in the trace.
[[nodiscard]] std::string_view to_string(service_class value);
[[nodiscard]] or_reason<service_class> parse_service_class(std::string_view text);

/// Splits a text such as "G2|P100" into a list. An empty text gives an empty list.
[[nodiscard]] std::vector<std::string> parse_models(std::string_view text);

/// The help text of a command: one line for each operation.
[[nodiscard]] std::string_view usage();

/// Encodes the operation that the words of a command line describe. The failure says what to write instead.
[[nodiscard]] or_reason<byte_vector> parse_operation(std::span<const std::string> words);

}  // namespace hypermesh::machines::scheduler
