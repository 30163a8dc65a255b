#include <algorithm>
#include <bit>
#include <vector>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/printable.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"

namespace hypermesh::machines {

using namespace scheduler;

void resource_scheduler::store_pending() {
  tables_.header.next_event = tables_.events.next();
  tables_.events.store(records_);
  const auto encoded = encode_record(tables_.header);
  const auto present = records_.find(as_byte_span(header_key));
  const bool is_same = present && as_text(*present) == as_text(encoded);
  if (!is_same) records_.put(as_byte_span(header_key), encoded);
}

state_snapshot resource_scheduler::snapshot() {
  store_pending();
  return records_.snapshot();
}

std::shared_ptr<frozen_state> resource_scheduler::freeze() {
  store_pending();
  return records_.freeze();
}

digest resource_scheduler::root() {
  store_pending();
  return records_.root();
}

or_reason<void> resource_scheduler::restore(const state_snapshot& snapshot) {
  authenticated_map records{leaf_bytes_max_, map_keys::kept};
  if (auto done = records.restore(snapshot); !done) return done;
  derived_tables tables{bounds_.events_known_min};
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
  // Nodes come first, because the records of tasks name them.
  if (auto done = derive_nodes(records, into); !done) return done;
  if (auto done = derive_records(records, into); !done) return done;
  return check_bounds(into);
}

or_reason<void> resource_scheduler::derive_records(const authenticated_map& records, derived_tables& into) const {
  or_reason<void> sound;
  std::map<std::uint64_t, byte_span> pages;
  records.for_each([&](byte_span key, byte_span value) {
    const auto text = as_text(key);
    if (!sound || text.front() == 'n' || text == header_key) return;
    const auto page = event_log::page_of_key(text);
    if (page) {
      pages.emplace(*page, value);
    } else if (text.front() == 't') {
      sound = derive_task(text.substr(1), value, into);
    } else if (text.front() == 'k') {
      sound = derive_key(text, value, into);
    } else {
      sound = invalid("the state has a record of an unknown kind");
    }
  });
  if (!sound) return sound;
  return into.events.read(into.header.next_event, into.header.time, pages);
}

or_reason<void> resource_scheduler::derive_nodes(const authenticated_map& records, derived_tables& into) {
  bool is_readable = true;
  // In the order of registration, which differs from the order of the map.
  std::map<std::uint64_t, node_record> nodes;
  records.for_each([&](byte_span key, byte_span value) {
    const auto text = as_text(key);
    if (text.front() != 'n') return;
    auto node = decode_node(text.substr(1), value);
    const bool is_sound =
        node && node->number < into.header.next_node && node->event > 0 && node->event < into.header.next_event;
    is_readable = is_readable && is_sound && nodes.emplace(node->number, std::move(*node)).second;
  });
  if (!is_readable) return invalid("a node record is unreadable or duplicated");
  for (const auto& [number, record] : nodes) {
    const bool is_sound = scheduler::flaw_of(record.spec).empty() && into.nodes.flaw_of(record.spec).empty();
    if (!is_sound) return invalid(fmt::format("the record of node {} is invalid", number));
    const auto index = into.nodes.add(record.spec, number);
    into.nodes.set_changed_by(index, record.event);
    if (record.is_drained) into.nodes.set_drained(index, true);
  }
  return {};
}

or_reason<void> resource_scheduler::derive_task(std::string_view name, byte_span value, derived_tables& into) {
  const auto record = decode_task(value);
  const auto wrong = [&] {
    return invalid(fmt::format("the record of task {} is invalid", printable(as_byte_span(name))));
  };
  if (!record || !scheduler::flaw_of(task_spec{std::string{name}, record->needs, record->service}).empty()) {
    return wrong();
  }
  const auto has_ticket = record->state != task_state::submitted;
  if (has_ticket && (record->ticket == 0 || record->ticket >= into.header.next_ticket)) return wrong();
  const bool has_lease = record->lease.count() > 0;
  // A deadline is an ordered time plus a lease.
  if (record->deadline > into.header.time + lease_max || (!has_lease && record->deadline != ordered_time{})) {
    return wrong();
  }
  bool is_sound = true;
  switch (record->state) {
    case task_state::submitted:
      ++into.submitted;
      break;
    case task_state::pending: {
      const waiting_task waiting{name, demand_amounts::of(record->needs)};
      is_sound = into.waiting.emplace(record->ticket, waiting).second;
      break;
    }
    case task_state::placed: {
      const auto node = into.nodes.find(record->node);
      if (!node || !into.nodes.can_occupy(*node, record->needs, record->gpus)) return wrong();
      into.nodes.occupy(*node, record->needs, record->gpus);
      is_sound = record->event > 0 && record->event < into.header.next_event &&
                 has_lease == (record->deadline > ordered_time{}) && into.add_placed(*node, record->ticket, name);
      if (has_lease) into.leases.emplace(std::pair{record->deadline, record->ticket}, name);
      break;
    }
    case task_state::released:
      is_sound = is_name(record->node) && std::popcount(record->gpus) == record->needs.gpus &&
                 into.released.emplace(record->ticket, name).second;
      break;
  }
  if (!is_sound) return wrong();
  into.content_bytes += record_bytes_max(name, record->needs);
  return {};
}

or_reason<void> resource_scheduler::derive_key(std::string_view key, byte_span value, derived_tables& into) {
  constexpr std::size_t head = 1 + sizeof(client_id::value);
  const bool is_key = key.size() > head && is_name(key.substr(head));
  const auto record = decode_submission(value);
  const auto first = record ? decode_change(record->result) : std::nullopt;
  const auto is_placement = [](const placement& each) { return is_name(each.task) && is_name(each.node); };
  const bool is_sound = is_key && first && record->ticket > 0 && record->ticket < into.header.next_ticket &&
                        first->event > 0 && first->event < into.header.next_event && first->placed.size() <= 1 &&
                        std::ranges::all_of(first->placed, is_placement) &&
                        into.keys.emplace(record->ticket, key).second;
  if (!is_sound) return invalid("the record of a submission's key is invalid");
  into.content_bytes += submission_bytes_max(key);
  return {};
}

or_reason<void> resource_scheduler::check_bounds(const derived_tables& tables) const {
  if (tables.live() > bounds_.live_tasks_max) return invalid("the state has more tasks than the limit");
  if (tables.released.size() > std::min<std::uint64_t>(bounds_.released_known_max, tables.header.released)) {
    return invalid("the state has more released tasks than the limit");
  }
  if (tables.keys.size() > bounds_.keys_known_max) return invalid("the state has more keys than the limit");
  if (tables.content_bytes > bounds_.content_bytes_max) return invalid("the tasks of the state take too much memory");
  if (tables.header.sweep_left > tables.waiting.size()) return invalid("the sweep has more tasks than wait");
  return check_tickets(tables);
}

or_reason<void> resource_scheduler::check_tickets(const derived_tables& tables) {
  std::vector<std::uint64_t> tickets;
  tickets.reserve(tables.live() + tables.released.size() + tables.keys.size());
  const auto add = [&](const auto& table) {
    for (const auto& each : table)
      tickets.push_back(each.first);
  };
  add(tables.waiting);
  add(tables.placed);
  add(tables.released);
  add(tables.keys);
  std::ranges::sort(tickets);
  if (std::ranges::adjacent_find(tickets) != tickets.end()) return invalid("two records have one ticket");
  return {};
}

}  // namespace hypermesh::machines
