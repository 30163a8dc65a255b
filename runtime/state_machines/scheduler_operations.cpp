#include "runtime/state_machines/scheduler_operations.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"
#include "runtime/state_machines/printable.hpp"

namespace hypermesh::machines::scheduler {

namespace {

constexpr std::uint8_t code_of_index(std::size_t index) { return static_cast<std::uint8_t>(index + 1); }

struct encoder {
  byte_writer& out;

  void operator()(const register_node& value) const {
    const auto& node = value.node;
    out.short_text(node.name).number(node.cpu_milli).number(node.memory_mib).number(node.gpus);
    out.short_text(node.gpu_model);
  }
  void operator()(const submit_task& value) const {
    out.short_text(value.task.name);
    write_needs(out, value.task.needs, value.task.service);
  }
  void operator()(const query_summary&) const {}
  template <class Named>
  void operator()(const Named& value) const {
    out.short_text(value.name);
  }
};

or_reason<operation> decode_node(byte_reader& reader) {
  register_node value;
  value.node.name = reader.short_text();
  value.node.cpu_milli = reader.number<std::uint32_t>();
  value.node.memory_mib = reader.number<std::uint32_t>();
  value.node.gpus = reader.number<std::uint8_t>();
  value.node.gpu_model = reader.short_text();
  return operation{std::move(value)};
}

or_reason<operation> decode_task(byte_reader& reader) {
  submit_task value;
  value.task.name = reader.short_text();
  value.task.needs = read_needs(reader, value.task.service);
  return operation{std::move(value)};
}

or_reason<operation> decode_by_code(std::uint8_t code, byte_reader& reader) {
  switch (code) {
    case 1:
      return decode_node(reader);
    case 2:
      return decode_task(reader);
    case 3:
      return operation{place_task{reader.short_text()}};
    case 4:
      return operation{release_task{reader.short_text()}};
    case 5:
      return operation{end_task{reader.short_text()}};
    case 6:
      return operation{query_node{reader.short_text()}};
    case 7:
      return operation{query_task{reader.short_text()}};
    case 8:
      return operation{query_summary{}};
    default:
      return invalid(fmt::format("{} is not an operation of the scheduler", code));
  }
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), is_visible);
}

// --- Text ----------------------------------------------------------------------

/// Reads a number of a command line. The error uses the name that the usage text gives to it.
template <class Number>
or_reason<Number> parse_amount(std::string_view text, std::string_view what) {
  const auto value = parse_decimal<Number>(text);
  if (!value) return invalid(fmt::format("{} \"{}\" is not an integer in range", what, text));
  return *value;
}

or_reason<operation> parse_register(std::span<const std::string> words) {
  const auto cpu = parse_amount<std::uint32_t>(words[2], "CPU_MILLI");
  const auto memory = parse_amount<std::uint32_t>(words[3], "MEMORY_MIB");
  const auto gpus = parse_amount<std::uint8_t>(words.size() == 6 ? words[4] : "0", "GPUS");
  if (!cpu) return failure_of(cpu);
  if (!memory) return failure_of(memory);
  if (!gpus) return failure_of(gpus);
  return operation{register_node{{words[1], *cpu, *memory, *gpus, words.size() == 6 ? words[5] : ""}}};
}

or_reason<operation> parse_submit(std::span<const std::string> words) {
  const auto or_default = [&](std::size_t index, const std::string& text) {
    return index < words.size() ? words[index] : text;
  };
  const auto cpu = parse_amount<std::uint32_t>(words[2], "CPU_MILLI");
  const auto memory = parse_amount<std::uint32_t>(words[3], "MEMORY_MIB");
  const auto gpus = parse_amount<std::uint8_t>(or_default(4, "0"), "GPUS");
  const auto milli = parse_amount<std::uint16_t>(or_default(5, "0"), "GPU_MILLI");
  const auto service = parse_service_class(or_default(7, "BE"));
  if (!cpu) return failure_of(cpu);
  if (!memory) return failure_of(memory);
  if (!gpus) return failure_of(gpus);
  if (!milli) return failure_of(milli);
  if (!service) return failure_of(service);
  const auto models = or_default(6, "-");
  return operation{
      submit_task{{words[1], {*cpu, *memory, *gpus, *milli, parse_models(models == "-" ? "" : models)}, *service}}};
}

}  // namespace

byte_vector encode(const operation& value) {
  byte_writer out{48};
  out.number(code_of_index(value.index()));
  std::visit(encoder{out}, value);
  return out.take();
}

or_reason<operation> decode(byte_span bytes) {
  byte_reader reader{bytes};
  const auto code = reader.number<std::uint8_t>();
  auto decoded = decode_by_code(code, reader);
  if (!decoded) return decoded;
  if (reader.failed()) return invalid("the operation ends too early or has a field out of bounds");
  if (!reader.is_empty()) return invalid("bytes follow the operation");
  return decoded;
}

void write_needs(byte_writer& out, const demand& needs, service_class service) {
  out.number(needs.cpu_milli).number(needs.memory_mib).number(needs.gpus).number(needs.gpu_milli);
  out.number(static_cast<std::uint8_t>(needs.models.size()));
  for (const auto& model : needs.models)
    out.short_text(model);
  out.number(static_cast<std::uint8_t>(service));
}

demand read_needs(byte_reader& in, service_class& service) {
  demand needs;
  needs.cpu_milli = in.number<std::uint32_t>();
  needs.memory_mib = in.number<std::uint32_t>();
  needs.gpus = in.number<std::uint8_t>();
  needs.gpu_milli = in.number<std::uint16_t>();
  const auto models = in.number<std::uint8_t>();
  if (models > model_alternatives_max) in.fail();
  for (std::size_t index = 0; index < models && !in.failed(); ++index)
    needs.models.push_back(in.short_text());
  const auto number = in.number<std::uint8_t>();
  if (number > static_cast<std::uint8_t>(service_class_last)) in.fail();
  service = in.failed() ? service_class::best_effort : static_cast<service_class>(number);
  return needs;
}

bool is_read(const operation& value) {
  return std::holds_alternative<query_node>(value) || std::holds_alternative<query_task>(value) ||
         std::holds_alternative<query_summary>(value);
}

std::string_view flaw_of(const node_spec& node) {
  if (!is_name(node.name)) return "a name has 1 to 64 visible characters";
  if (node.cpu_milli == 0 || node.cpu_milli > cpu_milli_max) return "cpu_milli is 1 to 100000000";
  if (node.memory_mib == 0 || node.memory_mib > memory_mib_max) return "memory_mib is 1 to 1073741824";
  if (node.gpus > gpus_per_node_max) return "a node has at most 16 GPUs";
  if (node.gpus == 0 && !node.gpu_model.empty()) return "a node without GPUs has no GPU model";
  if (node.gpus > 0 && !is_name(node.gpu_model)) return "a GPU model has 1 to 64 visible characters";
  return {};
}

std::string_view flaw_of(const task_spec& task) {
  const auto& needs = task.needs;
  if (!is_name(task.name)) return "a name has 1 to 64 visible characters";
  if (needs.cpu_milli > cpu_milli_max) return "cpu_milli is 0 to 100000000";
  if (needs.memory_mib > memory_mib_max) return "memory_mib is 0 to 1073741824";
  if (needs.gpus > gpus_per_node_max) return "a task takes at most 16 GPUs";
  if (needs.gpus == 0 && needs.gpu_milli != 0) return "a task without GPUs needs gpu_milli 0";
  if (needs.gpus == 0 && !needs.models.empty()) return "a task without GPUs names no GPU model";
  if (needs.gpus == 1 && (needs.gpu_milli == 0 || needs.gpu_milli > gpu_milli_whole)) return "gpu_milli is 1 to 1000";
  if (needs.gpus > 1 && needs.gpu_milli != gpu_milli_whole)
    return "a task with several GPUs uses whole ones: gpu_milli is 1000";
  if (needs.models.size() > model_alternatives_max) return "a task names at most 16 GPU models";
  if (!std::all_of(needs.models.begin(), needs.models.end(), is_name)) {
    return "a GPU model has 1 to 64 visible characters";
  }
  return {};
}

std::string_view to_string(service_class value) {
  switch (value) {
    case service_class::best_effort:
      return "BE";
    case service_class::burstable:
      return "Burstable";
    case service_class::latency_sensitive:
      return "LS";
    case service_class::guaranteed:
      return "Guaranteed";
  }
  return "unknown";
}

or_reason<service_class> parse_service_class(std::string_view text) {
  for (const auto value : {service_class::best_effort, service_class::burstable, service_class::latency_sensitive,
                           service_class::guaranteed}) {
    if (text == to_string(value)) return value;
  }
  return invalid(fmt::format("\"{}\" is not a service class; use BE, Burstable, LS or Guaranteed", text));
}

std::vector<std::string> parse_models(std::string_view text) {
  std::vector<std::string> models;
  while (!text.empty()) {
    const auto end = std::min(text.find('|'), text.size());
    if (end > 0) models.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return models;
}

std::string_view usage() {
  return "register-node NAME CPU_MILLI MEMORY_MIB [GPUS MODEL]\n"
         "submit-task NAME CPU_MILLI MEMORY_MIB [GPUS GPU_MILLI [MODEL|MODEL… or - [BE, Burstable, LS or "
         "Guaranteed]]]\n"
         "place-task NAME      place a task, or queue it if it fits no node\n"
         "release-task NAME    end a placed task\n"
         "end-task NAME        release a placed task, remove any other\n"
         "node NAME            read one node\n"
         "task NAME            read one task\n"
         "summary              read the totals\n";
}

or_reason<byte_vector> parse_operation(std::span<const std::string> words) {
  const auto wrong = [](std::string_view what) { return invalid(fmt::format("{}; use one of:\n{}", what, usage())); };
  if (words.empty()) return wrong("no operation given");
  const auto& verb = words[0];
  const auto count = words.size();
  or_reason<operation> parsed = invalid(fmt::format("\"{}\" with {} arguments is not an operation", verb, count - 1));
  if (verb == "register-node" && (count == 4 || count == 6)) parsed = parse_register(words);
  if (verb == "submit-task" && (count == 4 || (count >= 6 && count <= 8))) parsed = parse_submit(words);
  if (verb == "place-task" && count == 2) parsed = operation{place_task{words[1]}};
  if (verb == "release-task" && count == 2) parsed = operation{release_task{words[1]}};
  if (verb == "end-task" && count == 2) parsed = operation{end_task{words[1]}};
  if (verb == "node" && count == 2) parsed = operation{query_node{words[1]}};
  if (verb == "task" && count == 2) parsed = operation{query_task{words[1]}};
  if (verb == "summary" && count == 1) parsed = operation{query_summary{}};
  if (!parsed) return wrong(parsed.error());

  if (count >= 2 && !is_name(words[1])) return wrong("a name has 1 to 64 visible characters");
  if (const auto* node = std::get_if<register_node>(&*parsed)) {
    if (const auto flaw = flaw_of(node->node); !flaw.empty()) return wrong(flaw);
  }
  if (const auto* task = std::get_if<submit_task>(&*parsed)) {
    if (const auto flaw = flaw_of(task->task); !flaw.empty()) return wrong(flaw);
  }
  return encode(*parsed);
}

}  // namespace hypermesh::machines::scheduler
