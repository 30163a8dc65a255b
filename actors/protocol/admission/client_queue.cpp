#include "actors/protocol/admission/client_queue.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The timestamp window of session 0 before its first request.
const timestamp_window first_window;

}  // namespace

request_standing client_queue::standing_of(request_id id) const { return sessions_.standing_of(id.session, id.when); }

const request* client_queue::find(request_id id) const {
  const auto queue = queues_.find(id.session);
  if (queue == queues_.end()) return nullptr;
  const auto* found = queue->second.queue.find(id.when);
  return found == nullptr ? nullptr : &found->content;
}

pending_request& client_queue::get(request_id id) {
  require(find(id) != nullptr, "the request is pending");
  return queues_.at(id.session).queue.at(id.when);
}

const pending_request& client_queue::get(request_id id) const {
  require(find(id) != nullptr, "the request is pending");
  return *queues_.at(id.session).queue.find(id.when);
}

const timestamp_window* client_queue::window_of(session_id session) const {
  // Session 0 is open from the beginning (§4.1).
  const auto* window = sessions_.window_of(session);
  return window == nullptr && session == session_id{0} ? &first_window : window;
}

/// Called after the queue of `session` has changed. Updates whether the session has a turn, its number of ready
/// requests and its first arrival. Removes the queue if it has no pending request.
void client_queue::settle(session_id session) {
  const auto found = queues_.find(session);
  if (found == queues_.end()) return;
  auto& [queue, has_turn, ready, first_arrival] = found->second;
  const auto now_ready = queue.ready_waiting();
  ready_waiting_ = ready_waiting_ - ready + now_ready;
  ready = now_ready;
  // A session that becomes ready is added behind the others, so it does not delay their turns.
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
  // Only sessions with pending requests cost memory here, however many a client uses (I12).
  if (queue.empty()) queues_.erase(found);
}

// --- Waiting and proposed --------------------------------------------------------

void client_queue::add(const request& value, moment now) {
  require(find(value.id) == nullptr, "a request is added once");
  require(value.id.client == owner_, "a queue holds the requests of one client");
  pending_request pending{value, false, ++arrivals_, now};
  pending.arrived_at = now;
  // This number is replaced when the request is forwarded.
  pending.served_before = served_;
  auto& queue = queues_[value.id.session].queue;
  queue.add(value.id.when, std::move(pending), window_of(value.id.session));
  ++size_;
  bytes_ += bytes_of(value);
  settle(value.id.session);
}

const request* client_queue::next() const {
  return turns_.empty() ? nullptr : &queues_.at(turns_.front()).queue.next()->content;
}

void client_queue::propose_next() {
  require(!turns_.empty(), "only a ready request that waits is proposed");
  const auto session = turns_.front();
  queues_.at(session).queue.propose_next();
  settle(session);
  // The next turns belong to the other sessions of the client.
  if (turns_.size() > 1 && turns_.front() == session) std::ranges::rotate(turns_, turns_.begin() + 1);
}

void client_queue::wait_again(moment now) {
  for (auto& [session, place] : queues_)
    place.queue.wait_again(now);
  // Each session here has a pending request, so `settle` removes no entry from `queues_`.
  for (auto& [session, place] : queues_)
    settle(session);
}

/// Returns true only once for each pending request, so that a client cannot make a replica create evidence without end
/// (attack 33).
bool client_queue::note_contradicted(request_id id) { return !std::exchange(get(id).is_contradicted, true); }

std::optional<moment> client_queue::note_repeated(request_id id, moment now) {
  return std::exchange(get(id).repeated_at, now);
}

bool client_queue::note_forwarded(request_id id, moment now) {
  auto& each = get(id);
  // The primary has the request already, so a second copy must not restart the wait.
  if (each.given_at) return false;
  each.given_at = now;
  each.since = now;
  each.served_before = served_;
  return true;
}

bool client_queue::may_be_behind_others(request_id id) const {
  // A correct primary first executes the requests of the client that it already had, which are at most one quota, and
  // then this one.
  return served_ <= get(id).served_before + limits::requests_pending_per_client_max;
}

void client_queue::note_overtaking(request_id by, moment now) {
  // Only requests that this replica forwarded before `by` arrived count. The primary may have received any other
  // request after `by`, so the order is not its fault (attack 32).
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
  if (standing_of(id) == request_standing::fresh) return true;
  const auto found = queues_.find(id.session);
  // An early request is ready too if all requests before it are pending here.
  return window_of(id.session) != nullptr && found != queues_.end() && found->second.queue.extends_chain(id.when);
}

client_queue::standing_place client_queue::standing_place_of(request_id id, bool is_ready) const {
  const auto* window = window_of(id.session);
  // The place is the distance from the next timestamp of the session and not the timestamp itself, because a busy
  // session has larger timestamps.
  const auto next = window == nullptr ? timestamp{0} : window->next();
  // Requests that are not ready are removed first. Otherwise operations of a session that is never opened could keep
  // out requests that can be executed (attack 32).
  return {!is_ready, id.when.value - std::min(id.when.value, next.value), id.session, id.when};
}

/// The last place of all waiting requests, without those in `lost`.
std::optional<client_queue::standing_place> client_queue::last_place(const losses& lost) const {
  std::optional<standing_place> last;
  for (const auto& [session, place] : queues_) {
    const auto& queue = place.queue;
    const auto known = lost.find(session);
    const auto gone = known == lost.end() ? 0 : known->second;
    // All waiting requests of this session were chosen already.
    if (queue.waiting().size() <= gone) continue;
    const auto when = *std::next(queue.waiting().rbegin(), static_cast<std::ptrdiff_t>(gone));
    const auto here = standing_place_of({owner_, when, session}, queue.is_ready(when));
    if (!last || here > *last) last = here;
  }
  return last;
}

std::optional<std::vector<request_id>> client_queue::room_for(const request& value, std::size_t requests_max,
                                                              std::size_t bytes_max) const {
  const auto own = standing_place_of(value.id, would_be_ready(value.id));
  std::vector<request_id> out;
  losses lost;
  auto requests = size_;
  auto bytes = bytes_;
  // A single request may be larger than `bytes_max`, so that each admissible request can be executed.
  while (requests >= requests_max || (requests > 0 && bytes + bytes_of(value) > bytes_max)) {
    const auto last = last_place(lost);
    // The new request itself would be the last one. A proposed request is not removed, because it is in a batch
    // already.
    if (!last || *last < own) return std::nullopt;
    out.push_back({owner_, last->when, last->session});
    // The request is only counted here, so that no request is displaced if the room is not enough in the end.
    ++lost[last->session];
    --requests;
    bytes -= bytes_of(*find(out.back()));
  }
  return out;
}

std::optional<request_id> client_queue::last_waiting() const {
  const auto last = last_place({});
  return last ? std::optional{request_id{owner_, last->when, last->session}} : std::nullopt;
}

/// Compares the sessions by the arrival of their first ready request, because the client waits for the earliest of
/// these requests.
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

void client_queue::remove(request_id id, moment now) {
  const auto bytes = bytes_of(get(id).content);
  queues_.at(id.session).queue.remove(id.when, window_of(id.session), now);
  --size_;
  bytes_ -= bytes;
  settle(id.session);
}

/// Whether the request was executed, or will never be executed.
bool client_queue::is_over(request_id id) const {
  const auto standing = standing_of(id);
  return standing != request_standing::fresh && standing != request_standing::early;
}

void client_queue::add_never_executed(session_id session, std::vector<request_id>& into) const {
  const auto found = queues_.find(session);
  if (found == queues_.end()) return;
  for (const auto& [when, each] : found->second.queue.all()) {
    // The smallest timestamps fall out of a window first, so the loop may stop here. In an ended session all requests
    // are over.
    if (!is_over(each.content.id)) return;
    into.push_back(each.content.id);
  }
}

std::vector<request_id> client_queue::on_executed(const executed_request& executed, moment now) {
  const auto id = executed.id;
  const auto found = queues_.find(id.session);
  // I17: a request that is committed too early changes nothing and is ordered again, so it waits again.
  if (executed.too_early) {
    if (found != queues_.end()) found->second.queue.wait_again(id.when);
    settle(id.session);
    return {};
  }
  // This request may end a session, so that the number of an older ended session is forgotten. All unopened sessions up
  // to that number then count as ended (attack 25), and their pending requests will never be executed.
  const auto forgotten = sessions_.forgotten();
  std::optional<session_id> ended;
  // A request that was executed before changes nothing.
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
  // In an independent session the executed request need not be the first one.
  if (find(id) != nullptr && is_over(id) && std::ranges::find(out, id) == out.end()) out.push_back(id);
  if (ended) add_never_executed(*ended, out);
  if (sessions_.forgotten() == forgotten) return out;
  // When the number of an ended session is forgotten, all unopened sessions up to that number end.
  for (const auto& [session, place] : queues_) {
    const bool is_new = session <= sessions_.forgotten() && session != ended && session != id.session;
    if (is_new) add_never_executed(session, out);
  }
  return out;
}

std::vector<request_id> client_queue::on_installed(const client_sessions& sessions, moment now) {
  // This replica did not execute the batches up to the installed state, so its own record of them has gaps.
  sessions_ = sessions;
  std::vector<request_id> out;
  for (auto& [session, place] : queues_) {
    // Requests that were ready before may not be ready in the installed state.
    place.queue.on_installed(window_of(session), now);
    for (const auto& [when, each] : place.queue.all()) {
      if (is_over(each.content.id)) out.push_back(each.content.id);
    }
  }
  for (auto& [session, place] : queues_)
    settle(session);
  return out;
}

}  // namespace hypermesh::protocol
