#include "runtime/http/connection_watch.hpp"

#include <utility>

namespace hypermesh::http {

void connection_watch::note_opened(connection which, int descriptor, clock::time_point now) {
  const std::scoped_lock lock{guard_};
  entries_[which] = {descriptor, now};
}

bool connection_watch::note_closed(connection which) {
  const std::scoped_lock lock{guard_};
  const auto found = entries_.find(which);
  if (found == entries_.end()) return false;
  const bool had_request = found->second.has_request;
  entries_.erase(found);
  return had_request;
}

void connection_watch::note_request(connection which) {
  const std::scoped_lock lock{guard_};
  const auto found = entries_.find(which);
  if (found != entries_.end()) found->second.has_request = true;
}

void connection_watch::note_stream(connection which, std::shared_ptr<const event_subscription> events) {
  const std::scoped_lock lock{guard_};
  const auto found = entries_.find(which);
  if (found != entries_.end()) found->second.events = std::move(events);
}

void connection_watch::cut_useless(clock::time_point now, const std::function<bool(int descriptor)>& is_left,
                                   const std::function<void(int descriptor)>& cut) {
  const std::scoped_lock lock{guard_};
  for (auto& [which, each] : entries_) {
    if (each.is_cut) continue;
    const bool is_late = each.events ? each.events->is_over() : now - each.opened_at > patience_;
    if (!is_late && (each.has_request || !is_left(each.descriptor))) continue;
    each.is_cut = true;
    if (is_late) ++late_;
    cut(each.descriptor);
  }
}

std::size_t connection_watch::open() const {
  const std::scoped_lock lock{guard_};
  return entries_.size();
}

std::uint64_t connection_watch::late() const {
  const std::scoped_lock lock{guard_};
  return late_;
}

}  // namespace hypermesh::http
