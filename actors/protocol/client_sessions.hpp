#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "actors/protocol/timestamp_window.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// What became of a request by agreement, or why it is not executed now.
enum class request_standing {
  /// Would be executed now.
  fresh,
  /// Waits for the request before it, or for its session to be opened.
  early,
  done,
  /// Below the window of its session: never executed from now on.
  past,
  /// Its session has ended: never executed from now on.
  ended,
};

/// The sessions of one client: which are open, what is done in each, and which have ended. Pure, and a function of the
/// committed requests alone. Exactly-once and the order inside a session rest on it. The client table has one for each
/// client as part of the checkpointed state, and the batcher follows it.
///
/// A session is opened by its request with timestamp 0. If that makes one too many, the session that was used least
/// recently ends. No request of an ended session is ever executed: its number is remembered, and when it falls out of
/// that memory, all unopened sessions up to its number count as ended. A client whose new session is refused opens
/// another one above `fresh_above()`; it has sent no operation in the refused one, so nothing is lost.
///
/// Example with room for two sessions: 7 and 5 are open, and 7 was used last. 9 is opened, so 5 ends. A copy of a
/// request in 5 that was delayed is refused; without the memory it would open 5 anew and be executed twice.
///
/// Memory: `sessions_per_client_max` windows and `ended_sessions_max` numbers.
class client_sessions {
 public:
  struct open_session {
    timestamp_window window;
    /// `uses()` at its last use: the smaller, the longer ago.
    std::uint64_t used = 0;

    friend bool operator==(const open_session&, const open_session&) = default;
  };

  [[nodiscard]] request_standing standing_of(session_id session, timestamp when) const;

  /// Opens a session whose opening request is fresh. Returns the session that ends for it, if any.
  std::optional<session_id> open(session_id session, session_mode mode);
  /// A fresh request was executed.
  void mark_done(session_id session, timestamp when);

  /// No session above this one has ended.
  [[nodiscard]] session_id fresh_above() const;
  /// In the order of their numbers.
  [[nodiscard]] const std::map<session_id, open_session>& open_ones() const { return open_; }
  /// The window of an open session, or null.
  [[nodiscard]] const timestamp_window* window_of(session_id session) const;
  /// Openings and executed requests so far.
  [[nodiscard]] std::uint64_t uses() const { return uses_; }
  /// Session numbers that ended, the first to end first.
  [[nodiscard]] const std::deque<session_id>& ended() const { return ended_; }
  /// Of the sessions whose end is forgotten, the largest number.
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

/// Of all clients that have executed something.
using sessions_by_client = std::map<client_id, client_sessions>;

}  // namespace hypermesh
