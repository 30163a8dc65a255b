#pragma once

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
/// little-endian in the width of their type, texts have one octet of length, and lists have one octet of count.
namespace hypermesh::machines::scheduler {

/// The longest name of a node, task or GPU model. Names are visible ASCII.
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t model_alternatives_max = 16;
/// The largest servers have sixteen GPUs. The set of GPUs of a placement has 16 bits.
inline constexpr std::uint8_t gpus_per_node_max = 16;
/// The amount that stands for a whole GPU.
inline constexpr std::uint16_t gpu_milli_whole = 1000;
/// 100,000 cores. This bound keeps every sum over `nodes_max` nodes far below 2⁶⁴.
inline constexpr std::uint32_t cpu_milli_max = 100'000'000;
/// The largest memory of a machine: one PiB.
inline constexpr std::uint32_t memory_mib_max = 1U << 30U;

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

/// Adds a node and places waiting tasks on it.
struct register_node {
  node_spec node;
};
/// Registers a task, which takes no resources yet.
struct submit_task {
  task_spec task;
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
struct query_node {
  std::string name;
};
struct query_task {
  std::string name;
};
struct query_summary {};

using operation =
    std::variant<register_node, submit_task, place_task, release_task, end_task, query_node, query_task, query_summary>;

/// Encodes an operation. Its texts and lists must be within the bounds above, because the decoder refuses anything
/// longer.
[[nodiscard]] byte_vector encode(const operation& value);

/// Accepts only the exact output of `encode`. This function checks lengths, counts and the service class; `flaw_of`
/// checks names and amounts.
[[nodiscard]] or_reason<operation> decode(byte_span bytes);

/// The encoding of demand and service class in operations and records. A reader fails at a value out of bounds.
void write_needs(byte_writer& out, const demand& needs, service_class service);
[[nodiscard]] demand read_needs(byte_reader& in, service_class& service);

[[nodiscard]] bool is_read(const operation& value);

/// The reason why the scheduler refuses this node or task in every state; empty if it is valid.
[[nodiscard]] std::string_view flaw_of(const node_spec& node);
[[nodiscard]] std::string_view flaw_of(const task_spec& task);

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
