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

resource_scheduler::resource_scheduler(std::size_t bucket_count, scheduler_bounds bounds)
    : records_(bucket_count), bounds_(bounds), bucket_count_(bucket_count), tables_(bounds.events_known_min) {
  require(bounds.waiting_examined_max <= placements_limit, "a release examines at most 1,024 waiting tasks");
  require(bounds.evicted_max >= 1 && bounds.evicted_max <= placements_limit, "a removal evicts 1 to 1,024 tasks");
  require(bounds.expired_max >= 1 && bounds.events_known_min >= 1, "leases end, and events are kept");
}

operation_result resource_scheduler::apply(const operation_context& context, byte_span operation) {
  const auto decoded = decode(operation);
  if (!decoded) return malformed(decoded.error());
  if (is_read(*decoded)) return answer_read(*decoded);
  expired_now_ = advance(context.ordered_time);
  return std::visit(
      [&](const auto& each) {
        using kind = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<kind, submit_task>) {
          if (!each.key.empty()) return execute_once(each, context.client, operation);
        }
        if constexpr (requires { this->execute(each); }) {
          return execute(each);
        } else {
          return answer(each);
        }
      },
      *decoded);
}

operation_result resource_scheduler::execute(const submit_task& operation) {
  const auto& spec = operation.task;
  if (const auto flaw = scheduler::flaw_of(spec); !flaw.empty()) return refused(flaw);
  if (const auto flaw = flaw_of_key(operation.key); !flaw.empty()) return refused(flaw);
  if (operation.lease.count() > 0 && tables_.header.time == ordered_time{}) {
    return refused("the cluster has no ordered time yet, so a lease would never end; submit the task later");
  }
  if (tables_.live() >= bounds_.live_tasks_max) return refused("the scheduler has the maximum number of tasks");
  known_task task{spec.name, task_key(spec.name), {}, {}};
  task.place = records_.place_of(as_byte_span(task.key));
  if (records_.find_at(task.place, as_byte_span(task.key))) {
    return refused(fmt::format("task {} already exists", spec.name));
  }
  task.record.needs = spec.needs;
  task.record.service = spec.service;
  task.record.lease = operation.lease;
  ++tables_.submitted;
  tell(event_kind::task_submitted, task);
  if (operation.places) return changed(place_or_wait(task));
  store(task);
  return changed();
}

operation_result resource_scheduler::execute_once(const submit_task& operation, client_id client, byte_span encoded) {
  if (const auto flaw = flaw_of_key(operation.key); !flaw.empty()) return refused(flaw);
  const auto key = submission_key(client, operation.key);
  const auto place = records_.place_of(as_byte_span(key));
  const auto content = digest_of("hypermesh scheduler submission", encoded);
  if (const auto stored = records_.find_at(place, as_byte_span(key))) {
    const auto first = decode_submission(*stored);
    require(first.has_value(), "a stored record can be read");
    if (first->content == content) return applied(first->result);
    return refused(fmt::format("key {} belongs to another submission", operation.key));
  }
  auto result = execute(operation);
  // A refusal changed nothing, so a repetition with the key tries again.
  if (result.status != operation_status::applied) return result;
  const auto ticket = tables_.header.next_ticket++;
  records_.put_at(place, as_byte_span(key), encode_record(submission_record{ticket, content, result.payload}));
  tables_.keys.emplace(ticket, key);
  forget_old_keys();
  return result;
}

operation_result resource_scheduler::execute(const place_task& operation) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto state = task->record.state;
  if (state == task_state::placed || state == task_state::released) {
    return refused(fmt::format("task {} is already {}", operation.name, to_string(state)));
  }
  return changed(place_or_wait(*task));
}

operation_result resource_scheduler::execute(const release_task& operation) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  if (task->record.state != task_state::placed) {
    return refused(fmt::format("task {} is {}, not placed", operation.name, to_string(task->record.state)));
  }
  return changed(release(*task, event_kind::task_released));
}

operation_result resource_scheduler::execute(const end_task& operation) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto& record = task->record;
  if (record.state == task_state::placed) return changed(release(*task, event_kind::task_released));
  if (record.state == task_state::released) return refused(fmt::format("task {} is already released", operation.name));
  if (record.state == task_state::pending) {
    tables_.waiting.erase(record.ticket);
  } else {
    --tables_.submitted;
  }
  records_.erase_at(task->place, as_byte_span(task->key));
  tell(event_kind::task_withdrawn, *task);
  return changed();
}

placements resource_scheduler::place_or_wait(known_task& task) {
  auto& record = task.record;
  const auto node = tables_.nodes.best_for(record.needs);
  if (!node) {
    if (record.state == task_state::submitted) {
      --tables_.submitted;
      let_wait(task);
    }
    return {};
  }
  if (record.state == task_state::pending) {
    tables_.waiting.erase(record.ticket);
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
  tables_.waiting.emplace(record.ticket, waiting_task{task.name, record.needs});
  store(task);
  tell(event_kind::task_waits, task);
}

placement resource_scheduler::place_on(node_index node, known_task& task) {
  auto& record = task.record;
  require(record.state == task_state::submitted || record.state == task_state::pending, "a task is placed once");
  record.gpus = tables_.nodes.choose_gpus(node, record.needs);
  tables_.nodes.occupy(node, record.needs, record.gpus);
  record.state = task_state::placed;
  record.node = tables_.nodes.spec(node).name;
  record.ticket = tables_.header.next_ticket++;
  record.deadline = record.lease.count() > 0 ? deadline_of(record.lease) : ordered_time{};
  tables_.placed.emplace(std::pair{node, record.ticket}, task.name);
  if (record.lease.count() > 0) tables_.leases.emplace(std::pair{record.deadline, record.ticket}, task.name);
  record.event = tell(event_kind::task_placed, task);
  store(task);
  return {task.name, record.node, record.gpus};
}

resource_scheduler::node_index resource_scheduler::take_from_node(const known_task& task) {
  const auto& record = task.record;
  require(record.state == task_state::placed, "only a placed task is on a node");
  const auto node = tables_.nodes.find(record.node);
  require(node.has_value(), "a node stays while it has tasks");
  tables_.nodes.vacate(*node, record.needs, record.gpus);
  require(tables_.placed.erase({*node, record.ticket}) == 1, "a placed task is known on its node");
  if (record.lease.count() > 0) {
    require(tables_.leases.erase({record.deadline, record.ticket}) == 1, "the lease of a placed task is known");
  }
  return *node;
}

placements resource_scheduler::release(known_task& task, event_kind kind) {
  const auto node = take_from_node(task);
  auto& record = task.record;
  record.state = task_state::released;
  record.ticket = tables_.header.next_ticket++;
  record.deadline = {};
  ++tables_.header.released;
  tables_.released.emplace(record.ticket, task.name);
  store(task);
  tell(kind, task);
  forget_old_released();
  return fill(node);
}

placements resource_scheduler::fill(node_index node) {
  placements done;
  std::size_t examined = 0;
  auto next = tables_.waiting.begin();
  while (next != tables_.waiting.end() && examined < bounds_.waiting_examined_max) {
    ++examined;
    const auto current = next++;
    if (!tables_.nodes.fits(node, current->second.needs)) continue;
    auto task = find_task(current->second.name);
    require(task && task->record.state == task_state::pending, "a waiting task has a pending record");
    tables_.waiting.erase(current);
    done.push_back(place_on(node, *task));
  }
  return done;
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

void resource_scheduler::store(const known_task& task) {
  records_.put_at(task.place, as_byte_span(task.key), encode_record(task.record));
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
  return tables_.events.append({kind, tables_.header.time, {}, std::string{node}, 0, {}});
}

void resource_scheduler::forget_old_released() {
  while (tables_.released.size() > bounds_.released_known_max) {
    const auto oldest = tables_.released.begin();
    const bool was_known = records_.erase(as_byte_span(task_key(oldest->second)));
    require(was_known, "a released task is known until it is forgotten");
    tables_.released.erase(oldest);
  }
}

void resource_scheduler::forget_old_keys() {
  while (tables_.keys.size() > bounds_.keys_known_max) {
    const auto oldest = tables_.keys.begin();
    require(records_.erase(as_byte_span(oldest->second)), "a key is known until it is forgotten");
    tables_.keys.erase(oldest);
  }
}

}  // namespace hypermesh::machines
