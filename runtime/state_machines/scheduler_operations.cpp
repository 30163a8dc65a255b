#include "runtime/state_machines/scheduler_operations.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
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
  void operator()(const remove_node& value) const {
    out.short_text(value.name);
    write_flag(out, value.evicts);
  }
  void operator()(const submit_task& value) const {
    out.short_text(value.task.name);
    write_needs(out, value.task.needs, value.task.service);
    write_lease(out, value.lease);
    out.short_text(value.key);
    write_flag(out, value.places);
  }
  void operator()(const renew_lease& value) const {
    out.short_text(value.name);
    write_lease(out, value.lease);
  }
  void operator()(const expire_leases&) const {}
  void operator()(const query_node& value) const { out.short_text(value.name).number(value.seen); }
  void operator()(const query_task& value) const { out.short_text(value.name).number(value.seen); }
  void operator()(const query_summary& value) const { out.number(value.seen); }
  void operator()(const query_capacity& value) const { out.number(value.seen); }
  void operator()(const explain_task& value) const {
    out.short_text(value.name).short_text(value.after).number(value.seen);
  }
  void operator()(const explain_demand& value) const {
    write_needs(out, value.needs, service_class::best_effort);
    out.short_text(value.after).number(value.seen);
  }
  void operator()(const list_nodes& value) const { out.short_text(value.after).number(value.limit).number(value.seen); }
  void operator()(const list_tasks& value) const { out.short_text(value.after).number(value.limit).number(value.seen); }
  void operator()(const list_placed& value) const { out.number(value.after).number(value.limit).number(value.seen); }
  void operator()(const query_events& value) const { out.number(value.since).number(value.limit).number(value.seen); }
  template <class Named>
  void operator()(const Named& value) const {
    out.short_text(value.name);
  }
};

/// Reads the fields of an operation in their order.
struct decoder {
  byte_reader& in;

  void operator()(register_node& value) const {
    auto& node = value.node;
    node.name = in.short_text();
    node.cpu_milli = in.number<std::uint32_t>();
    node.memory_mib = in.number<std::uint32_t>();
    node.gpus = in.number<std::uint8_t>();
    node.gpu_model = in.short_text();
  }
  void operator()(remove_node& value) const {
    value.name = in.short_text();
    value.evicts = read_flag(in);
  }
  void operator()(submit_task& value) const {
    value.task.name = in.short_text();
    value.task.needs = read_needs(in, value.task.service);
    value.lease = read_lease(in);
    value.key = in.short_text();
    value.places = read_flag(in);
  }
  void operator()(renew_lease& value) const {
    value.name = in.short_text();
    value.lease = read_lease(in);
  }
  void operator()(expire_leases&) const {}
  void operator()(query_node& value) const { read_named(value); }
  void operator()(query_task& value) const { read_named(value); }
  void operator()(query_summary& value) const { value.seen = in.number<std::uint64_t>(); }
  void operator()(query_capacity& value) const { value.seen = in.number<std::uint64_t>(); }
  void operator()(explain_task& value) const {
    value.name = in.short_text();
    value.after = in.short_text();
    value.seen = in.number<std::uint64_t>();
  }
  void operator()(explain_demand& value) const {
    service_class service = service_class::best_effort;
    value.needs = read_needs(in, service);
    if (service != service_class::best_effort) in.fail();
    value.after = in.short_text();
    value.seen = in.number<std::uint64_t>();
  }
  void operator()(list_nodes& value) const {
    value.after = in.short_text();
    value.limit = in.number<std::uint16_t>();
    value.seen = in.number<std::uint64_t>();
  }
  void operator()(list_tasks& value) const {
    value.after = in.short_text();
    value.limit = in.number<std::uint16_t>();
    value.seen = in.number<std::uint64_t>();
  }
  void operator()(list_placed& value) const {
    value.after = in.number<std::uint64_t>();
    value.limit = in.number<std::uint16_t>();
    value.seen = in.number<std::uint64_t>();
  }
  void operator()(query_events& value) const {
    value.since = in.number<std::uint64_t>();
    value.limit = in.number<std::uint16_t>();
    value.seen = in.number<std::uint64_t>();
  }
  template <class Named>
  void operator()(Named& value) const {
    value.name = in.short_text();
  }

 private:
  template <class Read>
  void read_named(Read& value) const {
    value.name = in.short_text();
    value.seen = in.number<std::uint64_t>();
  }
};

/// The empty operation at place `index` of the variant; nothing if there is no such place.
template <std::size_t Place = 0>
std::optional<operation> empty_operation(std::size_t index) {
  if constexpr (Place < std::variant_size_v<operation>) {
    if (index == Place) return operation{std::in_place_index<Place>};
    return empty_operation<Place + 1>(index);
  } else {
    return std::nullopt;
  }
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), is_visible);
}

byte_vector encode(const operation& value) {
  byte_writer out{48};
  out.number(code_of_index(value.index()));
  std::visit(encoder{out}, value);
  return out.take();
}

or_reason<operation> decode(byte_span bytes) {
  byte_reader reader{bytes};
  const auto code = reader.number<std::uint8_t>();
  auto decoded = code == 0 ? std::nullopt : empty_operation(code - 1U);
  if (!decoded) return invalid(fmt::format("{} is not an operation of the scheduler", code));
  std::visit(decoder{reader}, *decoded);
  if (reader.failed()) return invalid("the operation ends too early or has a field out of bounds");
  if (!reader.is_empty()) return invalid("bytes follow the operation");
  return std::move(*decoded);
}

void write_lease(byte_writer& out, std::chrono::milliseconds lease) {
  out.number(static_cast<std::uint64_t>(lease.count()));
}

std::chrono::milliseconds read_lease(byte_reader& in) {
  const auto count = in.number<std::uint64_t>();
  if (count > static_cast<std::uint64_t>(lease_max.count())) in.fail();
  return in.failed() ? std::chrono::milliseconds{0} : std::chrono::milliseconds{count};
}

void write_flag(byte_writer& out, bool flag) { out.number(std::uint8_t{flag}); }

bool read_flag(byte_reader& in) {
  const auto octet = in.number<std::uint8_t>();
  if (octet > 1) in.fail();
  return octet == 1;
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
  // The reads follow the writes in the variant.
  return value.index() >= operation{query_node{}}.index();
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
  if (!is_name(task.name)) return "a name has 1 to 64 visible characters";
  return flaw_of(task.needs);
}

std::string_view flaw_of(const demand& needs) {
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

std::string_view flaw_of_key(std::string_view key) {
  static_assert(submission_key_bytes_max == name_bytes_max, "a key is checked like a name");
  return key.empty() || is_name(key) ? std::string_view{} : "a key has at most 64 visible characters";
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

}  // namespace hypermesh::machines::scheduler
