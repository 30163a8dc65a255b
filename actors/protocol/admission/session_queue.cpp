#include "actors/protocol/admission/session_queue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Larger than all timestamps, because in an independent session every request is ready.
constexpr timestamp without_end{std::numeric_limits<std::uint64_t>::max()};

}  // namespace

const pending_request* session_queue::find(timestamp when) const {
  const auto found = pending_.find(when);
  return found == pending_.end() ? nullptr : &found->second;
}

/// The first timestamp from `from` on that is not pending.
timestamp session_queue::chain_end(timestamp from) const {
  auto end = from;
  for (auto place = pending_.find(from); place != pending_.end() && place->first == end; ++place)
    end = end.next();
  return end;
}

/// A request that becomes ready could not be executed before. So its wait begins now, and only the time from now on
/// counts against the primary (attack 32).
void session_queue::move_ready_end(timestamp end, moment now) {
  for (auto place = pending_.lower_bound(ready_end_); place != pending_.end() && place->first < end; ++place) {
    auto& each = place->second;
    each.since = now;
    if (each.given_at) each.given_at = now;
    if (!each.proposed) ++ready_waiting_;
  }
  ready_end_ = std::max(ready_end_, end);
}

void session_queue::shrink_ready_end(timestamp end) {
  // The requests from `end` on are no longer ready, so they no longer count as ready and waiting.
  if (end >= ready_end_) return;
  const auto lost = std::distance(waiting_.lower_bound(end), waiting_.lower_bound(ready_end_));
  ready_waiting_ -= static_cast<std::size_t>(lost);
  ready_end_ = end;
}

void session_queue::note_waiting(timestamp when) {
  pending_.at(when).proposed = false;
  // The request is counted once, even if it waits already.
  if (waiting_.insert(when).second && is_ready(when)) ++ready_waiting_;
}

void session_queue::note_not_waiting(timestamp when) {
  if (waiting_.erase(when) > 0 && is_ready(when)) --ready_waiting_;
}

void session_queue::add(timestamp when, pending_request value, const timestamp_window* window) {
  const auto now = value.since;
  const auto [place, is_new] = pending_.emplace(when, std::move(value));
  require(is_new, "a request is added once");
  note_waiting(when);
  // While the session is not open here, only its opening is ready.
  if (window != nullptr) on_window(*window, now);
}

const pending_request* session_queue::next() const {
  // If the smallest timestamp is not ready, no larger one is.
  return waiting_.empty() || !is_ready(*waiting_.begin()) ? nullptr : find(*waiting_.begin());
}

const pending_request* session_queue::first_ready() const {
  return pending_.empty() || !is_ready(pending_.begin()->first) ? nullptr : &pending_.begin()->second;
}

void session_queue::propose_next() {
  require(next() != nullptr, "only a ready request that waits is proposed");
  const auto when = *waiting_.begin();
  pending_.at(when).proposed = true;
  note_not_waiting(when);
}

void session_queue::wait_again(timestamp when) {
  if (pending_.contains(when)) note_waiting(when);
}

void session_queue::wait_again(moment now) {
  for (auto& [when, each] : pending_) {
    // The time under the previous primary does not count against the new one (attack 32).
    each.since = now;
    // This replica has not forwarded the request to the new primary yet.
    each.given_at.reset();
    each.overtaken_at.reset();
    note_waiting(when);
  }
}

void session_queue::remove(timestamp when, const timestamp_window* window, moment now) {
  const auto found = pending_.find(when);
  require(found != pending_.end(), "only a pending request is removed");
  note_not_waiting(when);
  pending_.erase(found);
  // The session is not open here, so no later request was ready.
  if (window == nullptr) return;
  // In an ordered session, a removal without execution leaves a gap, so the later requests are no longer ready.
  const bool breaks_chain = window->mode() == session_mode::ordered && when >= window->next();
  if (breaks_chain) shrink_ready_end(when);
  on_window(*window, now);
}

void session_queue::on_window(const timestamp_window& window, moment now) {
  const bool is_ordered = window.mode() == session_mode::ordered;
  // Requests from the next timestamp on are ready, up to the first gap in the pending requests.
  move_ready_end(is_ordered ? chain_end(std::max(ready_end_, window.next())) : without_end, now);
}

void session_queue::on_installed(const timestamp_window* window, moment now) {
  // The window of the installed state may be behind the previous one, so readiness is computed again.
  shrink_ready_end(timestamp{1});
  if (window != nullptr) on_window(*window, now);
}

}  // namespace hypermesh::protocol
