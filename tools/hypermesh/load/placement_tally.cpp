#include "tools/hypermesh/load/placement_tally.hpp"

#include <bit>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

/// The share of each of its GPUs that the task takes.
std::uint32_t share_of(const scheduler::demand& needs) {
  return needs.gpus > 1 ? scheduler::gpu_milli_whole : needs.gpu_milli;
}

template <class Number, class Amount>
void shift(Number& total, Amount amount, bool add) {
  total = static_cast<Number>(add ? total + amount : total - amount);
}

}  // namespace

placement_tally::placement_tally(const cluster_trace& trace)
    : trace_(&trace), nodes_(trace.nodes.size()), tasks_(trace.tasks.size()) {
  for (std::uint32_t index = 0; index < trace.nodes.size(); ++index)
    node_numbers_.emplace(trace.nodes[index].name, index);
  for (std::uint32_t index = 0; index < trace.tasks.size(); ++index) {
    task_numbers_.emplace(trace.tasks[index].spec.name, index);
  }
}

void placement_tally::note(const trace_event& event, const operation_result& result) {
  if (result.status == operation_status::refused) {
    ++counts_.refused;
    if (first_refusal_.empty()) {
      first_refusal_ = fmt::format("{}: {}", name_of(event), scheduler::interpret(event.operation, result).line);
    }
    return;
  }
  if (result.status != operation_status::applied) {
    ++counts_.malformed;
    return;
  }
  ++counts_.applied;
  switch (event.kind) {
    case trace_event_kind::register_node: {
      const auto& spec = trace_->nodes[event.subject];
      ++counts_.nodes_registered;
      capacity_.cpu_milli += spec.cpu_milli;
      capacity_.memory_mib += spec.memory_mib;
      capacity_.gpu_milli += std::uint64_t{spec.gpus} * scheduler::gpu_milli_whole;
      note_placements(result.payload);
      break;
    }
    case trace_event_kind::submit:
      ++counts_.tasks_submitted;
      tasks_[event.subject].state = task_state::submitted;
      break;
    case trace_event_kind::place:
      note_placing(event, result.payload);
      break;
    case trace_event_kind::release:
    case trace_event_kind::late_release:
      end(event.subject);
      note_placements(result.payload);
      break;
  }
  note_peak(event.time);
}

std::string placement_tally::name_of(const trace_event& event) const {
  if (event.kind == trace_event_kind::register_node) {
    return fmt::format("register node {}", trace_->nodes[event.subject].name);
  }
  const auto* verb = event.kind == trace_event_kind::submit  ? "submit"
                     : event.kind == trace_event_kind::place ? "place"
                                                             : "end";
  return fmt::format("{} task {}", verb, trace_->tasks[event.subject].spec.name);
}

void placement_tally::note_placing(const trace_event& event, byte_span payload) {
  auto& task = tasks_[event.subject];
  const auto change = scheduler::decode_change(payload);
  if (change && change->placed.empty()) {
    if (task.state != task_state::waiting) ++waiting_;
    task.state = task_state::waiting;
    ++counts_.tasks_waited;
    return;
  }
  note_placements(payload);
}

void placement_tally::note_placements(byte_span payload) {
  const auto change = scheduler::decode_change(payload);
  if (!change) {
    ++counts_.malformed;
    return;
  }
  for (const auto& each : change->placed)
    place(each);
}

void placement_tally::place(const scheduler::placement& placed) {
  placements_.add(placed.task.size()).add(as_byte_span(placed.task));
  placements_.add(placed.node.size()).add(as_byte_span(placed.node)).add(std::uint64_t{placed.gpus});
  const auto task = task_numbers_.find(placed.task);
  const auto node = node_numbers_.find(placed.node);
  if (task == task_numbers_.end() || node == node_numbers_.end()) {
    flaw_ =
        fmt::format("task {} was placed on {}, but the trace lacks the task or the machine", placed.task, placed.node);
    return;
  }
  auto& use = tasks_[task->second];
  if (use.state == task_state::waiting) --waiting_;
  if (use.state == task_state::placed) flaw_ = fmt::format("task {} was placed twice", placed.task);
  use = {task_state::placed, node->second, placed.gpus};
  ++counts_.tasks_placed;
  ++by_gpu_model_[trace_->nodes[node->second].gpu_model];
  const auto& spec = trace_->tasks[task->second].spec;
  account(use, spec.needs, true);
  check_bounds(use, spec);
}

void placement_tally::end(std::uint32_t number) {
  auto& task = tasks_[number];
  if (task.state == task_state::placed) {
    ++counts_.tasks_released;
    account(task, trace_->tasks[number].spec.needs, false);
  } else {
    ++counts_.tasks_withdrawn;
    if (task.state == task_state::waiting) --waiting_;
  }
  task.state = task_state::ended;
}

void placement_tally::account(const task_use& task, const scheduler::demand& needs, bool add) {
  auto& node = nodes_[task.node];
  const auto gpu_milli = std::uint64_t{needs.gpus} * share_of(needs);
  for (auto* total : {&now_, &node.used}) {
    shift(total->cpu_milli, needs.cpu_milli, add);
    shift(total->memory_mib, needs.memory_mib, add);
    shift(total->gpu_milli, gpu_milli, add);
    shift(total->tasks, 1U, add);
  }
  for (std::size_t gpu = 0; gpu < node.gpu_milli.size(); ++gpu) {
    if ((task.gpus >> gpu & 1U) != 0) shift(node.gpu_milli[gpu], share_of(needs), add);
  }
}

void placement_tally::check_bounds(const task_use& task, const scheduler::task_spec& spec) {
  const auto& node = nodes_[task.node];
  const auto& machine = trace_->nodes[task.node];
  if (node.used.cpu_milli > machine.cpu_milli || node.used.memory_mib > machine.memory_mib) {
    flaw_ = fmt::format("task {} overloads machine {}", spec.name, machine.name);
  }
  if (std::popcount(task.gpus) != spec.needs.gpus) {
    flaw_ = fmt::format("task {} requested {} GPUs but has {}", spec.name, spec.needs.gpus, std::popcount(task.gpus));
  }
  for (std::size_t gpu = 0; gpu < node.gpu_milli.size(); ++gpu) {
    const auto has = gpu < machine.gpus ? std::uint32_t{scheduler::gpu_milli_whole} : 0U;
    if (node.gpu_milli[gpu] > has) flaw_ = fmt::format("task {} overloads GPU {} of {}", spec.name, gpu, machine.name);
  }
}

void placement_tally::note_peak(std::uint64_t time) {
  const bool more = capacity_.gpu_milli > 0 ? now_.gpu_milli > peak_.gpu_milli : now_.cpu_milli > peak_.cpu_milli;
  if (!more) return;
  peak_ = now_;
  peak_time_ = time;
}

digest placement_tally::placements_digest() const {
  auto copy = placements_;
  return copy.finish();
}

}  // namespace hypermesh::cli
