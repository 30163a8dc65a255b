#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/byte_codec.hpp"
#include "messages/types.hpp"
#include "runtime/state_machines/checked.hpp"

/// Operations of the resource scheduler as bytes and as text.
///
/// The first octet is the place of the operation in `operation` below, from 1; then the
/// fields in order: numbers in little-endian order and in the width of their type,
/// texts with one octet of length, lists with one octet of count.
namespace hypermesh::scheduler {

/// Names of nodes, tasks and GPU models: visible ASCII.
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t model_alternatives_max = 16;
/// Sixteen is the largest server sold; the set of GPUs of a placement has 16 bits.
inline constexpr std::uint8_t gpus_per_node_max = 16;
/// A whole GPU.
inline constexpr std::uint16_t gpu_milli_whole = 1000;
/// 100,000 cores; keeps every sum over `nodes_max` nodes far below 64 bits.
inline constexpr std::uint32_t cpu_milli_max = 100'000'000;
/// One PiB.
inline constexpr std::uint32_t memory_mib_max = 1U << 30U;

/// Quality of service, as Kubernetes and the trace name it. Recorded and reported; it
/// does not change where or when a task is placed.
enum class service_class : std::uint8_t { best_effort = 0, burstable = 1, latency_sensitive = 2, guaranteed = 3 };
inline constexpr auto service_class_last = service_class::guaranteed;

/// A machine of the cluster: thousandths of a core, MiB, and GPUs of one model ("" without GPUs).
struct node_spec {
  std::string name;
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint8_t gpus = 0;
  std::string gpu_model;

  friend bool operator==(const node_spec&, const node_spec&) = default;
};

/// What a task takes while it is placed. One GPU may be shared in thousandths; several
/// are always whole. No `models`: any model will do.
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

/// Adds a node, and places waiting tasks on it.
struct register_node {
  node_spec node;
};
/// Makes a task known; it takes nothing yet.
struct submit_task {
  task_spec task;
};
/// Places a submitted or a waiting task, or lets it wait when it fits nowhere.
struct place_task {
  std::string name;
};
/// Ends a placed task, and places waiting tasks in the room that it leaves.
struct release_task {
  std::string name;
};
/// Ends a task whatever its state: releases it when it is placed, else forgets it.
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

/// Texts and lists within the bounds above, or the decoder refuses the result.
[[nodiscard]] byte_vector encode(const operation& value);

/// Understands exactly what `encode` makes: lengths, counts and the service class are
/// checked here, names and amounts by `flaw_of`.
[[nodiscard]] checked<operation> decode(byte_span bytes);

/// Demand and service class as they stand inside operations and records. A reader that
/// meets a value out of bounds fails.
void write_needs(byte_writer& out, const demand& needs, service_class service);
[[nodiscard]] demand read_needs(byte_reader& in, service_class& service);

[[nodiscard]] bool is_read(const operation& value);

/// Why the scheduler must refuse this node or task whatever its state; empty when it need not.
[[nodiscard]] std::string_view flaw_of(const node_spec& node);
[[nodiscard]] std::string_view flaw_of(const task_spec& task);

/// "BE", "Burstable", "LS", "Guaranteed", as the trace writes them.
[[nodiscard]] std::string_view to_string(service_class value);
[[nodiscard]] checked<service_class> parse_service_class(std::string_view text);

/// "G2|P100" as a list; an empty text gives an empty list.
[[nodiscard]] std::vector<std::string> parse_models(std::string_view text);

/// One line for each operation, for a command's help.
[[nodiscard]] std::string_view usage();

/// The operation that words of a command line mean, encoded, or what to write instead.
[[nodiscard]] checked<byte_vector> parse_operation(std::span<const std::string> words);

}  // namespace hypermesh::scheduler
