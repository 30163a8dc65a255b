#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "runtime/state_machines/scheduler_refusals.hpp"

namespace hypermesh::machines {

using namespace scheduler;

namespace {

std::string_view flaw_of_after(std::string_view after) {
  return after.empty() || is_name(after) ? std::string_view{} : "a name has 1 to 64 visible characters";
}

std::string_view flaw_of_limit(std::uint16_t limit) {
  static_assert(page_rows_max == 128, "the text below names the bound");
  return limit == 0 || limit > page_rows_max ? "limit is 1 to 128" : std::string_view{};
}

std::string_view flaw_of_page(std::string_view after, std::uint16_t limit) {
  const auto flaw = flaw_of_after(after);
  return flaw.empty() ? flaw_of_limit(limit) : flaw;
}

task_row row_of(std::string_view name, const task_record& record) {
  const auto deadline = record.state == task_state::placed ? record.deadline : ordered_time{};
  return {std::string{name}, record.state, record.node, record.gpus, record.event, deadline};
}

}  // namespace

operation_result resource_scheduler::query(byte_span operation) const {
  const auto decoded = decode(operation);
  if (!decoded) return malformed(decoded.error());
  if (!is_read(*decoded)) return refused("the operation writes; submit it instead of querying");
  return answer_read(*decoded);
}

operation_result resource_scheduler::answer_read(const operation& operation) const {
  return std::visit(
      [this](const auto& each) -> operation_result {
        if constexpr (requires { each.seen; }) {
          if (each.seen > tables_.events.newest()) return refused(behind_reason);
        }
        if constexpr (requires { this->answer(each); }) {
          return answer(each);
        } else {
          require(false, "only reads are answered");
          return {};
        }
      },
      operation);
}

operation_result resource_scheduler::answer(const query_node& operation) const {
  const auto index = tables_.nodes.find(operation.name);
  if (!index) return refused_unknown("node", operation.name);
  auto view = tables_.nodes.view(*index);
  view.event = tables_.events.newest();
  return applied(encode_result(view));
}

operation_result resource_scheduler::answer(const query_task& operation) const {
  const auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto& record = task->record;
  const auto row = row_of(operation.name, record);
  return applied(encode_result(task_view{tables_.events.newest(),
                                         {operation.name, record.needs, record.service},
                                         record.state,
                                         record.node,
                                         record.gpus,
                                         record.event,
                                         record.lease,
                                         row.deadline}));
}

operation_result resource_scheduler::answer(const query_summary&) const { return applied(encode_result(summary())); }

summary_view resource_scheduler::summary() const {
  summary_view view;
  tables_.nodes.summarise(view);
  view.submitted = tables_.submitted;
  view.pending = tables_.waiting.size();
  view.placed = tables_.placed.size();
  view.released = tables_.header.released;
  view.event = tables_.events.newest();
  view.time = static_cast<std::uint64_t>(tables_.header.time.time_since_epoch().count());
  return view;
}

operation_result resource_scheduler::answer(const query_capacity&) const {
  auto view = tables_.nodes.capacity();
  view.event = tables_.events.newest();
  return applied(encode_result(view));
}

operation_result resource_scheduler::answer(const explain_task& operation) const {
  const auto task = find_task(operation.name);
  if (!task) return refused_unknown("task", operation.name);
  const auto state = task->record.state;
  if (state == task_state::placed || state == task_state::released) {
    return refused(fmt::format("task {} is {}, so there is nothing to explain", operation.name, to_string(state)));
  }
  return explain(task->record.needs, operation.after);
}

operation_result resource_scheduler::answer(const explain_demand& operation) const {
  if (const auto flaw = flaw_of(operation.needs); !flaw.empty()) return refused(flaw);
  return explain(operation.needs, operation.after);
}

operation_result resource_scheduler::explain(const demand& needs, std::string_view after) const {
  if (const auto flaw = flaw_of_after(after); !flaw.empty()) return refused(flaw);
  auto view = tables_.nodes.explain(needs, after);
  view.event = tables_.events.newest();
  return applied(encode_result(view));
}

operation_result resource_scheduler::answer(const list_nodes& operation) const {
  if (const auto flaw = flaw_of_page(operation.after, operation.limit); !flaw.empty()) return refused(flaw);
  nodes_page page;
  page.event = tables_.events.newest();
  const auto& nodes = tables_.nodes.by_name();
  auto next = nodes.upper_bound(operation.after);
  for (; next != nodes.end() && page.rows.size() < operation.limit; ++next) {
    page.rows.push_back(tables_.nodes.view(next->second));
    page.rows.back().event = page.event;
  }
  page.is_last = next == nodes.end();
  return applied(encode_result(page));
}

operation_result resource_scheduler::answer(const list_tasks& operation) const {
  if (const auto flaw = flaw_of_page(operation.after, operation.limit); !flaw.empty()) return refused(flaw);
  tasks_page page;
  page.event = tables_.events.newest();
  const auto after = operation.after.empty() ? std::string{} : task_key(operation.after);
  std::string last;
  records_.for_each_after(as_byte_span(after), as_byte_span("t"), [&](byte_span key, byte_span value) {
    if (page.rows.size() == operation.limit) {
      page.next = last;
      return false;
    }
    last = as_text(key).substr(1);
    const auto record = decode_task(value);
    require(record.has_value(), "a stored record can be read");
    page.rows.push_back(row_of(last, *record));
    return true;
  });
  return applied(encode_result(page));
}

operation_result resource_scheduler::answer(const list_placed& operation) const {
  if (const auto flaw = flaw_of_limit(operation.limit); !flaw.empty()) return refused(flaw);
  placed_page page;
  page.event = tables_.events.newest();
  auto next = tables_.placed.upper_bound(operation.after);
  std::uint64_t last = operation.after;
  for (; next != tables_.placed.end() && page.rows.size() < operation.limit; ++next) {
    page.rows.push_back(row_of(next->second, task_of(next->second).record));
    last = next->first;
  }
  if (next != tables_.placed.end()) page.next = last;
  return applied(encode_result(page));
}

operation_result resource_scheduler::answer(const query_events& operation) const {
  if (const auto flaw = flaw_of_limit(operation.limit); !flaw.empty()) return refused(flaw);
  if (operation.since > tables_.events.newest()) return refused(behind_reason);
  return applied(encode_result(tables_.events.since(operation.since, operation.limit)));
}

}  // namespace hypermesh::machines
