#include <algorithm>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "runtime/state_machines/scheduler_refusals.hpp"

namespace hypermesh::machines {

using namespace scheduler;

std::size_t resource_scheduler::advance(ordered_time time, work_budget& work) {
  auto& now = tables_.header.time;
  now = std::max(now, std::min(time, ordered_time_max));
  std::size_t expired = 0;
  while (work.affords(work_costs::move) && !tables_.leases.empty()) {
    const auto first = tables_.leases.begin();
    if (first->first.first > now) break;
    auto task = task_of(first->second);
    (void)release(task, event_kind::task_expired, work);
    ++expired;
  }
  return expired;
}

ordered_time resource_scheduler::deadline_of(std::chrono::milliseconds lease) const {
  return tables_.header.time + lease;
}

operation_result resource_scheduler::execute(const renew_lease& operation, write&) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  auto& record = task->record;
  if (record.state != task_state::placed) {
    return refused(fmt::format("task {} is {}, not placed", operation.name, to_string(record.state)));
  }
  if (record.lease.count() == 0) return refused(fmt::format("task {} has no lease", operation.name));
  if (record.deadline <= tables_.header.time)
    return refused(fmt::format("the lease of task {} is over", operation.name));
  require(tables_.leases.erase({record.deadline, record.ticket}) == 1, "the lease of a placed task is known");
  record.deadline = deadline_of(operation.lease.count() > 0 ? operation.lease : record.lease);
  tables_.leases.emplace(std::pair{record.deadline, record.ticket}, store(*task));
  return applied(encode_result(renewal_result{tables_.events.newest(), record.deadline}));
}

operation_result resource_scheduler::execute(const expire_leases&, write& with) {
  const auto now = tables_.header.time;
  // The count of the rest is bounded as well, because it is only to say whether to ask again.
  const auto due_max = bounds_.work_max / work_costs::move;
  std::uint32_t due = 0;
  for (const auto& [key, name] : tables_.leases) {
    if (key.first > now || due == due_max) break;
    ++due;
  }
  return applied(encode_result(expiry_result{tables_.events.newest(), static_cast<std::uint32_t>(with.expired), due,
                                             tables_.header.sweep_left}));
}

}  // namespace hypermesh::machines
