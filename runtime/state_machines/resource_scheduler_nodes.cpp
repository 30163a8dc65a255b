#include <algorithm>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "runtime/state_machines/scheduler_refusals.hpp"

namespace hypermesh::machines {

using namespace scheduler;

operation_result resource_scheduler::execute(const register_node& operation, write& with) {
  const auto& spec = operation.node;
  if (const auto flaw = scheduler::flaw_of(spec); !flaw.empty()) return refused(flaw);
  if (const auto flaw = tables_.nodes.flaw_of(spec); !flaw.empty()) return refused(flaw);
  const auto index = tables_.nodes.add(spec, tables_.header.next_node++);
  tables_.nodes.set_changed_by(index, tell(event_kind::node_registered, spec.name));
  store_node(index);
  return changed(fill(index, with.work));
}

operation_result resource_scheduler::execute(const drain_node& operation, write&) {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  drain(*index, true);
  return changed();
}

operation_result resource_scheduler::execute(const undrain_node& operation, write& with) {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  if (!tables_.nodes.is_drained(*index)) return changed();
  drain(*index, false);
  return changed(fill(*index, with.work));
}

operation_result resource_scheduler::execute(const remove_node& operation, write& with) {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  const auto tasks = tables_.nodes.tasks_on(*index);
  if (tasks > 0 && !operation.evicts) {
    return refused(
        fmt::format("node {} has {} tasks; end them, or evict them with the removal", operation.name, tasks));
  }
  // The node accepts nothing from now on, so no evicted task returns to it.
  drain(*index, true);
  removal_result result;
  const auto cost = work_costs::eviction(tables_.nodes.size());
  // At least one task is evicted, so that a repetition ends.
  while (result.evicted == 0 || with.work.affords(cost)) {
    if (*index >= tables_.placed_on.size() || tables_.placed_on[*index].empty()) break;
    for (auto& placed : evict(tables_.placed_on[*index].begin()->second, with.work))
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

/// A node that is drained already stays as it is, so that a client may repeat the operation.
void resource_scheduler::drain(node_index node, bool is_drained) {
  if (tables_.nodes.is_drained(node) == is_drained) return;
  tables_.nodes.set_drained(node, is_drained);
  const auto kind = is_drained ? event_kind::node_drained : event_kind::node_undrained;
  tables_.nodes.set_changed_by(node, tell(kind, tables_.nodes.spec(node).name));
  store_node(node);
}

void resource_scheduler::store_node(node_index node) {
  const auto& nodes = tables_.nodes;
  const auto& spec = nodes.spec(node);
  const node_record record{nodes.number_of(node), nodes.changed_by(node), nodes.is_drained(node), spec};
  records_.put(as_byte_span(node_key(spec.name)), encode_record(record));
}

}  // namespace hypermesh::machines
