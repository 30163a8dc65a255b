#include "actors/protocol/execution/client_sessions.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Session 0 needs no opening, so no request uses its timestamp 0.
constexpr session_id always_open{0};

request_standing standing_in(const timestamp_window& window, timestamp when) {
  switch (window.of(when)) {
    case timestamp_window::standing::fresh:
      return request_standing::fresh;
    case timestamp_window::standing::early:
      return request_standing::early;
    case timestamp_window::standing::done:
      return request_standing::done;
    case timestamp_window::standing::past:
      return request_standing::past;
  }
  return request_standing::past;
}

}  // namespace

request_standing client_sessions::standing_of(session_id session, timestamp when) const {
  const bool opens = when == timestamp{0} && session != always_open;
  // Open sessions come first: one with a number below `forgotten_` stays usable.
  if (const auto found = open_.find(session); found != open_.end()) {
    return opens ? request_standing::done : standing_in(found->second.window, when);
  }
  // No request of session 0 was executed yet, so its window is empty.
  if (session == always_open) return standing_in(timestamp_window{}, when);
  // It is no longer known which sessions up to `forgotten_` have ended, so all of them are refused. A session that was
  // never open is refused too; its client only has to choose a larger number (attack 25).
  const bool has_ended = session <= forgotten_ || std::ranges::find(ended_, session) != ended_.end();
  if (has_ended) return request_standing::ended;
  // An operation that is committed before the opening of its session waits for the opening.
  return opens ? request_standing::fresh : request_standing::early;
}

std::optional<session_id> client_sessions::open(session_id session, session_mode mode) {
  require(standing_of(session, timestamp{0}) == request_standing::fresh, "a session is opened once");
  // The opening counts as a use. Otherwise the new session would be the least recently used one and end at once.
  open_[session] = {timestamp_window{mode}, ++uses_};
  // Session 0 is not counted against the bound.
  const auto opened = open_.size() - (open_.contains(always_open) ? 1 : 0);
  if (opened <= limits::sessions_per_client_max) return std::nullopt;
  const auto gone = end_least_recent();
  require(gone && *gone != session, "a session that was just opened is not the least recently used one");
  return gone;
}

std::optional<session_id> client_sessions::end_least_recent() {
  // The age of a session is measured in uses and not in time, so all replicas end the same session.
  auto oldest = open_.end();
  for (auto place = open_.begin(); place != open_.end(); ++place) {
    // Session 0 never ends: it has no opening, so no request could open it again.
    if (place->first == always_open) continue;
    if (oldest == open_.end() || place->second.used < oldest->second.used) oldest = place;
  }
  if (oldest == open_.end()) return std::nullopt;
  const auto session = oldest->first;
  open_.erase(oldest);
  // Without this memory a delayed copy of the opening would open the session again, and copies of its requests would be
  // executed a second time (attack 25).
  ended_.push_back(session);
  // `forgotten_` never decreases. It already covers a smaller number that is forgotten now.
  if (ended_.size() > limits::ended_sessions_max) {
    forgotten_ = std::max(forgotten_, ended_.front());
    ended_.pop_front();
  }
  return session;
}

void client_sessions::mark_done(session_id session, timestamp when) {
  require(standing_of(session, when) == request_standing::fresh, "only a fresh request is executed");
  // This creates session 0 at its first request. Every other session was opened before, because otherwise the request
  // would not be fresh.
  auto& used = open_[session];
  used.window.mark_done(when);
  used.used = ++uses_;
}

session_id client_sessions::fresh_above() const {
  // Sessions do not end in the order of their numbers, so the largest number may be at any place.
  return ended_.empty() ? forgotten_ : std::max(forgotten_, *std::ranges::max_element(ended_));
}

const timestamp_window* client_sessions::window_of(session_id session) const {
  const auto found = open_.find(session);
  return found == open_.end() ? nullptr : &found->second.window;
}

void client_sessions::assign(std::uint64_t uses, session_id forgotten, std::deque<session_id> ended,
                             std::map<session_id, open_session> open) {
  // These are assertions, because `client_table::restore` has refused bytes that exceed these bounds.
  require(ended.size() <= limits::ended_sessions_max, "the memory of ended sessions is bounded");
  require(open.size() <= limits::sessions_per_client_max + 1, "the open sessions of a client are bounded");
  uses_ = uses;
  forgotten_ = forgotten;
  ended_ = std::move(ended);
  open_ = std::move(open);
}

}  // namespace hypermesh::protocol
