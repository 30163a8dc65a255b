#pragma once

#include <string>

#include "runtime/state_machines/resource_scheduler.hpp"

/// Short forms of the scheduler's operations, for its tests.
namespace hypermesh::testing::scheduler_steps {

inline operation_result run(state_machine& machine, const scheduler::operation& operation) {
  return machine.apply({}, scheduler::encode(operation));
}

inline operation_result add_node(state_machine& machine, const std::string& name, std::uint32_t cpu_milli,
                                 std::uint32_t memory_mib, std::uint8_t gpus = 0, const std::string& model = "") {
  return run(machine, scheduler::register_node{{name, cpu_milli, memory_mib, gpus, model}});
}

inline operation_result submit(state_machine& machine, const std::string& name, const scheduler::demand& needs) {
  return run(machine, scheduler::submit_task{{name, needs, scheduler::service_class::burstable}});
}

/// Submits a task and places it.
inline operation_result start(state_machine& machine, const std::string& name, const scheduler::demand& needs) {
  const auto submitted = submit(machine, name, needs);
  return submitted.status == operation_status::applied ? run(machine, scheduler::place_task{name}) : submitted;
}

inline operation_result release(state_machine& machine, const std::string& name) {
  return run(machine, scheduler::release_task{name});
}

/// The name of the node where the task is placed; empty when the task waits, "?" when the result is not a placement.
inline std::string node_in(const operation_result& placing) {
  if (placing.status != operation_status::applied) return "?";
  if (placing.payload.empty()) return "";
  const auto placed = scheduler::decode_placement(placing.payload);
  return placed ? placed->node : "?";
}

inline scheduler::gpu_set gpus_in(const operation_result& placing) {
  const auto placed = scheduler::decode_placement(placing.payload);
  return placed ? placed->gpus : scheduler::gpu_set{0};
}

/// The names of the waiting tasks that an operation placed, each with a space before it.
inline std::string placed_by(const operation_result& result) {
  const auto placed = scheduler::decode_placements(result.payload);
  if (result.status != operation_status::applied || !placed) return "?";
  std::string names;
  for (const auto& each : *placed)
    names += " " + each.task;
  return names;
}

}  // namespace hypermesh::testing::scheduler_steps
