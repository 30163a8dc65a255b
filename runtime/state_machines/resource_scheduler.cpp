#include "runtime/state_machines/resource_scheduler.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/printable.hpp"

namespace hypermesh::machines {

using namespace scheduler;

namespace {

constexpr std::size_t placement_bytes_max = 1 + name_bytes_max + 1 + name_bytes_max + sizeof(gpu_set);
/// The bound is far above any sensible value. It guarantees that the list of placements fits into a result.
constexpr std::size_t waiting_examined_limit = 1'024;
static_assert(sizeof(std::uint16_t) + waiting_examined_limit * placement_bytes_max <= limits::result_bytes_max);

/// A client may send any bytes as a name. The answer repeats the name only if it is valid.
operation_result refused_unknown(std::string_view kind, const std::string& name) {
  const auto flaw = flaw_of(task_spec{name, {}, {}});
  return refused(flaw.empty() ? fmt::format("there is no {} {}", kind, name) : std::string{flaw});
}

}  // namespace

resource_scheduler::resource_scheduler(std::size_t bucket_count, scheduler_bounds bounds)
    : records_(bucket_count), bounds_(bounds), bucket_count_(bucket_count) {
  require(bounds.waiting_examined_max <= waiting_examined_limit, "a release examines at most 1,024 waiting tasks");
}

operation_result resource_scheduler::apply(const operation_context&, byte_span operation) {
  const auto decoded = decode(operation);
  if (!decoded) return malformed(decoded.error());
  return std::visit([this](const auto& each) { return execute(each); }, *decoded);
}

operation_result resource_scheduler::query(byte_span operation) const {
  const auto decoded = decode(operation);
  if (!decoded) return malformed(decoded.error());
  if (const auto* node = std::get_if<query_node>(&*decoded)) return execute(*node);
  if (const auto* task = std::get_if<query_task>(&*decoded)) return execute(*task);
  if (const auto* totals = std::get_if<query_summary>(&*decoded)) return execute(*totals);
  return refused("the operation writes; submit it instead of querying");
}

operation_result resource_scheduler::execute(const register_node& operation) {
  const auto& spec = operation.node;
  if (const auto flaw = scheduler::flaw_of(spec); !flaw.empty()) return refused(flaw);
  if (const auto flaw = tables_.nodes.flaw_of(spec); !flaw.empty()) return refused(flaw);
  const auto index = tables_.nodes.add(spec);
  records_.put(as_byte_span(node_key(spec.name)), encode_record(node_record{index, spec}));
  return applied(encode_result(fill(index)));
}

operation_result resource_scheduler::execute(const submit_task& operation) {
  const auto& spec = operation.task;
  if (const auto flaw = scheduler::flaw_of(spec); !flaw.empty()) return refused(flaw);
  if (tables_.submitted + tables_.waiting.size() + tables_.placed >= bounds_.live_tasks_max) {
    return refused("the scheduler has the maximum number of tasks");
  }
  known_task task{task_key(spec.name), 0, {}};
  task.bucket = records_.bucket_of(as_byte_span(task.key));
  if (records_.find_in(task.bucket, as_byte_span(task.key))) {
    return refused(fmt::format("task {} already exists", spec.name));
  }
  task.record.needs = spec.needs;
  task.record.service = spec.service;
  store(task);
  ++tables_.submitted;
  return applied();
}

operation_result resource_scheduler::execute(const place_task& operation) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  auto& record = task->record;
  if (record.state == task_state::placed || record.state == task_state::released) {
    return refused(fmt::format("task {} is already {}", operation.name, to_string(record.state)));
  }
  if (const auto node = tables_.nodes.best_for(record.needs)) {
    if (record.state == task_state::pending) {
      tables_.waiting.erase(record.ticket);
    } else {
      --tables_.submitted;
    }
    return applied(encode_result(place_on(*node, operation.name, *task)));
  }
  if (record.state == task_state::submitted) {
    --tables_.submitted;
    record.state = task_state::pending;
    record.ticket = tables_.header.next_ticket++;
    tables_.waiting.emplace(record.ticket, waiting_task{operation.name, record.needs});
    store(*task);
  }
  return applied();
}

operation_result resource_scheduler::execute(const release_task& operation) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  auto& record = task->record;
  if (record.state != task_state::placed) {
    return refused(fmt::format("task {} is {}, not placed", operation.name, to_string(record.state)));
  }
  return release(operation.name, *task);
}

operation_result resource_scheduler::execute(const end_task& operation) {
  auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto& record = task->record;
  if (record.state == task_state::placed) return release(operation.name, *task);
  if (record.state == task_state::released) return refused(fmt::format("task {} is already released", operation.name));
  if (record.state == task_state::pending) {
    tables_.waiting.erase(record.ticket);
  } else {
    --tables_.submitted;
  }
  records_.erase_in(task->bucket, as_byte_span(task->key));
  return applied(encode_result(placements{}));
}

operation_result resource_scheduler::execute(const query_node& operation) const {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  return applied(encode_result(tables_.nodes.view(*index)));
}

operation_result resource_scheduler::execute(const query_task& operation) const {
  const auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto& record = task->record;
  task_view view{{operation.name, record.needs, record.service}, record.state, {}, record.gpus};
  if (record.state == task_state::placed || record.state == task_state::released) {
    view.node = tables_.nodes.spec(record.node).name;
  }
  return applied(encode_result(view));
}

operation_result resource_scheduler::execute(const query_summary&) const { return applied(encode_result(summary())); }

summary_view resource_scheduler::summary() const {
  summary_view view;
  tables_.nodes.summarise(view);
  view.submitted = tables_.submitted;
  view.pending = tables_.waiting.size();
  view.placed = tables_.placed;
  view.released = tables_.header.released;
  return view;
}

std::optional<resource_scheduler::known_task> resource_scheduler::find_task(std::string_view task) const {
  known_task found{task_key(task), 0, {}};
  found.bucket = records_.bucket_of(as_byte_span(found.key));
  const auto value = records_.find_in(found.bucket, as_byte_span(found.key));
  if (!value) return std::nullopt;
  auto record = decode_task(*value);
  require(record.has_value(), "a stored record can be read");
  found.record = std::move(*record);
  return found;
}

void resource_scheduler::store(const known_task& task) {
  records_.put_in(task.bucket, as_byte_span(task.key), encode_record(task.record));
}

placement resource_scheduler::place_on(node_index node, std::string_view name, known_task& task) {
  auto& record = task.record;
  require(record.state == task_state::submitted || record.state == task_state::pending, "a task is placed once");
  record.gpus = tables_.nodes.choose_gpus(node, record.needs);
  tables_.nodes.occupy(node, record.needs, record.gpus);
  record.state = task_state::placed;
  record.node = node;
  ++tables_.placed;
  store(task);
  return {std::string{name}, tables_.nodes.spec(node).name, record.gpus};
}

operation_result resource_scheduler::release(std::string_view name, known_task& task) {
  auto& record = task.record;
  require(record.state == task_state::placed, "a released task was placed before");
  tables_.nodes.vacate(record.node, record.needs, record.gpus);
  --tables_.placed;
  record.state = task_state::released;
  record.ticket = tables_.header.next_ticket++;
  ++tables_.header.released;
  tables_.released.emplace(record.ticket, std::string{name});
  store(task);
  forget_old_released();
  return applied(encode_result(fill(record.node)));
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
    done.push_back(place_on(node, current->second.name, *task));
    tables_.waiting.erase(current);
  }
  return done;
}

void resource_scheduler::forget_old_released() {
  while (tables_.released.size() > bounds_.released_known_max) {
    const auto oldest = tables_.released.begin();
    const bool was_known = records_.erase(as_byte_span(task_key(oldest->second)));
    require(was_known, "a released task is known until it is forgotten");
    tables_.released.erase(oldest);
  }
}

void resource_scheduler::store_header() {
  const auto encoded = encode_record(tables_.header);
  const auto present = records_.find(as_byte_span(header_key));
  const bool is_same = present && as_text(*present) == as_text(encoded);
  if (!is_same) records_.put(as_byte_span(header_key), encoded);
}

state_snapshot resource_scheduler::snapshot() {
  store_header();
  return records_.snapshot();
}

digest resource_scheduler::root() {
  store_header();
  return records_.root();
}

or_reason<void> resource_scheduler::restore(const state_snapshot& snapshot) {
  authenticated_map records{bucket_count_};
  if (auto done = records.restore(snapshot); !done) return done;
  derived_tables tables;
  if (auto done = derive(records, tables); !done) return done;
  records_ = std::move(records);
  tables_ = std::move(tables);
  return {};
}

or_reason<void> resource_scheduler::derive(const authenticated_map& records, derived_tables& into) const {
  const auto stored_header = records.find(as_byte_span(header_key));
  const auto header = stored_header ? decode_header(*stored_header) : std::nullopt;
  if (!header) return invalid("the scheduler's header record is missing or unreadable");
  into.header = *header;

  // Nodes are read first, in the order of registration, which differs from the order of the map.
  bool is_readable = true;
  std::map<node_index, node_spec> specs;
  records.for_each([&](byte_span key, byte_span value) {
    const auto text = as_text(key);
    if (text == header_key || text.front() == 't') return;
    auto node = text.front() == 'n' ? decode_node(text.substr(1), value) : std::nullopt;
    const bool is_new = node && specs.emplace(node->index, node->spec).second;
    is_readable = is_readable && is_new;
  });
  if (!is_readable) return invalid("a node record is unreadable or duplicated");
  for (const auto& [index, spec] : specs) {
    const bool is_sound = scheduler::flaw_of(spec).empty() && into.nodes.flaw_of(spec).empty();
    if (!is_sound || index != into.nodes.size()) return invalid(fmt::format("the record of node {} is invalid", index));
    into.nodes.add(spec);
  }

  or_reason<void> sound;
  records.for_each([&](byte_span key, byte_span value) {
    const auto text = as_text(key);
    if (text.front() == 't' && sound) sound = derive_task(text.substr(1), value, into);
  });
  if (!sound) return sound;
  const auto live = into.submitted + into.waiting.size() + into.placed;
  if (live > bounds_.live_tasks_max) return invalid("the state has more tasks than the limit");
  if (into.released.size() > std::min<std::uint64_t>(bounds_.released_known_max, into.header.released)) {
    return invalid("the state has more released tasks than the limit");
  }
  return {};
}

or_reason<void> resource_scheduler::derive_task(std::string_view name, byte_span value, derived_tables& into) const {
  const auto record = decode_task(value);
  const auto wrong = [&] {
    return invalid(fmt::format("the record of task {} is invalid", printable(as_byte_span(name))));
  };
  if (!record) return wrong();
  if (!scheduler::flaw_of(task_spec{std::string{name}, record->needs, record->service}).empty()) return wrong();
  switch (record->state) {
    case task_state::submitted:
      ++into.submitted;
      return {};
    case task_state::pending: {
      const bool is_new = into.waiting.emplace(record->ticket, waiting_task{std::string{name}, record->needs}).second;
      if (!is_new || record->ticket >= into.header.next_ticket) return wrong();
      return {};
    }
    case task_state::placed:
      if (!into.nodes.can_occupy(record->node, record->needs, record->gpus)) return wrong();
      into.nodes.occupy(record->node, record->needs, record->gpus);
      ++into.placed;
      return {};
    case task_state::released: {
      if (record->node >= into.nodes.size()) return wrong();
      const bool is_new = into.released.emplace(record->ticket, std::string{name}).second;
      if (!is_new || record->ticket >= into.header.next_ticket) return wrong();
      return {};
    }
  }
  return wrong();
}

}  // namespace hypermesh::machines
