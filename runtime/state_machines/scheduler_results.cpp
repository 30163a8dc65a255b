#include "runtime/state_machines/scheduler_results.hpp"

#include <algorithm>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"

namespace hypermesh::machines::scheduler {

namespace {

constexpr std::size_t name_field_max = 1 + name_bytes_max;
constexpr std::size_t node_row_max =
    name_field_max + 4 + 4 + 1 + name_field_max + 1 + 4 + 4 + 2 * gpus_per_node_max + 4 + 8;
constexpr std::size_t task_row_max = name_field_max + 1 + name_field_max + 2 + 8 + 8;
constexpr std::size_t event_max = 1 + 8 + 2 * name_field_max + 2 + 8;
constexpr std::size_t page_head_max = 64 + name_field_max;
static_assert(page_head_max + page_rows_max * std::max({node_row_max, task_row_max, event_max}) <=
              limits::result_bytes_max);

/// The latest time that can be written. A lease can be added to it without overflow.
constexpr std::uint64_t time_max = std::uint64_t{1} << 62U;

template <class T>
std::optional<T> if_complete(const byte_reader& reader, T value) {
  if (!reader.is_complete()) return std::nullopt;
  return value;
}

template <class Rows, class Write>
void write_rows(byte_writer& out, const Rows& rows, const Write& write) {
  out.number(static_cast<std::uint16_t>(rows.size()));
  for (const auto& each : rows)
    write(out, each);
}

template <class Read>
auto read_rows(byte_reader& in, const Read& read) {
  std::vector<decltype(read(in))> rows;
  const auto count = in.number<std::uint16_t>();
  while (rows.size() < count && !in.failed())
    rows.push_back(read(in));
  return rows;
}

void write_placement(byte_writer& out, const placement& value) {
  out.short_text(value.task).short_text(value.node).number(value.gpus);
}

placement read_placement(byte_reader& in) {
  placement value;
  value.task = in.short_text();
  value.node = in.short_text();
  value.gpus = in.number<gpu_set>();
  return value;
}

task_state read_state(byte_reader& in) {
  const auto state = in.number<std::uint8_t>();
  if (state > static_cast<std::uint8_t>(task_state_last)) in.fail();
  return in.failed() ? task_state::submitted : static_cast<task_state>(state);
}

void write_node(byte_writer& out, const node_view& value) {
  out.short_text(value.spec.name).number(value.spec.cpu_milli).number(value.spec.memory_mib).number(value.spec.gpus);
  out.short_text(value.spec.gpu_model);
  write_flag(out, value.is_drained);
  out.number(value.cpu_milli_free).number(value.memory_mib_free);
  for (const auto free : value.gpu_milli_free)
    out.number(free);
  out.number(value.tasks).number(value.changed_by);
}

node_view read_node(byte_reader& in) {
  node_view value;
  value.spec.name = in.short_text();
  value.spec.cpu_milli = in.number<std::uint32_t>();
  value.spec.memory_mib = in.number<std::uint32_t>();
  value.spec.gpus = in.number<std::uint8_t>();
  value.spec.gpu_model = in.short_text();
  value.is_drained = read_flag(in);
  value.cpu_milli_free = in.number<std::uint32_t>();
  value.memory_mib_free = in.number<std::uint32_t>();
  for (int gpu = 0; gpu < value.spec.gpus; ++gpu)
    value.gpu_milli_free.push_back(in.number<std::uint16_t>());
  value.tasks = in.number<std::uint32_t>();
  value.changed_by = in.number<std::uint64_t>();
  return value;
}

void write_task(byte_writer& out, const task_row& value) {
  out.short_text(value.name).number(static_cast<std::uint8_t>(value.state)).short_text(value.node).number(value.gpus);
  out.number(value.placed_by);
  write_time(out, value.deadline);
}

task_row read_task(byte_reader& in) {
  task_row value;
  value.name = in.short_text();
  value.state = read_state(in);
  value.node = in.short_text();
  value.gpus = in.number<gpu_set>();
  value.placed_by = in.number<std::uint64_t>();
  value.deadline = read_time(in);
  return value;
}

void write_model(byte_writer& out, const model_capacity& value) {
  out.short_text(value.model).number(value.nodes).number(value.nodes_drained).number(value.cpu_milli_free);
  out.number(value.memory_mib_free).number(value.gpu_milli_free).number(value.gpus_whole_free);
  for (const auto stranded : value.gpu_milli_stranded)
    out.number(stranded);
}

model_capacity read_model(byte_reader& in) {
  model_capacity value;
  value.model = in.short_text();
  for (auto* number : {&value.nodes, &value.nodes_drained, &value.cpu_milli_free, &value.memory_mib_free,
                       &value.gpu_milli_free, &value.gpus_whole_free}) {
    *number = in.number<std::uint64_t>();
  }
  for (auto& stranded : value.gpu_milli_stranded)
    stranded = in.number<std::uint64_t>();
  return value;
}

}  // namespace

void write_time(byte_writer& out, ordered_time time) {
  out.number(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

ordered_time read_time(byte_reader& in) {
  const auto count = in.number<std::uint64_t>();
  if (count > time_max) in.fail();
  return ordered_time{std::chrono::milliseconds{in.failed() ? 0 : count}};
}

event_view view_of(const event& value) {
  return {value.kind, value.time, value.task, value.node, value.gpus, value.deadline};
}

void write_event(byte_writer& out, const event_view& value) {
  out.number(static_cast<std::uint8_t>(value.kind));
  write_time(out, value.time);
  out.short_text(value.task).short_text(value.node).number(value.gpus);
  write_time(out, value.deadline);
}

event read_event(byte_reader& in) {
  event value;
  const auto kind = in.number<std::uint8_t>();
  const bool is_known =
      kind >= static_cast<std::uint8_t>(event_kind_first) && kind <= static_cast<std::uint8_t>(event_kind_last);
  if (!is_known) in.fail();
  value.kind = is_known ? static_cast<event_kind>(kind) : event_kind_first;
  value.time = read_time(in);
  value.task = in.short_text();
  value.node = in.short_text();
  value.gpus = in.number<gpu_set>();
  value.deadline = read_time(in);
  return value;
}

byte_vector encode_result(const change_result& value) {
  byte_writer out{64};
  out.number(value.event);
  write_rows(out, value.placed, write_placement);
  return out.take();
}

byte_vector encode_result(const removal_result& value) {
  byte_writer out;
  out.number(value.event).number(value.evicted).number(value.remaining);
  write_rows(out, value.placed, write_placement);
  return out.take();
}

byte_vector encode_result(const renewal_result& value) {
  byte_writer out;
  out.number(value.event);
  write_time(out, value.deadline);
  return out.take();
}

byte_vector encode_result(const expiry_result& value) {
  byte_writer out;
  out.number(value.event).number(value.expired).number(value.due).number(value.untried);
  return out.take();
}

byte_vector encode_result(const node_view& value) {
  byte_writer out;
  out.number(value.event);
  write_node(out, value);
  return out.take();
}

byte_vector encode_result(const task_view& value) {
  const auto spec = encode(submit_task{value.spec, value.lease, {}, false});
  byte_writer out;
  out.number(value.event).number(static_cast<std::uint16_t>(spec.size())).bytes(spec);
  out.number(static_cast<std::uint8_t>(value.state)).short_text(value.node).number(value.gpus).number(value.placed_by);
  write_time(out, value.deadline);
  return out.take();
}

byte_vector encode_result(const summary_view& value) {
  byte_writer out;
  for (const auto number : {value.event, value.nodes, value.submitted, value.pending, value.placed, value.released,
                            value.cpu_milli_total, value.cpu_milli_used, value.memory_mib_total, value.memory_mib_used,
                            value.gpu_milli_total, value.gpu_milli_used, value.time}) {
    out.number(number);
  }
  return out.take();
}

byte_vector encode_result(const capacity_view& value) {
  byte_writer out;
  out.number(value.event);
  write_rows(out, value.models, write_model);
  return out.take();
}

byte_vector encode_result(const fit_view& value) {
  byte_writer out;
  out.number(value.event).number(value.nodes).number(value.fitting);
  for (const auto count : value.first_blocker)
    out.number(count);
  for (const auto count : value.only_blocker)
    out.number(count);
  out.number(value.fitting_when_empty).short_text(value.next);
  return out.take();
}

byte_vector encode_result(const nodes_page& value) {
  byte_writer out;
  out.number(value.event);
  write_rows(out, value.rows, write_node);
  write_flag(out, value.is_last);
  return out.take();
}

byte_vector encode_result(const tasks_page& value) {
  byte_writer out;
  out.number(value.event);
  write_rows(out, value.rows, write_task);
  out.short_text(value.next);
  return out.take();
}

byte_vector encode_result(const placed_page& value) {
  byte_writer out;
  out.number(value.event);
  write_rows(out, value.rows, write_task);
  write_flag(out, value.next.has_value());
  if (value.next) out.number(*value.next);
  return out.take();
}

byte_vector encode_result(const events_page& value) {
  byte_writer out;
  out.number(value.event);
  write_flag(out, value.is_compacted);
  out.number(value.oldest).number(value.first);
  write_rows(out, value.events, [](byte_writer& row, const event& each) { write_event(row, view_of(each)); });
  return out.take();
}

std::optional<change_result> decode_change(byte_span payload) {
  byte_reader in{payload};
  change_result value;
  value.event = in.number<std::uint64_t>();
  value.placed = read_rows(in, read_placement);
  return if_complete(in, std::move(value));
}

std::optional<removal_result> decode_removal(byte_span payload) {
  byte_reader in{payload};
  removal_result value;
  value.event = in.number<std::uint64_t>();
  value.evicted = in.number<std::uint32_t>();
  value.remaining = in.number<std::uint32_t>();
  value.placed = read_rows(in, read_placement);
  return if_complete(in, std::move(value));
}

std::optional<renewal_result> decode_renewal(byte_span payload) {
  byte_reader in{payload};
  renewal_result value;
  value.event = in.number<std::uint64_t>();
  value.deadline = read_time(in);
  return if_complete(in, value);
}

std::optional<expiry_result> decode_expiry(byte_span payload) {
  byte_reader in{payload};
  expiry_result value;
  value.event = in.number<std::uint64_t>();
  value.expired = in.number<std::uint32_t>();
  value.due = in.number<std::uint32_t>();
  value.untried = in.number<std::uint64_t>();
  return if_complete(in, value);
}

std::optional<node_view> decode_node_view(byte_span payload) {
  byte_reader in{payload};
  const auto newest = in.number<std::uint64_t>();
  auto value = read_node(in);
  value.event = newest;
  return if_complete(in, std::move(value));
}

std::optional<task_view> decode_task_view(byte_span payload) {
  byte_reader in{payload};
  task_view value;
  value.event = in.number<std::uint64_t>();
  const auto decoded = decode(in.bytes(in.number<std::uint16_t>()));
  if (!decoded || !std::holds_alternative<submit_task>(*decoded)) return std::nullopt;
  const auto& submitted = std::get<submit_task>(*decoded);
  value.spec = submitted.task;
  value.lease = submitted.lease;
  value.state = read_state(in);
  value.node = in.short_text();
  value.gpus = in.number<gpu_set>();
  value.placed_by = in.number<std::uint64_t>();
  value.deadline = read_time(in);
  return if_complete(in, std::move(value));
}

std::optional<summary_view> decode_summary_view(byte_span payload) {
  byte_reader in{payload};
  summary_view value;
  for (auto* number : {&value.event, &value.nodes, &value.submitted, &value.pending, &value.placed, &value.released,
                       &value.cpu_milli_total, &value.cpu_milli_used, &value.memory_mib_total, &value.memory_mib_used,
                       &value.gpu_milli_total, &value.gpu_milli_used, &value.time}) {
    *number = in.number<std::uint64_t>();
  }
  return if_complete(in, value);
}

std::optional<capacity_view> decode_capacity(byte_span payload) {
  byte_reader in{payload};
  capacity_view value;
  value.event = in.number<std::uint64_t>();
  value.models = read_rows(in, read_model);
  return if_complete(in, std::move(value));
}

std::optional<fit_view> decode_fit(byte_span payload) {
  byte_reader in{payload};
  fit_view value;
  value.event = in.number<std::uint64_t>();
  value.nodes = in.number<std::uint32_t>();
  value.fitting = in.number<std::uint32_t>();
  for (auto& count : value.first_blocker)
    count = in.number<std::uint32_t>();
  for (auto& count : value.only_blocker)
    count = in.number<std::uint32_t>();
  value.fitting_when_empty = in.number<std::uint32_t>();
  value.next = in.short_text();
  return if_complete(in, std::move(value));
}

std::optional<nodes_page> decode_nodes_page(byte_span payload) {
  byte_reader in{payload};
  nodes_page value;
  value.event = in.number<std::uint64_t>();
  value.rows = read_rows(in, read_node);
  for (auto& each : value.rows)
    each.event = value.event;
  value.is_last = read_flag(in);
  return if_complete(in, std::move(value));
}

std::optional<tasks_page> decode_tasks_page(byte_span payload) {
  byte_reader in{payload};
  tasks_page value;
  value.event = in.number<std::uint64_t>();
  value.rows = read_rows(in, read_task);
  value.next = in.short_text();
  return if_complete(in, std::move(value));
}

std::optional<placed_page> decode_placed_page(byte_span payload) {
  byte_reader in{payload};
  placed_page value;
  value.event = in.number<std::uint64_t>();
  value.rows = read_rows(in, read_task);
  if (read_flag(in)) value.next = in.number<std::uint64_t>();
  return if_complete(in, std::move(value));
}

std::optional<events_page> decode_events_page(byte_span payload) {
  byte_reader in{payload};
  events_page value;
  value.event = in.number<std::uint64_t>();
  value.is_compacted = read_flag(in);
  value.oldest = in.number<std::uint64_t>();
  value.first = in.number<std::uint64_t>();
  value.events = read_rows(in, read_event);
  return if_complete(in, std::move(value));
}

}  // namespace hypermesh::machines::scheduler
