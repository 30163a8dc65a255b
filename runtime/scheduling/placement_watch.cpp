#include "runtime/scheduling/placement_watch.hpp"

#include <algorithm>

namespace hypermesh::scheduling {

namespace {

/// Whether the event says that a placed task leaves its node.
bool ends_placement(event_kind kind) {
  return kind == event_kind::task_released || kind == event_kind::task_expired || kind == event_kind::task_evicted;
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
    return tl::unexpected(failure{failure_kind::foreign, "the events do not follow the position"});
  }
  watch_update update;
  for (auto& what : page->events) {
    numbered_event next{++position_, std::move(what)};
    if (is_news(next)) update.events.push_back(std::move(next));
  }
  return update;
}

void placement_watch::snapshot::note(std::uint64_t event) {
  oldest = std::min(oldest, event);
  newest = std::max(newest, event);
}

or_failure<watch_update> placement_watch::read_snapshot() {
  snapshot read;
  if (auto done = read_pages(read); !done) return tl::unexpected(std::move(done.error()));
  position_ = read.oldest;
  snapshot_newest_ = read.newest;
  known_tasks_.clear();
  known_nodes_.clear();
  for (const auto& each : read.placed)
    known_tasks_.emplace(each.name, each.event);
  for (const auto& each : read.nodes)
    known_nodes_.emplace(each.spec.name, each.event);
  return watch_update{true, std::move(read.placed), std::move(read.nodes), {}};
}

or_failure<void> placement_watch::read_pages(snapshot& into) {
  std::string after;
  for (bool is_last = false; !is_last;) {
    auto page = api_->nodes(after, page_rows_max);
    if (!page) return tl::unexpected(std::move(page.error()));
    into.note(page->event);
    is_last = page->is_last || page->rows.empty();
    if (!page->rows.empty()) after = page->rows.back().spec.name;
    std::move(page->rows.begin(), page->rows.end(), std::back_inserter(into.nodes));
  }
  after.clear();
  do {
    auto page = api_->tasks(after, page_rows_max, true);
    if (!page) return tl::unexpected(std::move(page.error()));
    into.note(page->event);
    after = page->next;
    std::move(page->rows.begin(), page->rows.end(), std::back_inserter(into.placed));
  } while (!after.empty());
  return {};
}

bool placement_watch::is_news(const numbered_event& each) {
  if (each.number > snapshot_newest_) {
    known_tasks_.clear();
    known_nodes_.clear();
    return true;
  }
  const auto kind = each.what.kind;
  const bool is_node = machines::scheduler::is_about_node(kind);
  auto& known = is_node ? known_nodes_ : known_tasks_;
  const auto& name = is_node ? each.what.node : each.what.task;
  const auto found = known.find(name);
  if (found != known.end() && each.number <= found->second) return false;
  const bool begins = kind == event_kind::node_registered || kind == event_kind::task_placed;
  const bool ends = kind == event_kind::node_removed || ends_placement(kind);
  // The page of the task or node was read after its end, so the watcher never learned of its beginning.
  if (found == known.end() && (ends || (is_node && !begins))) return false;
  if (begins) known.insert_or_assign(name, each.number);
  if (ends) known.erase(found);
  return true;
}

}  // namespace hypermesh::scheduling
