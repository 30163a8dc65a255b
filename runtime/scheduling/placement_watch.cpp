#include "runtime/scheduling/placement_watch.hpp"

#include <algorithm>
#include <map>

namespace hypermesh::scheduling {

namespace {

tl::unexpected<failure> foreign(std::string reason) {
  return tl::unexpected(failure{failure_kind::foreign, std::move(reason)});
}

/// The rows of all pages, and the events that the oldest and the newest page reflect.
class mixed_pages {
 public:
  void add(const nodes_page& page) {
    note(page.event);
    for (const auto& each : page.rows)
      nodes_[each.spec.name] = {each.spec.name, each.is_drained, each.changed_by};
  }
  void add(const placed_page& page) {
    note(page.event);
    for (const auto& each : page.rows)
      place(each);
  }
  /// Each row reflects the events up to its own page. So the events that it reflects already change nothing.
  void apply(std::uint64_t number, const event& what) {
    switch (what.kind) {
      case event_kind::node_registered:
        if (!reflects(nodes_, what.node, number)) nodes_[what.node] = {what.node, false, number};
        return;
      case event_kind::node_drained:
      case event_kind::node_undrained:
        // A node that no page shows was removed before its page was read. The event of its removal follows.
        if (nodes_.contains(what.node) && !reflects(nodes_, what.node, number)) {
          nodes_[what.node] = {what.node, what.kind == event_kind::node_drained, number};
        }
        return;
      case event_kind::node_removed:
        if (!reflects(nodes_, what.node, number)) nodes_.erase(what.node);
        return;
      case event_kind::task_placed:
        place({what.task, task_state::placed, what.node, what.gpus, number, what.deadline});
        return;
      case event_kind::task_released:
      case event_kind::task_expired:
      case event_kind::task_evicted:
        if (!reflects(placed_, what.task, number)) placed_.erase(what.task);
        return;
      case event_kind::task_submitted:
      case event_kind::task_waits:
      case event_kind::task_withdrawn:
        return;
    }
  }

  [[nodiscard]] std::uint64_t oldest() const { return oldest_; }
  [[nodiscard]] std::uint64_t newest() const { return newest_; }

  [[nodiscard]] watch_update take() {
    watch_update update;
    update.is_snapshot = true;
    for (auto& [name, row] : placed_)
      update.placed.push_back(std::move(row));
    for (auto& [name, row] : nodes_)
      update.nodes.push_back(std::move(row));
    return update;
  }

 private:
  static std::uint64_t number_of(const task_row& row) { return row.placed_by; }
  static std::uint64_t number_of(const watched_node& row) { return row.changed_by; }

  /// Whether the row of the name is there and has the number of this event or a later one.
  template <class Rows>
  [[nodiscard]] static bool reflects(const Rows& rows, const std::string& name, std::uint64_t number) {
    const auto found = rows.find(name);
    return found != rows.end() && number_of(found->second) >= number;
  }

  void note(std::uint64_t event) {
    oldest_ = std::min(oldest_, event);
    newest_ = std::max(newest_, event);
  }
  void place(const task_row& row) {
    if (!reflects(placed_, row.name, row.placed_by)) placed_[row.name] = row;
  }

  std::uint64_t oldest_ = ~std::uint64_t{0};
  std::uint64_t newest_ = 0;
  std::map<std::string, task_row> placed_;
  std::map<std::string, watched_node> nodes_;
};

or_failure<void> read_pages(resource_scheduler_api& api, mixed_pages& into) {
  std::string after;
  for (;;) {
    const auto page = api.nodes(after, page_rows_max);
    if (!page) return tl::unexpected(page.error());
    into.add(*page);
    if (page->is_last) break;
    if (page->rows.empty() || page->rows.back().spec.name <= after) return foreign("the nodes are not in order");
    after = page->rows.back().spec.name;
  }
  for (std::uint64_t ticket = 0;;) {
    const auto page = api.placed(ticket, page_rows_max);
    if (!page) return tl::unexpected(page.error());
    into.add(*page);
    if (!page->next) return {};
    if (*page->next <= ticket) return foreign("the placed tasks are not in order");
    ticket = *page->next;
  }
}

/// Brings the rows of all pages to the state of the newest page.
or_failure<void> apply_events(resource_scheduler_api& api, mixed_pages& into) {
  for (auto position = into.oldest(); position < into.newest();) {
    const auto left = std::min<std::uint64_t>(page_rows_max, into.newest() - position);
    const auto page = api.events(position, static_cast<std::uint16_t>(left));
    if (!page) return tl::unexpected(page.error());
    if (page->is_compacted) {
      return tl::unexpected(
          failure{failure_kind::unreachable, "the state changed faster than it was read; poll again"});
    }
    if (page->first != position + 1 || page->events.empty() || page->events.size() > left) {
      return foreign("the events do not follow the position");
    }
    for (const auto& what : page->events)
      into.apply(++position, what);
  }
  return {};
}

}  // namespace

or_failure<watch_update> placement_watch::poll(std::uint16_t limit) {
  if (!api_) api_ = connect_();
  if (!api_) return tl::unexpected(failure{failure_kind::unreachable, "there is no connection"});
  auto update = read_events(limit);
  if (!update) api_.reset();
  return update;
}

or_failure<watch_update> placement_watch::read_events(std::uint16_t limit) {
  auto page = api_->events(position_, limit);
  if (!page) return tl::unexpected(std::move(page.error()));
  if (page->is_compacted) return read_snapshot();
  if (page->first != position_ + 1 || page->events.size() > limit) {
    return foreign("the events do not follow the position");
  }
  watch_update update;
  for (auto& what : page->events)
    update.events.push_back({++position_, std::move(what)});
  return update;
}

or_failure<watch_update> placement_watch::read_snapshot() {
  mixed_pages pages;
  if (auto done = read_pages(*api_, pages); !done) return tl::unexpected(std::move(done.error()));
  if (auto done = apply_events(*api_, pages); !done) return tl::unexpected(std::move(done.error()));
  position_ = pages.newest();
  return pages.take();
}

}  // namespace hypermesh::scheduling
