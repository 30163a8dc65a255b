#include "runtime/state_machines/scheduler_records.hpp"

#include <algorithm>

#include "runtime/state_machines/authenticated_map.hpp"

namespace hypermesh::machines::scheduler {

namespace {

static_assert(1 + name_bytes_max <= authenticated_map::key_bytes_max);

static_assert(1 + sizeof(std::uint32_t) + submission_key_bytes_max <= authenticated_map::key_bytes_max);

/// State, amounts, counts and service class, lease, node, GPUs, ticket, event and deadline.
constexpr std::uint64_t task_fields_max = 1 + (4 + 4 + 1 + 2 + 1 + 1) + 8 + (1 + name_bytes_max) + 2 + 8 + 8 + 8;
/// Ticket, digest, and the result of a submission with one placement.
constexpr std::uint64_t submission_fields_max =
    8 + sizeof(digest::bytes) + (8 + 2 + 2 * (1 + name_bytes_max) + sizeof(gpu_set));

bool has_ticket(task_state state) { return state != task_state::submitted; }
bool has_deadline(task_state state) { return state == task_state::pending || state == task_state::placed; }
bool has_node(task_state state) { return state == task_state::placed || state == task_state::released; }

std::string prefixed(char kind, std::string_view name) {
  std::string key;
  key.reserve(name.size() + 1);
  key += kind;
  key += name;
  return key;
}

}  // namespace

std::string node_key(std::string_view name) { return prefixed('n', name); }
std::string task_key(std::string_view name) { return prefixed('t', name); }

std::string submission_key(client_id client, std::string_view key) {
  byte_writer out;
  out.number(std::uint8_t{'k'}).number(client.value).bytes(as_byte_span(key));
  return std::string{as_text(out.take())};
}

std::uint64_t record_bytes_max(std::string_view task, const demand& needs) {
  auto bytes = 1 + task.size() + task_fields_max;
  for (const auto& model : needs.models)
    bytes += 1 + model.size();
  return bytes;
}

std::uint64_t submission_bytes_max(std::string_view stored_key) { return stored_key.size() + submission_fields_max; }

byte_vector encode_record(const header_record& value) {
  byte_writer out;
  out.number(value.next_ticket).number(value.released).number(value.next_event).number(value.next_node);
  write_time(out, value.time);
  out.number(value.sweep_ticket).number(value.sweep_left);
  return out.take();
}

byte_vector encode_record(const node_record& value) {
  byte_writer out{64};
  out.number(value.number).number(value.event);
  write_flag(out, value.is_drained);
  out.number(value.spec.cpu_milli).number(value.spec.memory_mib).number(value.spec.gpus);
  out.short_text(value.spec.gpu_model);
  return out.take();
}

byte_vector encode_record(const task_record& value) {
  byte_writer out{64};
  out.number(static_cast<std::uint8_t>(value.state));
  write_needs(out, value.needs, value.service);
  write_lease(out, value.lease);
  if (has_node(value.state)) out.short_text(value.node).number(value.gpus);
  if (has_ticket(value.state)) out.number(value.ticket);
  if (value.state == task_state::placed) out.number(value.event);
  if (has_deadline(value.state)) write_time(out, value.deadline);
  return out.take();
}

byte_vector encode_record(const submission_record& value) {
  byte_writer out{128};
  out.number(value.ticket).bytes(value.content.view()).bytes(value.result);
  return out.take();
}

std::optional<header_record> decode_header(byte_span value) {
  byte_reader in{value};
  header_record record;
  record.next_ticket = in.number<std::uint64_t>();
  record.released = in.number<std::uint64_t>();
  record.next_event = in.number<std::uint64_t>();
  record.next_node = in.number<std::uint64_t>();
  record.time = read_time(in);
  record.sweep_ticket = in.number<std::uint64_t>();
  record.sweep_left = in.number<std::uint64_t>();
  const auto largest = std::max({record.next_ticket, record.released, record.next_event, record.next_node});
  const bool is_sound = record.next_event > 0 && record.next_ticket > 0 && largest <= counter_max &&
                        record.sweep_ticket <= record.next_ticket;
  if (!in.is_complete() || !is_sound || record.time > ordered_time_max) return std::nullopt;
  return record;
}

std::optional<node_record> decode_node(std::string_view name, byte_span value) {
  byte_reader in{value};
  node_record record;
  record.spec.name = std::string{name};
  record.number = in.number<std::uint64_t>();
  record.event = in.number<std::uint64_t>();
  record.is_drained = read_flag(in);
  record.spec.cpu_milli = in.number<std::uint32_t>();
  record.spec.memory_mib = in.number<std::uint32_t>();
  record.spec.gpus = in.number<std::uint8_t>();
  record.spec.gpu_model = in.short_text();
  if (!in.is_complete()) return std::nullopt;
  return record;
}

std::optional<task_record> decode_task(byte_span value) {
  byte_reader in{value};
  task_record record;
  const auto state = in.number<std::uint8_t>();
  if (state > static_cast<std::uint8_t>(task_state_last)) return std::nullopt;
  record.state = static_cast<task_state>(state);
  record.needs = read_needs(in, record.service);
  record.lease = read_lease(in);
  if (has_node(record.state)) {
    record.node = in.short_text();
    record.gpus = in.number<gpu_set>();
  }
  if (has_ticket(record.state)) record.ticket = in.number<std::uint64_t>();
  if (record.state == task_state::placed) record.event = in.number<std::uint64_t>();
  if (has_deadline(record.state)) record.deadline = read_time(in);
  if (!in.is_complete()) return std::nullopt;
  return record;
}

std::optional<submission_record> decode_submission(byte_span value) {
  byte_reader in{value};
  submission_record record;
  record.ticket = in.number<std::uint64_t>();
  const auto content = in.bytes(record.content.bytes.size());
  if (in.failed()) return std::nullopt;
  std::copy(content.begin(), content.end(), record.content.bytes.begin());
  const auto result = in.rest();
  record.result.assign(result.begin(), result.end());
  return record;
}

}  // namespace hypermesh::machines::scheduler
