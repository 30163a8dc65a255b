#include "runtime/feed/event_log.hpp"

#include <algorithm>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::feed {

namespace {

/// The number in a field; 0 if the event does not have it.
std::uint64_t number_in(const operator_event& event, std::string_view name) {
  const auto* value = field_in(event, name);
  const auto* number = value == nullptr ? nullptr : std::get_if<std::uint64_t>(value);
  return number == nullptr ? 0 : *number;
}

/// The member that the observation is about, if it is about one.
struct subject_finder {
  std::optional<principal> operator()(const fault_proven& it) const { return it.accused; }
  std::optional<principal> operator()(const standing_changed& it) const { return it.about; }
  std::optional<principal> operator()(const move_agreed& it) const { return principal::of(it.wanted.about); }
  template <class Other>
  std::optional<principal> operator()(const Other&) const {
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

std::optional<node_event> event_reader::of(const observation& what, moment now) {
  const auto event = events_.of(what, now);
  if (!event || event->kind == operator_event_kind::node_failed) return std::nullopt;
  // Clients choose how often a query fails. An event for each of them would displace all others.
  if (event->kind == operator_event_kind::query_failed && !limiter_.admit(*event, now).passes) return std::nullopt;
  const auto kind = row_of(event->kind).for_hosts;
  if (!kind) return std::nullopt;
  node_event told{0,
                  *kind,
                  view_number{number_in(*event, "view")},
                  sequence_number{number_in(*event, "sequence")},
                  std::visit(subject_finder{}, what),
                  {}};
  // Events for somebody who examines the node need no attention.
  if (event->level > event_level::debug) told.text = sentence_of(*event);
  return told;
}

}  // namespace hypermesh::feed
