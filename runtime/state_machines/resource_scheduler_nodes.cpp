#include <algorithm>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "runtime/state_machines/scheduler_refusals.hpp"

namespace hypermesh::machines {

using namespace scheduler;

operation_result resource_scheduler::execute(const register_node& operation) {
  const auto& spec = operation.node;
  if (const auto flaw = scheduler::flaw_of(spec); !flaw.empty()) return refused(flaw);
  if (const auto flaw = tables_.nodes.flaw_of(spec); !flaw.empty()) return refused(flaw);
  const auto number = tables_.header.next_node++;
  const auto index = tables_.nodes.add(spec, number);
  const auto event = tell(event_kind::node_registered, spec.name);
  store_node({number, event, false, spec});
  return changed(fill(index));
}

operation_result resource_scheduler::execute(const drain_node& operation) {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  // Draining a drained node succeeds and changes nothing, so that a client may repeat it.
  if (tables_.nodes.is_drained(*index)) return changed();
  auto record = node_record_of(operation.name);
  tables_.nodes.set_drained(*index, true);
  record.is_drained = true;
  record.event = tell(event_kind::node_drained, operation.name);
  store_node(record);
  return changed();
}

operation_result resource_scheduler::execute(const undrain_node& operation) {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  if (!tables_.nodes.is_drained(*index)) return changed();
  auto record = node_record_of(operation.name);
  tables_.nodes.set_drained(*index, false);
  record.is_drained = false;
  record.event = tell(event_kind::node_undrained, operation.name);
  store_node(record);
  return changed(fill(*index));
}

operation_result resource_scheduler::execute(const remove_node& operation) {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  const auto tasks = tables_.nodes.tasks_on(*index);
  if (tasks > 0 && !operation.evicts) {
    return refused(
        fmt::format("node {} has {} tasks; end them, or evict them with the removal", operation.name, tasks));
  }
  // The node accepts nothing from now on, so no evicted task returns to it.
  (void)execute(drain_node{operation.name});
  removal_result result;
  while (result.evicted < bounds_.evicted_max) {
    const auto first = tables_.placed.lower_bound({*index, 0});
    if (first == tables_.placed.end() || first->first.first != *index) break;
    auto task = find_task(first->second);
    require(task.has_value(), "a placed task has a record");
    (void)take_from_node(*task);
    tell(event_kind::task_evicted, *task);
    task->record.state = task_state::submitted;
    ++tables_.submitted;
    for (auto& placed : place_or_wait(*task))
      result.placed.push_back(std::move(placed));
    ++result.evicted;
  }
  result.remaining = tables_.nodes.tasks_on(*index);
  if (result.remaining == 0) {
    tables_.nodes.remove(*index);
    require(records_.erase(as_byte_span(node_key(operation.name))), "a registered node has a record");
    tell(event_kind::node_removed, operation.name);
  }
  result.event = tables_.events.newest();
  return applied(encode_result(result));
}

void resource_scheduler::store_node(const node_record& record) {
  records_.put(as_byte_span(node_key(record.spec.name)), encode_record(record));
}

node_record resource_scheduler::node_record_of(std::string_view name) const {
  const auto stored = records_.find(as_byte_span(node_key(name)));
  require(stored.has_value(), "a registered node has a record");
  auto record = decode_node(name, *stored);
  require(record.has_value(), "a stored record can be read");
  return std::move(*record);
}

}  // namespace hypermesh::machines
