#include "runtime/state_machines/scheduler_records.hpp"

#include "runtime/state_machines/authenticated_map.hpp"

namespace hypermesh::machines::scheduler {

namespace {

static_assert(1 + name_bytes_max <= authenticated_map::key_bytes_max);

bool has_ticket(task_state state) { return state == task_state::pending || state == task_state::released; }
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

byte_vector encode_record(const header_record& value) {
  byte_writer out;
  out.number(value.next_ticket).number(value.released);
  return out.take();
}

byte_vector encode_record(const node_record& value) {
  byte_writer out{48};
  out.number(value.index).number(value.spec.cpu_milli).number(value.spec.memory_mib).number(value.spec.gpus);
  out.short_text(value.spec.gpu_model);
  return out.take();
}

byte_vector encode_record(const task_record& value) {
  byte_writer out{48};
  out.number(static_cast<std::uint8_t>(value.state));
  write_needs(out, value.needs, value.service);
  if (has_node(value.state)) out.number(value.node).number(value.gpus);
  if (has_ticket(value.state)) out.number(value.ticket);
  return out.take();
}

std::optional<header_record> decode_header(byte_span value) {
  byte_reader in{value};
  header_record record;
  record.next_ticket = in.number<std::uint64_t>();
  record.released = in.number<std::uint64_t>();
  if (!in.is_complete()) return std::nullopt;
  return record;
}

std::optional<node_record> decode_node(std::string_view name, byte_span value) {
  byte_reader in{value};
  node_record record;
  record.spec.name = std::string{name};
  record.index = in.number<node_index>();
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
  if (has_node(record.state)) {
    record.node = in.number<node_index>();
    record.gpus = in.number<gpu_set>();
  }
  if (has_ticket(record.state)) record.ticket = in.number<std::uint64_t>();
  if (!in.is_complete()) return std::nullopt;
  return record;
}

}  // namespace hypermesh::machines::scheduler
