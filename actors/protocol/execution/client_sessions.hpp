#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "actors/protocol/base/timestamp_window.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The agreed standing of a request: whether it would be executed now, and if not, why.
enum class request_standing {
  /// The request would be executed now.
  fresh,
  /// The previous request of its session was not executed yet, or its session is not open yet.
  early,
  /// The request was executed.
  done,
  /// The timestamp is below the window of the session. The request is never executed from now on.
  past,
  /// The session has ended. The request is never executed from now on.
  ended,
};

/// The sessions of one client: which are open, what is done in each, and which have ended. Pure, and a function of the
/// committed requests alone. Exactly-once execution and the order inside a session depend on it. The client table has a
/// `client_sessions` for each client, as part of the checkpointed state. The request pool keeps a copy and updates it
/// with each executed batch.
///
/// A session is opened by its request with timestamp 0. If the client then has too many open sessions, the least
/// recently used one ends. No request of an ended session is ever executed, because its number is remembered. When the
/// number falls out of that memory, all sessions up to it that are not open count as ended. A client whose new session
/// is refused opens another one above `fresh_above()`. It has sent no operation in the refused session, so nothing is
/// lost.
///
/// Example with room for two sessions: 7 and 5 are open, and 7 was used last. 9 is opened, so 5 ends. Delayed copies of
/// requests in 5 are refused. If the number 5 were not remembered, a copy of its opening would open session 5 again,
/// and copies of its operations would be executed a second time.
///
/// Memory: `sessions_per_client_max` windows and `ended_sessions_max` numbers.
class client_sessions {
 public:
  struct open_session {
    timestamp_window window;
    /// `uses()` at the last use of this session. The smallest value is that of the least recently used session.
    std::uint64_t used = 0;

    friend bool operator==(const open_session&, const open_session&) = default;
  };

  [[nodiscard]] request_standing standing_of(session_id session, timestamp when) const;

  /// Opens a session whose opening request is fresh. Returns the session that ends to make room for it, if any.
  std::optional<session_id> open(session_id session, session_mode mode);
  /// A fresh request was executed.
  void mark_done(session_id session, timestamp when);

  /// A session number above which no session has ended.
  [[nodiscard]] session_id fresh_above() const;
  /// The open sessions in the order of their numbers.
  [[nodiscard]] const std::map<session_id, open_session>& open_ones() const { return open_; }
  /// The window of an open session, or null.
  [[nodiscard]] const timestamp_window* window_of(session_id session) const;
  /// The number of openings and executed requests so far. It is used as a clock, because it is equal at all replicas.
  [[nodiscard]] std::uint64_t uses() const { return uses_; }
  /// Numbers of the remembered ended sessions, in the order in which they ended.
  [[nodiscard]] const std::deque<session_id>& ended() const { return ended_; }
  /// The largest number of an ended session that is no longer remembered.
  [[nodiscard]] session_id forgotten() const { return forgotten_; }

  /// Replaces the content; the caller has checked the bounds.
  void assign(std::uint64_t uses, session_id forgotten, std::deque<session_id> ended,
              std::map<session_id, open_session> open);

  friend bool operator==(const client_sessions&, const client_sessions&) = default;

 private:
  [[nodiscard]] std::optional<session_id> end_least_recent();

  std::map<session_id, open_session> open_;
  std::deque<session_id> ended_;
  session_id forgotten_;
  std::uint64_t uses_ = 0;
};

/// The sessions of every client that has opened a session or had a request executed.
using sessions_by_client = std::map<client_id, client_sessions>;

}  // namespace hypermesh::protocol
