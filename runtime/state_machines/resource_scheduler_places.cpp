#include <algorithm>

#include "messages/require.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"

namespace hypermesh::machines {

using namespace scheduler;

placements resource_scheduler::place_or_wait(known_task& task, work_budget& work) {
  auto& record = task.record;
  work.spend(work_costs::search(tables_.nodes.size()) + work_costs::move);
  const auto node = tables_.nodes.best_for(record.needs);
  if (!node) {
    if (record.state == task_state::submitted) {
      --tables_.submitted;
      let_wait(task);
    }
    return {};
  }
  if (record.state == task_state::pending) {
    stop_waiting(record.ticket);
  } else {
    --tables_.submitted;
  }
  return {place_on(*node, task)};
}

void resource_scheduler::let_wait(known_task& task) {
  auto& record = task.record;
  record.state = task_state::pending;
  record.ticket = tables_.header.next_ticket++;
  record.node.clear();
  record.gpus = 0;
  record.event = 0;
  tables_.waiting.emplace(record.ticket, waiting_task{store(task), demand_amounts::of(record.needs)});
  // The sweep passes this task before it comes back to the place where it began.
  if (tables_.header.sweep_left > 0) ++tables_.header.sweep_left;
  tell(event_kind::task_waits, task);
}

void resource_scheduler::stop_waiting(std::uint64_t ticket) {
  require(tables_.waiting.erase(ticket) == 1, "a pending task waits");
  auto& left = tables_.header.sweep_left;
  left = std::min<std::uint64_t>(left, tables_.waiting.size());
}

placement resource_scheduler::place_on(node_index node, known_task& task) {
  auto& record = task.record;
  require(record.state == task_state::submitted || record.state == task_state::pending, "a task is placed once");
  record.gpus = tables_.nodes.choose_gpus(node, record.needs);
  tables_.nodes.occupy(node, record.needs, record.gpus);
  record.state = task_state::placed;
  record.node = tables_.nodes.spec(node).name;
  record.ticket = tables_.header.next_ticket++;
  // An evicted task has the deadline of its last placement, which may have been renewed to a later time.
  if (record.lease.count() > 0) record.deadline = std::max(record.deadline, deadline_of(record.lease));
  record.event = tell(event_kind::task_placed, task);
  const auto name = store(task);
  require(tables_.add_placed(node, record.ticket, name), "a ticket is used once");
  if (record.lease.count() > 0) tables_.leases.emplace(std::pair{record.deadline, record.ticket}, name);
  return {task.name, record.node, record.gpus};
}

resource_scheduler::node_index resource_scheduler::take_from_node(const known_task& task) {
  const auto& record = task.record;
  require(record.state == task_state::placed, "only a placed task is on a node");
  const auto node = tables_.nodes.find(record.node);
  require(node.has_value(), "a node stays while it has tasks");
  tables_.nodes.vacate(*node, record.needs, record.gpus);
  require(tables_.placed.erase(record.ticket) == 1, "a placed task is known");
  require(tables_.placed_on[*node].erase(record.ticket) == 1, "a placed task is known on its node");
  if (record.lease.count() > 0) {
    require(tables_.leases.erase({record.deadline, record.ticket}) == 1, "the lease of a placed task is known");
  }
  return *node;
}

placements resource_scheduler::evict(std::string_view name, work_budget& work) {
  work.spend(work_costs::move);
  auto task = task_of(name);
  (void)take_from_node(task);
  tell(event_kind::task_evicted, task);
  task.record.state = task_state::submitted;
  ++tables_.submitted;
  return place_or_wait(task, work);
}

placements resource_scheduler::fill(node_index node, work_budget& work) {
  placements done;
  if (tables_.nodes.is_drained(node)) return done;
  std::size_t examined = 0;
  auto next = tables_.waiting.begin();
  while (next != tables_.waiting.end() && examined < bounds_.waiting_examined_max &&
         work.affords(work_costs::record + work_costs::move)) {
    ++examined;
    work.spend(work_costs::examination);
    const auto current = next++;
    const auto& needs = current->second.needs;
    if (!tables_.nodes.has_room(node, needs)) continue;
    auto task = task_of(current->second.name);
    require(task.record.state == task_state::pending, "a waiting task has a pending record");
    if (needs.names_models) {
      work.spend(work_costs::record);
      if (!tables_.nodes.has_model(node, task.record.needs)) continue;
    }
    work.spend(work_costs::move);
    stop_waiting(current->first);
    done.push_back(place_on(node, task));
  }
  if (next != tables_.waiting.end()) {
    begin_sweep(next->first, tables_.waiting.size() - (examined - done.size()));
  }
  return done;
}

void resource_scheduler::begin_sweep(std::uint64_t ticket, std::uint64_t count) {
  auto& header = tables_.header;
  if (header.sweep_left > 0) {
    header.sweep_left = tables_.waiting.size();
    return;
  }
  header.sweep_ticket = ticket;
  header.sweep_left = count;
}

void resource_scheduler::sweep(work_budget& work) {
  auto& header = tables_.header;
  auto& waiting = tables_.waiting;
  const auto cost = work_costs::search(tables_.nodes.size());
  // At least one task is tried, so that the sweep ends.
  for (bool is_first = true; header.sweep_left > 0 && (is_first || work.affords(cost + work_costs::move));
       is_first = false) {
    work.spend(cost);
    auto next = waiting.lower_bound(header.sweep_ticket);
    if (next == waiting.end()) next = waiting.begin();
    require(next != waiting.end(), "the sweep ends when no task waits");
    header.sweep_ticket = next->first + 1;
    --header.sweep_left;
    auto task = task_of(next->second.name);
    const auto node = tables_.nodes.best_for(task.record.needs);
    if (!node) continue;
    work.spend(work_costs::move);
    stop_waiting(next->first);
    (void)place_on(*node, task);
  }
}

}  // namespace hypermesh::machines
