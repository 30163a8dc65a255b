#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

#include "tools/hypermesh/traces/splitmix64.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::cli {

using namespace scheduler;

namespace {

/// A kind of machine, and its share in percent of all machines.
struct machine_kind {
  std::uint64_t percent;
  std::uint32_t cpu_milli;
  std::uint32_t memory_mib;
  std::uint8_t gpus;
  std::string_view model;
};

constexpr std::array<machine_kind, 5> machine_kinds = {{{36, 96'000, 393'216, 8, "G2"},
                                                        {27, 96'000, 393'216, 2, "T4"},
                                                        {20, 94'000, 262'144, 0, ""},
                                                        {10, 64'000, 262'144, 2, "P100"},
                                                        {7, 96'000, 786'432, 8, "V100M32"}}};

node_spec synthetic_node(splitmix64& random, std::size_t number) {
  auto draw = random.below(100);
  const auto* kind = machine_kinds.data();
  while (draw >= kind->percent)
    draw -= (kind++)->percent;
  return {fmt::format("node-{:05}", number), kind->cpu_milli, kind->memory_mib, kind->gpus, std::string{kind->model}};
}

task_spec synthetic_task(splitmix64& random, std::size_t number) {
  task_spec task;
  task.name = fmt::format("task-{:06}", number);
  auto& needs = task.needs;
  needs.cpu_milli = static_cast<std::uint32_t>(1'000 * (1 + random.below(12)));
  needs.memory_mib = static_cast<std::uint32_t>(1'024 * (2 + random.below(30)));
  const auto draw = random.below(100);
  // Of 100 tasks, 13 take no GPU, 37 take a share of one GPU, 48 take one GPU, and 2 take several.
  if (draw >= 13 && draw < 50) {
    needs.gpus = 1;
    needs.gpu_milli = static_cast<std::uint16_t>(10 * (5 + random.below(90)));
  } else if (draw >= 50) {
    needs.gpus = draw < 98 ? std::uint8_t{1} : static_cast<std::uint8_t>(2U << random.below(3));
    needs.gpu_milli = gpu_milli_whole;
  }
  if (needs.gpus > 0 && random.below(10) == 0) needs.models = {"G2", "V100M32"};
  task.service = static_cast<service_class>(random.below(static_cast<std::uint64_t>(service_class_last) + 1));
  return task;
}

}  // namespace

cluster_trace synthetic_trace(std::uint64_t seed, std::size_t nodes, std::size_t tasks) {
  splitmix64 random{seed};
  cluster_trace trace;
  trace.nodes.reserve(nodes);
  trace.tasks.reserve(tasks);
  for (std::size_t number = 0; number < nodes; ++number)
    trace.nodes.push_back(synthetic_node(random, number));
  // Tasks stay for half a day on average, so this gap keeps about three of them on each node.
  const auto mean_gap_ms = 14'400'000 / std::max<std::uint64_t>(nodes, 1);
  std::uint64_t now_ms = 0;
  for (std::size_t number = 0; number < tasks; ++number) {
    now_ms += random.below(2 * mean_gap_ms + 1);
    const auto now = now_ms / 1'000;
    trace_task task{synthetic_task(random, number), now, {}, {}};
    // One task in ten was never placed in the history, and one in a hundred never ends.
    if (random.below(10) != 0) task.place_time = now + random.below(30);
    if (random.below(100) != 0) task.release_time = task.place_time.value_or(now) + 60 + random.below(86'400);
    trace.tasks.push_back(std::move(task));
  }
  return trace;
}

std::vector<trace_event> events_of(const cluster_trace& trace) {
  std::vector<trace_event> events;
  events.reserve(trace.nodes.size() + 3 * trace.tasks.size());
  for (std::uint32_t index = 0; index < trace.nodes.size(); ++index) {
    events.push_back({0, trace_event_kind::register_node, index, encode(register_node{trace.nodes[index]})});
  }
  const auto first_task_event = static_cast<std::ptrdiff_t>(events.size());
  for (std::uint32_t index = 0; index < trace.tasks.size(); ++index) {
    const auto& task = trace.tasks[index];
    const auto& name = task.spec.name;
    const auto placed = std::max(task.place_time.value_or(task.submit_time), task.submit_time);
    events.push_back(
        {task.submit_time, trace_event_kind::submit, index, encode(submit_task{task.spec, {}, {}, false})});
    events.push_back({placed, trace_event_kind::place, index, encode(place_task{name})});
    if (!task.release_time) continue;
    const auto released = std::max(*task.release_time, placed);
    const auto kind = released == placed ? trace_event_kind::late_release : trace_event_kind::release;
    events.push_back({released, kind, index, encode(end_task{name})});
  }
  std::sort(events.begin() + first_task_event, events.end(), [](const trace_event& left, const trace_event& right) {
    return std::tie(left.time, left.kind, left.subject) < std::tie(right.time, right.kind, right.subject);
  });
  return events;
}

}  // namespace hypermesh::cli
