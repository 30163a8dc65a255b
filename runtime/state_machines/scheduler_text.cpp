#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/state_machines/scheduler_results.hpp"

namespace hypermesh::machines::scheduler {

namespace {

std::vector<int> indexes_of(gpu_set gpus) {
  std::vector<int> indexes;
  for (int index = 0; index < gpus_per_node_max; ++index) {
    if ((gpus >> index) & 1) indexes.push_back(index);
  }
  return indexes;
}

std::string gpus_text(gpu_set gpus) {
  return gpus == 0 ? std::string{} : fmt::format(" gpu {}", fmt::join(indexes_of(gpus), ","));
}

std::string deadline_text(ordered_time deadline) {
  if (deadline == ordered_time{}) return {};
  return fmt::format(", lease until {} ms", deadline.time_since_epoch().count());
}

std::string describe(const placement& value) {
  return fmt::format("{} placed on {}{}", value.task, value.node, gpus_text(value.gpus));
}

std::string describe(const placements& value, std::string_view done) {
  std::string text{done};
  for (const auto& each : value)
    text += "\n" + describe(each);
  return text;
}

std::string describe(const removal_result& value) {
  auto text = value.remaining == 0
                  ? std::string{"removed"}
                  : fmt::format("drained, {} tasks remain: repeat the command to evict them", value.remaining);
  if (value.evicted > 0) {
    text += fmt::format("; {} tasks evicted, {} of them wait", value.evicted, value.evicted - value.placed.size());
  }
  return describe(value.placed, text);
}

std::string describe(const node_view& value) {
  auto text = fmt::format("{}: cpu_milli {} free of {}, memory_mib {} free of {}, tasks {}", value.spec.name,
                          value.cpu_milli_free, value.spec.cpu_milli, value.memory_mib_free, value.spec.memory_mib,
                          value.tasks);
  if (value.spec.gpus > 0) {
    text += fmt::format(", {} gpus {}, gpu_milli free {}", value.spec.gpus, value.spec.gpu_model,
                        fmt::join(value.gpu_milli_free, ","));
  }
  if (value.is_drained) text += ", drained";
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
  return text + gpus_text(value.gpus) + deadline_text(value.deadline);
}

std::string describe(const summary_view& value) {
  return fmt::format(
      "nodes {}\ntasks submitted {}, pending {}, placed {}, released {}\n"
      "cpu_milli {} used of {}\nmemory_mib {} used of {}\ngpu_milli {} used of {}\nevent {}, ordered time {} ms",
      value.nodes, value.submitted, value.pending, value.placed, value.released, value.cpu_milli_used,
      value.cpu_milli_total, value.memory_mib_used, value.memory_mib_total, value.gpu_milli_used, value.gpu_milli_total,
      value.event, value.time);
}

/// A part of a sum in percent with one decimal, by integers, so that the text is the same everywhere.
std::string percent_text(std::uint64_t part, std::uint64_t whole) {
  const auto tenths = whole == 0 ? 0 : (part * 1'000 + whole / 2) / whole;
  return fmt::format("{}.{} %", tenths / 10, tenths % 10);
}

std::string describe(const model_capacity& value) {
  auto text = fmt::format("{}: nodes {}", value.model.empty() ? "without GPUs" : value.model, value.nodes);
  if (value.nodes_drained > 0) text += fmt::format(" ({} drained)", value.nodes_drained);
  text += fmt::format(", free: cpu_milli {}, memory_mib {}", value.cpu_milli_free, value.memory_mib_free);
  if (value.model.empty()) return text;
  text += fmt::format(", gpu_milli {}, whole gpus {}; fragmentation", value.gpu_milli_free, value.gpus_whole_free);
  for (std::size_t each = 0; each < fragment_sizes.size(); ++each) {
    text += fmt::format("{} {} for {}", each == 0 ? "" : ",",
                        percent_text(value.gpu_milli_stranded[each], value.gpu_milli_free), fragment_sizes[each]);
  }
  return text;
}

std::string describe(const capacity_view& value) {
  std::string text;
  for (const auto& each : value.models)
    text += fmt::format("{}{}", text.empty() ? "" : "\n", describe(each));
  return text.empty() ? "no nodes" : text;
}

/// What the client or the operator can do about a task that is not placed.
std::string help_text(const fit_view& value) {
  if (value.fitting > 0) return fmt::format("{} nodes have room now; ask again: place-task", value.fitting);
  constexpr std::array<std::string_view, fit_blockers> changes = {"undrain one of {}", "allow the model of one of {}",
                                                                  "free processors on one of {}",
                                                                  "free memory on one of {}", "free GPUs on one of {}"};
  std::string text;
  for (std::size_t kind = 0; kind < fit_blockers; ++kind) {
    const auto count = value.only_blocker[kind];
    if (count == 0) continue;
    text += text.empty() ? "" : ", or ";
    text += fmt::format(fmt::runtime(changes[kind]), fmt::format("{} nodes", count));
  }
  if (!text.empty()) return text;
  if (value.fitting_when_empty > 0)
    return fmt::format("wait for one of {} nodes to become empty", value.fitting_when_empty);
  return "register a larger node, or submit the task with a smaller demand";
}

/// How to read the next page. The other options stay as they were typed.
template <class After>
std::string more_text(const After& after) {
  return fmt::format("\nmore: repeat the command with after={}", after);
}

std::string describe(const fit_view& value) {
  const auto* examined = value.next.empty() ? "nodes" : "examined nodes";
  auto text = fmt::format("{} of {} {} have room", value.fitting, value.nodes, examined);
  for (std::size_t kind = 0; kind < fit_blockers; ++kind) {
    if (value.first_blocker[kind] == 0) continue;
    text += fmt::format("\n{}: {}", to_string(static_cast<fit_blocker>(kind)), value.first_blocker[kind]);
  }
  text += "\nhelps: " + help_text(value);
  return value.next.empty() ? text : text + more_text(value.next);
}

std::string describe(const nodes_page& value) {
  std::string text = fmt::format("{} nodes as of event {}", value.rows.size(), value.event);
  for (const auto& each : value.rows)
    text += "\n" + describe(each);
  if (!value.is_last && !value.rows.empty()) text += more_text(value.rows.back().spec.name);
  return text;
}

std::string describe(const task_row& value) {
  auto text = fmt::format("{}: {}", value.name, to_string(value.state));
  if (!value.node.empty()) text += fmt::format(", node {}", value.node);
  return text + gpus_text(value.gpus) + deadline_text(value.deadline);
}

std::string describe(const tasks_page& value) {
  std::string text = fmt::format("{} tasks as of event {}", value.rows.size(), value.event);
  for (const auto& each : value.rows)
    text += "\n" + describe(each);
  return value.next.empty() ? text : text + more_text(value.next);
}

std::string describe(const placed_page& value) {
  std::string text = fmt::format("{} placed tasks as of event {}", value.rows.size(), value.event);
  for (const auto& each : value.rows)
    text += "\n" + describe(each);
  return value.next ? text + more_text(*value.next) : text;
}

std::string describe(const events_page& value) {
  if (value.is_compacted) {
    return fmt::format(
        "compacted: the oldest event that is kept is {}; list the nodes and the placed tasks, and go on from there",
        value.oldest);
  }
  std::string text = fmt::format("{} events; the newest is {}", value.events.size(), value.event);
  auto number = value.first;
  for (const auto& each : value.events) {
    text += fmt::format("\n{} {} {}", number++, to_string(each.kind), is_about_node(each.kind) ? each.node : each.task);
    if (!is_about_node(each.kind) && !each.node.empty()) text += fmt::format(" on {}", each.node);
    text += gpus_text(each.gpus) + deadline_text(each.deadline);
  }
  const auto last = number - 1;
  return last < value.event ? fmt::format("{}\nmore: events {}", text, last) : text;
}

/// Makes the text of an applied operation. The text is empty if the payload does not fit the operation.
struct applied_text {
  byte_span payload;

  std::string operator()(const register_node&) const { return change("registered"); }
  std::string operator()(const drain_node&) const { return change("drained"); }
  std::string operator()(const undrain_node&) const { return change("undrained"); }
  std::string operator()(const remove_node&) const { return text_of(decode_removal(payload)); }
  std::string operator()(const submit_task& value) const { return value.places ? placing() : change("submitted"); }
  std::string operator()(const place_task&) const { return placing(); }
  std::string operator()(const release_task&) const { return change("released"); }
  std::string operator()(const end_task&) const { return change("ended"); }
  std::string operator()(const renew_lease&) const {
    const auto value = decode_renewal(payload);
    return value ? "renewed" + deadline_text(value->deadline) : "";
  }
  std::string operator()(const expire_leases&) const {
    const auto value = decode_expiry(payload);
    if (!value) return "";
    auto text = fmt::format("{} leases expired, {} more are over", value->expired, value->due);
    if (value->untried > 0) text += fmt::format("; {} waiting tasks are left to be tried", value->untried);
    return value->due > 0 || value->untried > 0 ? text + ": repeat the command" : text;
  }
  std::string operator()(const query_node&) const { return text_of(decode_node_view(payload)); }
  std::string operator()(const query_task&) const { return text_of(decode_task_view(payload)); }
  std::string operator()(const query_summary&) const { return text_of(decode_summary_view(payload)); }
  std::string operator()(const query_capacity&) const { return text_of(decode_capacity(payload)); }
  std::string operator()(const explain_task&) const { return text_of(decode_fit(payload)); }
  std::string operator()(const explain_demand&) const { return text_of(decode_fit(payload)); }
  std::string operator()(const list_nodes&) const { return text_of(decode_nodes_page(payload)); }
  std::string operator()(const list_tasks&) const { return text_of(decode_tasks_page(payload)); }
  std::string operator()(const list_placed&) const { return text_of(decode_placed_page(payload)); }
  std::string operator()(const query_events&) const { return text_of(decode_events_page(payload)); }

 private:
  [[nodiscard]] std::string change(std::string_view done) const {
    const auto value = decode_change(payload);
    return value ? describe(value->placed, done) : "";
  }
  /// The answer to an operation that places one task.
  [[nodiscard]] std::string placing() const {
    const auto value = decode_change(payload);
    if (!value) return "";
    return value->placed.empty() ? "pending: no node has room for the task now" : describe(value->placed.front());
  }
  template <class View>
  static std::string text_of(const std::optional<View>& value) {
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

std::string_view to_string(fit_blocker value) {
  switch (value) {
    case fit_blocker::drained:
      return "drained";
    case fit_blocker::model:
      return "another GPU model";
    case fit_blocker::cpu:
      return "too few free processors";
    case fit_blocker::memory:
      return "too little free memory";
    case fit_blocker::gpu:
      return "too little free on its GPUs";
  }
  return "unknown";
}

std::string_view to_string(event_kind value) {
  switch (value) {
    case event_kind::node_registered:
      return "node-registered";
    case event_kind::node_drained:
      return "node-drained";
    case event_kind::node_undrained:
      return "node-undrained";
    case event_kind::node_removed:
      return "node-removed";
    case event_kind::task_submitted:
      return "submitted";
    case event_kind::task_waits:
      return "waits";
    case event_kind::task_placed:
      return "placed";
    case event_kind::task_released:
      return "released";
    case event_kind::task_expired:
      return "expired";
    case event_kind::task_evicted:
      return "evicted";
    case event_kind::task_withdrawn:
      return "withdrawn";
  }
  return "unknown";
}

machine_answer interpret(byte_span submitted, const operation_result& result) {
  if (result.status != operation_status::applied) return unapplied_answer(result);
  const auto decoded = decode(submitted);
  if (!decoded) return value_answer(result.payload);
  auto text = std::visit(applied_text{result.payload}, *decoded);
  return text.empty() ? value_answer(result.payload) : text_answer(std::move(text));
}

}  // namespace hypermesh::machines::scheduler
