#include "actors/protocol/client_queue.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Names of the guard that are recognised when they come again.
constexpr std::size_t names_done_max = 256;

/// The window of the guard's queue, in which nothing is ever done: names say what is.
const timestamp_window guard_window;

}  // namespace

request_standing client_queue::standing_of(request_id id) const {
  if (!is_of_guard()) return sessions_.standing_of(id.session, id.when);
  return std::ranges::find(names_done_, id.when) == names_done_.end() ? request_standing::fresh
                                                                      : request_standing::done;
}

std::optional<timestamp> client_queue::place_of(request_id id) const {
  if (!is_of_guard()) return id.when;
  const auto found = names_.find(id.when);
  return found == names_.end() ? std::nullopt : std::optional{found->second};
}

const request* client_queue::find(request_id id) const {
  const auto queue = queues_.find(id.session);
  const auto place = place_of(id);
  if (queue == queues_.end() || !place) return nullptr;
  const auto* found = queue->second.queue.find(*place);
  return found == nullptr ? nullptr : &found->content;
}

pending_request& client_queue::get(request_id id) {
  require(find(id) != nullptr, "the request is pending");
  return queues_.at(id.session).queue.at(*place_of(id));
}

const pending_request& client_queue::get(request_id id) const {
  require(find(id) != nullptr, "the request is pending");
  return *queues_.at(id.session).queue.find(*place_of(id));
}

const timestamp_window* client_queue::window_of(session_id session) const {
  if (is_of_guard()) return &guard_window;
  // Session 0 needs no opening.
  const auto* window = sessions_.window_of(session);
  return window == nullptr && session == session_id{0} ? &guard_window : window;
}

/// After a change of one session's queue: its turn, the counts, and its place here while something is pending.
void client_queue::settle(session_id session) {
  const auto found = queues_.find(session);
  if (found == queues_.end()) return;
  auto& [queue, has_turn, ready, first_arrival] = found->second;
  const auto now_ready = queue.ready_waiting();
  ready_waiting_ = ready_waiting_ - ready + now_ready;
  ready = now_ready;
  if (now_ready > 0 && !has_turn) turns_.push_back(session);
  if (now_ready == 0 && has_turn) turns_.erase(std::ranges::find(turns_, session));
  has_turn = now_ready > 0;
  const auto* first = queue.first_ready();
  const auto now_first = first == nullptr ? std::nullopt : std::optional{first->arrival};
  if (now_first != first_arrival) {
    if (first_arrival) by_first_arrival_.erase(*first_arrival);
    if (now_first) by_first_arrival_.emplace(*now_first, session);
    first_arrival = now_first;
  }
  if (queue.empty()) queues_.erase(found);
}

// --- Waiting and proposed --------------------------------------------------------

void client_queue::add(const request& value, microseconds_t now) {
  require(find(value.id) == nullptr, "a request is added once");
  const timestamp arrival{++arrivals_};
  pending_request pending{value, false, arrivals_, now};
  pending.arrived_at = now;
  pending.served_before = served_;
  auto& queue = queues_[value.id.session].queue;
  if (is_of_guard()) names_.emplace(value.id.when, arrival);
  queue.add(*place_of(value.id), std::move(pending), window_of(value.id.session));
  ++size_;
  bytes_ += bytes_of(value);
  settle(value.id.session);
}

const request* client_queue::next() const {
  return turns_.empty() ? nullptr : &queues_.at(turns_.front()).queue.next()->content;
}

void client_queue::propose_next() {
  require(!turns_.empty(), "only what is ready and waits is proposed");
  const auto session = turns_.front();
  queues_.at(session).queue.propose_next();
  settle(session);
  // The other sessions come first.
  if (turns_.size() > 1 && turns_.front() == session) std::ranges::rotate(turns_, turns_.begin() + 1);
}

void client_queue::wait_again(microseconds_t now) {
  for (auto& [session, place] : queues_)
    place.queue.wait_again(now);
  // Each has something pending, so none is removed.
  for (auto& [session, place] : queues_)
    settle(session);
}

bool client_queue::note_contradicted(request_id id) { return !std::exchange(get(id).is_contradicted, true); }

std::optional<microseconds_t> client_queue::note_repeated(request_id id, microseconds_t now) {
  return std::exchange(get(id).repeated_at, now);
}

bool client_queue::note_handed_on(request_id id, microseconds_t now) {
  auto& each = get(id);
  if (each.given_at) return false;
  each.given_at = now;
  each.since = now;
  each.served_before = served_;
  return true;
}

bool client_queue::may_be_behind_others(request_id id) const {
  return served_ <= get(id).served_before + limits::requests_pending_per_client_max;
}

void client_queue::note_overtaking(request_id by, microseconds_t now) {
  if (is_of_guard()) return;
  const auto came = get(by).arrived_at;
  auto& queue = queues_.at(by.session).queue;
  for (const auto& [when, each] : queue.all()) {
    if (when >= by.when) return;
    if (each.given_at && *each.given_at < came && !each.overtaken_at) queue.at(when).overtaken_at = now;
  }
}

// --- Oldest and newest -----------------------------------------------------------

/// Whether a request would be ready if it were added now.
bool client_queue::would_be_ready(request_id id) const {
  if (is_of_guard() || standing_of(id) == request_standing::fresh) return true;
  const auto found = queues_.find(id.session);
  return window_of(id.session) != nullptr && found != queues_.end() && found->second.queue.extends_chain(id.when);
}

client_queue::standing_place client_queue::standing_place_of(request_id id, bool is_ready) const {
  const auto* window = window_of(id.session);
  const auto next = window == nullptr ? timestamp{0} : window->next();
  return {!is_ready, id.when.value - std::min(id.when.value, next.value), id.session, id.when};
}

/// The last of all that wait, without those that are lost already.
std::optional<client_queue::standing_place> client_queue::last_place(const losses& lost) const {
  std::optional<standing_place> last;
  for (const auto& [session, place] : queues_) {
    const auto& queue = place.queue;
    const auto known = lost.find(session);
    const auto gone = known == lost.end() ? 0 : known->second;
    if (queue.waiting().size() <= gone) continue;
    const auto when = *std::next(queue.waiting().rbegin(), static_cast<std::ptrdiff_t>(gone));
    const auto here = standing_place_of({owner_, when, session}, queue.is_ready(when));
    if (!last || here > *last) last = here;
  }
  return last;
}

std::optional<std::vector<request_id>> client_queue::room_for(const request& value, std::size_t requests_max,
                                                              std::size_t bytes_max) const {
  require(!is_of_guard(), "no case makes room for another");
  const auto own = standing_place_of(value.id, would_be_ready(value.id));
  std::vector<request_id> out;
  losses lost;
  auto requests = size_;
  auto bytes = bytes_;
  while (requests >= requests_max || (requests > 0 && bytes + bytes_of(value) > bytes_max)) {
    const auto last = last_place(lost);
    if (!last || *last < own) return std::nullopt;
    out.push_back({owner_, last->when, last->session});
    ++lost[last->session];
    --requests;
    bytes -= bytes_of(*find(out.back()));
  }
  return out;
}

std::optional<request_id> client_queue::last_waiting() const {
  const auto last = is_of_guard() ? std::nullopt : last_place({});
  return last ? std::optional{request_id{owner_, last->when, last->session}} : std::nullopt;
}

std::optional<request_id> client_queue::oldest() const {
  if (by_first_arrival_.empty()) return std::nullopt;
  return queues_.at(by_first_arrival_.begin()->second).queue.first_ready()->content.id;
}

std::vector<const request*> client_queue::all() const {
  std::vector<const request*> out;
  for (const auto& [session, place] : queues_) {
    for (const auto& [when, each] : place.queue.all())
      out.push_back(&each.content);
  }
  return out;
}

// --- Done ------------------------------------------------------------------------

void client_queue::remove(request_id id, microseconds_t now) {
  const auto bytes = bytes_of(get(id).content);
  queues_.at(id.session).queue.remove(*place_of(id), window_of(id.session), now);
  if (is_of_guard()) names_.erase(id.when);
  --size_;
  bytes_ -= bytes;
  settle(id.session);
}

/// Whether it is executed, or never will be.
bool client_queue::is_over(request_id id) const {
  const auto standing = standing_of(id);
  return standing != request_standing::fresh && standing != request_standing::early;
}

void client_queue::add_never_executed(session_id session, std::vector<request_id>& into) const {
  const auto found = queues_.find(session);
  if (found == queues_.end()) return;
  for (const auto& [when, each] : found->second.queue.all()) {
    // Only the smallest timestamps fall out of a window; of an ended session all do.
    if (!is_over(each.content.id)) return;
    into.push_back(each.content.id);
  }
}

std::vector<request_id> client_queue::on_executed(const executed_request& executed, microseconds_t now) {
  const auto id = executed.id;
  if (is_of_guard()) {
    names_done_.push_back(id.when);
    if (names_done_.size() > names_done_max) names_done_.pop_front();
    return names_.contains(id.when) ? std::vector{id} : std::vector<request_id>{};
  }
  const auto found = queues_.find(id.session);
  if (executed.too_early) {
    if (found != queues_.end()) found->second.queue.wait_again(id.when);
    settle(id.session);
    return {};
  }
  const auto forgotten = sessions_.forgotten();
  std::optional<session_id> ended;
  if (standing_of(id) == request_standing::fresh) {
    ++served_;
    if (executed.opened) {
      ended = sessions_.open(id.session, *executed.opened);
    } else {
      sessions_.mark_done(id.session, id.when);
    }
    if (found != queues_.end()) found->second.queue.on_window(*window_of(id.session), now);
    settle(id.session);
  }
  std::vector<request_id> out;
  add_never_executed(id.session, out);
  // In an independent session it need not be the first.
  if (find(id) != nullptr && is_over(id) && std::ranges::find(out, id) == out.end()) out.push_back(id);
  if (ended) add_never_executed(*ended, out);
  if (sessions_.forgotten() == forgotten) return out;
  // With the memory of an ended session all unopened ones up to its number end.
  for (const auto& [session, place] : queues_) {
    const bool is_new = session <= sessions_.forgotten() && session != ended && session != id.session;
    if (is_new) add_never_executed(session, out);
  }
  return out;
}

std::vector<request_id> client_queue::on_installed(const client_sessions& sessions, microseconds_t now) {
  require(!is_of_guard(), "the guard has no session");
  sessions_ = sessions;
  std::vector<request_id> out;
  for (auto& [session, place] : queues_) {
    place.queue.on_installed(window_of(session), now);
    for (const auto& [when, each] : place.queue.all()) {
      if (is_over(each.content.id)) out.push_back(each.content.id);
    }
  }
  for (auto& [session, place] : queues_)
    settle(session);
  return out;
}

}  // namespace hypermesh
