#include "runtime/state_machines/scheduler_results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "messages/byte_codec.hpp"

namespace hypermesh::machines::scheduler {

namespace {

void write(byte_writer& out, const placement& value) {
  out.short_text(value.task).short_text(value.node).number(value.gpus);
}

placement read_placement(byte_reader& in) {
  placement value;
  value.task = in.short_text();
  value.node = in.short_text();
  value.gpus = in.number<gpu_set>();
  return value;
}

template <class T>
std::optional<T> if_complete(const byte_reader& reader, T value) {
  if (!reader.is_complete()) return std::nullopt;
  return value;
}

std::vector<int> indexes_of(gpu_set gpus) {
  std::vector<int> indexes;
  for (int index = 0; index < gpus_per_node_max; ++index) {
    if ((gpus >> index) & 1) indexes.push_back(index);
  }
  return indexes;
}

std::string describe(const placement& value) {
  if (value.gpus == 0) return fmt::format("{} placed on {}", value.task, value.node);
  return fmt::format("{} placed on {} gpu {}", value.task, value.node, fmt::join(indexes_of(value.gpus), ","));
}

std::string describe(const placements& value, std::string_view done) {
  std::string text{done};
  for (const auto& each : value)
    text += "\n" + describe(each);
  return text;
}

std::string describe(const node_view& value) {
  auto text = fmt::format("{}: cpu_milli {} free of {}, memory_mib {} free of {}, tasks {}", value.spec.name,
                          value.cpu_milli_free, value.spec.cpu_milli, value.memory_mib_free, value.spec.memory_mib,
                          value.tasks);
  if (value.spec.gpus > 0) {
    text += fmt::format(", {} gpus {}, gpu_milli free {}", value.spec.gpus, value.spec.gpu_model,
                        fmt::join(value.gpu_milli_free, ","));
  }
  return text;
}

std::string describe(const task_view& value) {
  const auto& needs = value.spec.needs;
  auto text = fmt::format("{}: {}, cpu_milli {}, memory_mib {}", value.spec.name, to_string(value.state),
                          needs.cpu_milli, needs.memory_mib);
  if (needs.gpus > 0) text += fmt::format(", gpus {} of gpu_milli {}", needs.gpus, needs.gpu_milli);
  if (!needs.models.empty()) text += fmt::format(", models {}", fmt::join(needs.models, "|"));
  text += fmt::format(", {}", to_string(value.spec.service));
  if (!value.node.empty()) text += fmt::format(", node {}", value.node);
  if (value.gpus != 0) text += fmt::format(" gpu {}", fmt::join(indexes_of(value.gpus), ","));
  return text;
}

std::string describe(const summary_view& value) {
  return fmt::format(
      "nodes {}\ntasks submitted {}, pending {}, placed {}, released {}\n"
      "cpu_milli {} used of {}\nmemory_mib {} used of {}\ngpu_milli {} used of {}",
      value.nodes, value.submitted, value.pending, value.placed, value.released, value.cpu_milli_used,
      value.cpu_milli_total, value.memory_mib_used, value.memory_mib_total, value.gpu_milli_used,
      value.gpu_milli_total);
}

/// Makes the text of an applied operation. The text is empty if the payload does not fit the operation.
struct applied_text {
  byte_span payload;

  std::string operator()(const register_node&) const {
    const auto value = decode_placements(payload);
    return value ? describe(*value, "registered") : "";
  }
  std::string operator()(const submit_task&) const { return "submitted"; }
  std::string operator()(const place_task&) const {
    if (payload.empty()) return "pending: no node has room for the task now";
    const auto value = decode_placement(payload);
    return value ? describe(*value) : "";
  }
  std::string operator()(const release_task&) const {
    const auto value = decode_placements(payload);
    return value ? describe(*value, "released") : "";
  }
  std::string operator()(const end_task&) const {
    const auto value = decode_placements(payload);
    return value ? describe(*value, "ended") : "";
  }
  std::string operator()(const query_node&) const {
    const auto value = decode_node_view(payload);
    return value ? describe(*value) : "";
  }
  std::string operator()(const query_task&) const {
    const auto value = decode_task_view(payload);
    return value ? describe(*value) : "";
  }
  std::string operator()(const query_summary&) const {
    const auto value = decode_summary_view(payload);
    return value ? describe(*value) : "";
  }
};

}  // namespace

std::string_view to_string(task_state value) {
  switch (value) {
    case task_state::submitted:
      return "submitted";
    case task_state::pending:
      return "pending";
    case task_state::placed:
      return "placed";
    case task_state::released:
      return "released";
  }
  return "unknown";
}

byte_vector encode_result(const placement& value) {
  byte_writer out{48};
  write(out, value);
  return out.take();
}

byte_vector encode_result(const placements& value) {
  byte_writer out;
  out.number(static_cast<std::uint16_t>(value.size()));
  for (const auto& each : value)
    write(out, each);
  return out.take();
}

byte_vector encode_result(const node_view& value) {
  byte_writer out;
  out.short_text(value.spec.name).number(value.spec.cpu_milli).number(value.spec.memory_mib).number(value.spec.gpus);
  out.short_text(value.spec.gpu_model).number(value.cpu_milli_free).number(value.memory_mib_free);
  for (const auto free : value.gpu_milli_free)
    out.number(free);
  out.number(value.tasks);
  return out.take();
}

byte_vector encode_result(const task_view& value) {
  const auto spec = encode(submit_task{value.spec});
  byte_writer out;
  out.number(static_cast<std::uint16_t>(spec.size())).bytes(spec);
  out.number(static_cast<std::uint8_t>(value.state)).short_text(value.node).number(value.gpus);
  return out.take();
}

byte_vector encode_result(const summary_view& value) {
  byte_writer out;
  for (const auto number : {value.nodes, value.submitted, value.pending, value.placed, value.released,
                            value.cpu_milli_total, value.cpu_milli_used, value.memory_mib_total, value.memory_mib_used,
                            value.gpu_milli_total, value.gpu_milli_used}) {
    out.number(number);
  }
  return out.take();
}

std::optional<placement> decode_placement(byte_span payload) {
  byte_reader in{payload};
  auto value = read_placement(in);
  return if_complete(in, std::move(value));
}

std::optional<placements> decode_placements(byte_span payload) {
  byte_reader in{payload};
  placements value;
  const auto count = in.number<std::uint16_t>();
  while (value.size() < count && !in.failed())
    value.push_back(read_placement(in));
  return if_complete(in, std::move(value));
}

std::optional<node_view> decode_node_view(byte_span payload) {
  byte_reader in{payload};
  node_view value;
  value.spec.name = in.short_text();
  value.spec.cpu_milli = in.number<std::uint32_t>();
  value.spec.memory_mib = in.number<std::uint32_t>();
  value.spec.gpus = in.number<std::uint8_t>();
  value.spec.gpu_model = in.short_text();
  value.cpu_milli_free = in.number<std::uint32_t>();
  value.memory_mib_free = in.number<std::uint32_t>();
  for (int gpu = 0; gpu < value.spec.gpus; ++gpu)
    value.gpu_milli_free.push_back(in.number<std::uint16_t>());
  value.tasks = in.number<std::uint32_t>();
  return if_complete(in, std::move(value));
}

std::optional<task_view> decode_task_view(byte_span payload) {
  byte_reader in{payload};
  const auto decoded = decode(in.bytes(in.number<std::uint16_t>()));
  if (!decoded || !std::holds_alternative<submit_task>(*decoded)) return std::nullopt;
  task_view value;
  value.spec = std::get<submit_task>(*decoded).task;
  const auto state = in.number<std::uint8_t>();
  if (state > static_cast<std::uint8_t>(task_state_last)) return std::nullopt;
  value.state = static_cast<task_state>(state);
  value.node = in.short_text();
  value.gpus = in.number<gpu_set>();
  return if_complete(in, std::move(value));
}

std::optional<summary_view> decode_summary_view(byte_span payload) {
  byte_reader in{payload};
  summary_view value;
  for (auto* number : {&value.nodes, &value.submitted, &value.pending, &value.placed, &value.released,
                       &value.cpu_milli_total, &value.cpu_milli_used, &value.memory_mib_total, &value.memory_mib_used,
                       &value.gpu_milli_total, &value.gpu_milli_used}) {
    *number = in.number<std::uint64_t>();
  }
  return if_complete(in, value);
}

machine_answer interpret(byte_span submitted, const operation_result& result) {
  if (result.status != operation_status::applied) return unapplied_answer(result);
  const auto decoded = decode(submitted);
  if (!decoded) return value_answer(result.payload);
  auto text = std::visit(applied_text{result.payload}, *decoded);
  return text.empty() ? value_answer(result.payload) : text_answer(std::move(text));
}

}  // namespace hypermesh::machines::scheduler
