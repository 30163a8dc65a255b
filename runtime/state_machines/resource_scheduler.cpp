#include "runtime/state_machines/resource_scheduler.hpp"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "messages/digest.hpp"
#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/scheduler_refusals.hpp"

namespace hypermesh::machines {

using namespace scheduler;

namespace {

constexpr std::size_t placement_bytes_max = 1 + name_bytes_max + 1 + name_bytes_max + sizeof(gpu_set);
/// The bound is far above any sensible value. It guarantees that the list of placements fits into a result.
constexpr std::size_t placements_limit = 1'024;
static_assert(sizeof(removal_result::event) + 2 * sizeof(std::uint32_t) + sizeof(std::uint16_t) +
                  placements_limit * placement_bytes_max <=
              limits::result_bytes_max);

}  // namespace

resource_scheduler::resource_scheduler(std::size_t leaf_bytes_max, scheduler_bounds bounds)
    : records_(leaf_bytes_max, map_keys::kept),
      bounds_(bounds),
      leaf_bytes_max_(leaf_bytes_max),
      tables_(bounds.events_known_min) {
  require(bounds.work_max / work_costs::move <= placements_limit, "an operation places at most 1,024 tasks");
  require(bounds.work_max / 4 >= work_costs::eviction(0), "a quarter of the budget suffices for an eviction");
  require(bounds.waiting_examined_max >= 1 && bounds.events_known_min >= 1, "tasks are tried, and events are kept");
}

operation_result resource_scheduler::apply(const operation_context& context, byte_span operation) {
  const auto decoded = decode(operation);
  if (!decoded) return malformed(decoded.error());
  if (is_read(*decoded)) return answer_read(*decoded);
  write with{context.client, operation, work_budget{bounds_.work_max}};
  auto leases_share = with.work.part(bounds_.work_max / 2);
  with.expired = advance(context.ordered_time, leases_share);
  with.work.put_back(leases_share);
  auto sweep_share = with.work.part(bounds_.work_max / 4);
  sweep(sweep_share);
  with.work.put_back(sweep_share);
  return std::visit(
      [&](const auto& each) -> operation_result {
        if constexpr (requires { this->execute(each, with); }) {
          return execute(each, with);
        } else {
          require(false, "only writes are executed");
          return {};
        }
      },
      *decoded);
}

operation_result resource_scheduler::execute(const submit_task& operation, write& with) {
  if (const auto flaw = flaw_of_key(operation.key); !flaw.empty()) return refused(flaw);
  if (operation.key.empty()) return submit_new(operation, with);
  const auto key = submission_key(with.client, operation.key);
  const auto place = records_.place_of(as_byte_span(key));
  const auto content = digest_of("hypermesh scheduler submission", with.encoded);
  if (const auto stored = records_.find_at(place, as_byte_span(key))) {
    const auto first = decode_submission(*stored);
    require(first.has_value(), "a stored record can be read");
    if (first->content == content) return applied(first->result);
    return refused(fmt::format("key {} belongs to another submission", operation.key));
  }
  auto result = submit_new(operation, with);
  // A refusal changed nothing, so a repetition with the key tries again.
  if (result.status != operation_status::applied) return result;
  const auto ticket = tables_.header.next_ticket++;
  const auto record = encode_record(submission_record{ticket, content, result.payload});
  tables_.keys.emplace(ticket, as_text(records_.put_at(place, as_byte_span(key), record)));
  tables_.content_bytes += submission_bytes_max(key);
  forget_old_keys();
  return result;
}

operation_result resource_scheduler::submit_new(const submit_task& operation, write& with) {
  const auto& spec = operation.task;
  if (const auto flaw = scheduler::flaw_of(spec); !flaw.empty()) return refused(flaw);
  if (operation.lease.count() > 0 && tables_.header.time == ordered_time{}) {
    return refused("the cluster has no ordered time yet, so a lease would never end; submit the task later");
  }
  if (tables_.live() >= bounds_.live_tasks_max) return refused("the scheduler has the maximum number of tasks");
  const auto key_bytes = operation.key.empty() ? 0 : submission_bytes_max(submission_key(with.client, operation.key));
  const auto task_bytes = record_bytes_max(spec.name, spec.needs);
  if (tables_.content_bytes + task_bytes + key_bytes > bounds_.content_bytes_max) {
    return refused("the tasks of the scheduler take the maximum of memory");
  }
  known_task task{spec.name, task_key(spec.name), {}, {}};
  task.place = records_.place_of(as_byte_span(task.key));
  if (records_.find_at(task.place, as_byte_span(task.key))) {
    return refused(fmt::format("task {} already exists", spec.name));
  }
  task.record.needs = spec.needs;
  task.record.service = spec.service;
  task.record.lease = operation.lease;
  tables_.content_bytes += task_bytes;
  ++tables_.submitted;
  tell(event_kind::task_submitted, task);
  if (operation.places) return changed(place_or_wait(task, with.work));
  store(task);
  return changed();
}

operation_result resource_scheduler::execute(const place_task& operation, write& with) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto state = task->record.state;
  if (state == task_state::placed || state == task_state::released) {
    return refused(fmt::format("task {} is already {}", operation.name, to_string(state)));
  }
  return changed(place_or_wait(*task, with.work));
}

operation_result resource_scheduler::execute(const release_task& operation, write& with) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  if (task->record.state != task_state::placed) {
    return refused(fmt::format("task {} is {}, not placed", operation.name, to_string(task->record.state)));
  }
  return changed(release(*task, event_kind::task_released, with.work));
}

operation_result resource_scheduler::execute(const end_task& operation, write& with) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto& record = task->record;
  if (record.state == task_state::placed) return changed(release(*task, event_kind::task_released, with.work));
  if (record.state == task_state::released) return refused(fmt::format("task {} is already released", operation.name));
  if (record.state == task_state::pending) {
    stop_waiting(record.ticket);
  } else {
    --tables_.submitted;
  }
  erase(*task);
  tell(event_kind::task_withdrawn, *task);
  return changed();
}

placements resource_scheduler::release(known_task& task, event_kind kind, work_budget& work) {
  work.spend(work_costs::move);
  const auto node = take_from_node(task);
  auto& record = task.record;
  record.state = task_state::released;
  record.ticket = tables_.header.next_ticket++;
  ++tables_.header.released;
  tables_.released.emplace(record.ticket, store(task));
  tell(kind, task);
  forget_old_released();
  return fill(node, work);
}

std::optional<resource_scheduler::known_task> resource_scheduler::find_task(std::string_view task) const {
  known_task found{std::string{task}, task_key(task), {}, {}};
  found.place = records_.place_of(as_byte_span(found.key));
  const auto value = records_.find_at(found.place, as_byte_span(found.key));
  if (!value) return std::nullopt;
  auto record = decode_task(*value);
  require(record.has_value(), "a stored record can be read");
  found.record = std::move(*record);
  return found;
}

resource_scheduler::known_task resource_scheduler::task_of(std::string_view name) const {
  auto task = find_task(name);
  require(task.has_value(), "a task in a table has a record");
  return std::move(*task);
}

std::string_view resource_scheduler::store(const known_task& task) {
  return as_text(records_.put_at(task.place, as_byte_span(task.key), encode_record(task.record))).substr(1);
}

void resource_scheduler::erase(const known_task& task) {
  tables_.content_bytes -= record_bytes_max(task.name, task.record.needs);
  require(records_.erase_at(task.place, as_byte_span(task.key)), "a known task has a record");
}

operation_result resource_scheduler::changed(placements placed) const {
  return applied(encode_result(change_result{tables_.events.newest(), std::move(placed)}));
}

std::uint64_t resource_scheduler::tell(event_kind kind, const known_task& task) {
  const auto& record = task.record;
  const auto deadline = kind == event_kind::task_placed ? record.deadline : ordered_time{};
  return tables_.events.append({kind, tables_.header.time, task.name, record.node, record.gpus, deadline});
}

std::uint64_t resource_scheduler::tell(event_kind kind, std::string_view node) {
  return tables_.events.append({kind, tables_.header.time, {}, node, 0, {}});
}

void resource_scheduler::forget_old_released() {
  while (tables_.released.size() > bounds_.released_known_max) {
    const auto oldest = tables_.released.begin();
    erase(task_of(oldest->second));
    tables_.released.erase(oldest);
  }
}

void resource_scheduler::forget_old_keys() {
  while (tables_.keys.size() > bounds_.keys_known_max) {
    const auto oldest = tables_.keys.begin();
    const std::string key{oldest->second};
    tables_.keys.erase(oldest);
    tables_.content_bytes -= submission_bytes_max(key);
    require(records_.erase(as_byte_span(key)), "a key is known until it is forgotten");
  }
}

}  // namespace hypermesh::machines
