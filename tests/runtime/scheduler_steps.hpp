#pragma once

#include <string>

#include "runtime/state_machines/resource_scheduler.hpp"

/// Short forms of the scheduler's operations, for its tests.
namespace hypermesh::testing::scheduler_steps {

inline operation_result run(state_machine& machine, const scheduler::operation& operation) {
  return machine.apply({}, scheduler::encode(operation));
}

/// Executes an operation at an ordered time, in seconds since the Unix epoch.
inline operation_result run_at(state_machine& machine, std::int64_t seconds, const scheduler::operation& operation,
                               client_id client = client_id{0}) {
  operation_context context{};
  context.client = client;
  context.ordered_time = scheduler::ordered_time{std::chrono::seconds{seconds}};
  return machine.apply(context, scheduler::encode(operation));
}

inline operation_result add_node(state_machine& machine, const std::string& name, std::uint32_t cpu_milli,
                                 std::uint32_t memory_mib, std::uint8_t gpus = 0, const std::string& model = "") {
  return run(machine, scheduler::register_node{{name, cpu_milli, memory_mib, gpus, model}});
}

inline operation_result submit(state_machine& machine, const std::string& name, const scheduler::demand& needs) {
  return run(machine, scheduler::submit_task{{name, needs, scheduler::service_class::burstable}, {}, {}, false});
}

/// Submits a task and places it.
inline operation_result start(state_machine& machine, const std::string& name, const scheduler::demand& needs) {
  const auto submitted = submit(machine, name, needs);
  return submitted.status == operation_status::applied ? run(machine, scheduler::place_task{name}) : submitted;
}

inline operation_result release(state_machine& machine, const std::string& name) {
  return run(machine, scheduler::release_task{name});
}

/// What a write did; an empty result with the event 2⁶⁴ - 1 if it was not applied.
inline scheduler::change_result change_of(const operation_result& result) {
  const auto change = scheduler::decode_change(result.payload);
  const bool is_change = result.status == operation_status::applied && change;
  return is_change ? *change : scheduler::change_result{~std::uint64_t{0}, {}};
}

/// The name of the node where the task is; empty when it waits, "?" when the result is no change.
inline std::string node_in(const operation_result& placing) {
  const auto change = change_of(placing);
  if (change.event == ~std::uint64_t{0}) return "?";
  return change.placed.empty() ? "" : change.placed.front().node;
}

inline scheduler::gpu_set gpus_in(const operation_result& placing) {
  const auto change = change_of(placing);
  return change.placed.empty() ? scheduler::gpu_set{0} : change.placed.front().gpus;
}

/// The names of the waiting tasks that an operation placed, each with a space before it.
inline std::string placed_by(const operation_result& result) {
  const auto change = change_of(result);
  if (change.event == ~std::uint64_t{0}) return "?";
  std::string names;
  for (const auto& each : change.placed)
    names += " " + each.task;
  return names;
}

}  // namespace hypermesh::testing::scheduler_steps
