#include "runtime/feed/event_log.hpp"

#include <algorithm>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::feed {

namespace {

/// Finds the kind and the numbers of an event.
struct event_finder {
  using found = std::optional<node_event>;

  static found event(event_kind kind, view_number view, sequence_number sequence,
                     std::optional<principal> about = std::nullopt) {
    return node_event{0, kind, view, sequence, about, {}};
  }

  found operator()(const view_was_entered& it) const { return event(event_kind::view_entered, it.view, {}); }
  found operator()(const primary_suspected& it) const { return event(event_kind::primary_suspected, it.view, {}); }
  found operator()(const checkpoint_became_stable& it) const {
    return event(event_kind::checkpoint_stable, {}, it.sequence);
  }
  found operator()(const state_was_installed& it) const { return event(event_kind::state_installed, {}, it.sequence); }
  found operator()(const divergence_found& it) const { return event(event_kind::state_diverged, {}, it.sequence); }
  found operator()(const fault_proven& it) const { return event(event_kind::fault_proven, {}, {}, it.accused); }
  found operator()(const standing_changed& it) const {
    return event(event_kind::standing_changed, {}, it.sequence, it.about);
  }
  found operator()(const probation_changed& it) const {
    return event(event_kind::probation_changed, it.first_view, it.floor);
  }
  found operator()(const move_agreed& it) const {
    return event(event_kind::move_agreed, it.wanted.to, it.sequence, principal::of(it.wanted.about));
  }
  found operator()(const query_failed&) const { return event(event_kind::query_failed, {}, {}); }
  found operator()(const audit_interrupted&) const { return event(event_kind::audit_interrupted, {}, {}); }
  template <class Other>
  found operator()(const Other&) const {
    return std::nullopt;
  }
};

}  // namespace

void event_log::add(node_event what) {
  what.number = next_++;
  what.text = base::clipped_text(what.text, text_bytes_max - std::string_view{"…"}.size());
  events_.push_back(std::move(what));
  if (events_.size() > events_max) events_.pop_front();
}

event_page event_log::read(std::uint64_t from, std::size_t max) const {
  const auto oldest = next_ - events_.size();
  event_page page;
  page.next = std::max(from, oldest);
  page.dropped = page.next - from;
  // A reader may ask for an event that is not there yet.
  if (page.next >= next_) return page;
  const auto count = std::min<std::size_t>(max, static_cast<std::size_t>(next_ - page.next));
  const auto first = events_.begin() + static_cast<std::ptrdiff_t>(page.next - oldest);
  page.events.assign(first, first + static_cast<std::ptrdiff_t>(count));
  page.next += count;
  return page;
}

std::optional<node_event> event_reader::of(const observation& what, runtime::node_news::time now) {
  // The news compare each observation with the ones before it, so they have to see all of them.
  const auto told = news_.of(what, now);
  auto event = std::visit(event_finder{}, what);
  if (!event) return std::nullopt;
  // Clients choose how often a query fails. An event for each of them would displace all others.
  if (!told && event->kind == event_kind::query_failed) return std::nullopt;
  if (told) event->text = told->line;
  return event;
}

}  // namespace hypermesh::feed
