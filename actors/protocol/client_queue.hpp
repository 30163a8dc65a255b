#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/client_sessions.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/session_queue.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// What one client has pending at one replica, in all its sessions, and what of it was executed. Pure. Its sessions
/// take turns. The guard's requests are a queue like a client's, but their timestamps are names without an order: they
/// are as old as they came, and none makes room for another. Memory: what the `batch_builder` admits, and the
/// sessions of the client.
class client_queue {
 public:
  explicit client_queue(client_id owner) : owner_(owner) {}

  [[nodiscard]] request_standing standing_of(request_id id) const;
  /// The pending one; null when there is none.
  [[nodiscard]] const request* find(request_id id) const;
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The whole queue's, in bytes; a request weighs more than its own.
  [[nodiscard]] std::size_t weight() const { return bytes_ + size_ * request_weight; }
  [[nodiscard]] static std::size_t weight_of(const request& value) { return bytes_of(value) + request_weight; }
  [[nodiscard]] static std::size_t bytes_of(const request& value) { return value.raw.view.size(); }

  /// It waits, behind those that its session sent before.
  void add(const request& value, microseconds_t now);
  /// Since when it is here and could be served; what was here before a view counts from its beginning.
  [[nodiscard]] microseconds_t since(request_id id) const { return get(id).since; }
  /// The one to be proposed next, if any: of the session whose turn it is the oldest.
  [[nodiscard]] const request* next() const;
  /// Requests that could be proposed now.
  [[nodiscard]] std::size_t ready_waiting() const { return ready_waiting_; }
  /// `next()` is in a batch now.
  void propose_next();
  /// What was proposed comes to nothing, and waits again.
  void wait_again(microseconds_t now);

  /// What makes room for another client's request: of what waits the part that is of least use, as `room_for` has it.
  [[nodiscard]] std::optional<request_id> last_waiting() const;
  /// What of this client's makes room for its `value`, so that at most `requests_max` requests of `bytes_max` bytes are
  /// pending; one alone may be larger. Nothing when there is no room to be made. `value` is not pending.
  ///
  /// The requests of a client have one order, and the last ones make room: the ready ones first, of these the ones
  /// before which the fewest of their session come, and then the smaller session. The order depends on what is executed
  /// and not on what came first, so all replicas keep the same ones of a flood: what a backup waits for is what the
  /// primary has room for (attack 32). Nothing that gave way can come back and displace in turn (attack 33). Example:
  /// in session 7 request 20 was executed last, in session 8 request 3. Request 22 of session 7 stands before request 6
  /// of session 8.
  [[nodiscard]] std::optional<std::vector<request_id>> room_for(const request& value, std::size_t requests_max,
                                                                std::size_t bytes_max) const;
  /// The pending one that its client waits for: of those that could be served the one that came first.
  [[nodiscard]] std::optional<request_id> oldest() const;
  /// Somebody signed another request with this id; false when that is known.
  bool note_contradicted(request_id id);
  [[nodiscard]] bool is_handed_on(request_id id) const { return get(id).given_at.has_value(); }
  /// Its client sends it once more. Returns when it did so before; nothing the first time.
  [[nodiscard]] std::optional<microseconds_t> note_repeated(request_id id, microseconds_t now);
  /// It stays from now on; false when it was handed on before.
  bool note_handed_on(request_id id, microseconds_t now);
  /// Whether what is executed of the client's other sessions may still come before this one: the primary may have held
  /// as many requests of the client as it has room for when it was given this one (attack 32).
  [[nodiscard]] bool may_be_behind_others(request_id id) const;
  /// A pending one was executed: those before it in its session that the primary was given before it came here are
  /// overtaken. A correct primary takes of each session the oldest first.
  void note_overtaking(request_id by, microseconds_t now);
  /// Since when something is served before it that came later.
  [[nodiscard]] std::optional<microseconds_t> overtaken_at(request_id id) const { return get(id).overtaken_at; }
  /// It is pending no more.
  void remove(request_id id, microseconds_t now);

  /// Follows the order. Returns what is pending here and is executed, or never will be.
  [[nodiscard]] std::vector<request_id> on_executed(const executed_request& executed, microseconds_t now);
  /// The same for a state that was installed.
  [[nodiscard]] std::vector<request_id> on_installed(const client_sessions& sessions, microseconds_t now);

  /// All pending ones, of each session the oldest first.
  [[nodiscard]] std::vector<const request*> all() const;

  /// Since when the oldest is the oldest; the builder's.
  microseconds_t waits_since = 0;

 private:
  static constexpr std::size_t request_weight = 512;

  struct session_place {
    session_queue queue;
    bool has_turn = false;
    std::size_t ready = 0;
    /// Of its first ready request.
    std::optional<std::uint64_t> first_arrival = {};
  };
  /// Where a request stands in the order by which requests make room.
  struct standing_place {
    bool is_unready = false;
    /// So many requests of its session come before it.
    std::uint64_t before = 0;
    session_id session;
    timestamp when;

    friend auto operator<=>(const standing_place&, const standing_place&) = default;
  };
  /// How many of each session are to go, while it is found out whether there is room.
  using losses = std::map<session_id, std::size_t>;

  [[nodiscard]] bool is_of_guard() const { return owner_ == guard_client; }
  /// Under which timestamp a request is queued: its own, or of the guard its place among those that came.
  [[nodiscard]] std::optional<timestamp> place_of(request_id id) const;
  [[nodiscard]] pending_request& get(request_id id);
  [[nodiscard]] const pending_request& get(request_id id) const;
  [[nodiscard]] const timestamp_window* window_of(session_id session) const;
  [[nodiscard]] bool is_over(request_id id) const;
  [[nodiscard]] bool would_be_ready(request_id id) const;
  [[nodiscard]] standing_place standing_place_of(request_id id, bool is_ready) const;
  [[nodiscard]] std::optional<standing_place> last_place(const losses& lost) const;
  void add_never_executed(session_id session, std::vector<request_id>& into) const;
  void settle(session_id session);

  client_id owner_;
  client_sessions sessions_;
  /// Sessions with pending requests.
  std::map<session_id, session_place> queues_;
  /// Those of them with a request to propose, next turn first.
  std::deque<session_id> turns_;
  /// Those of them with a ready request, by the arrival of their first.
  std::map<std::uint64_t, session_id> by_first_arrival_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::size_t ready_waiting_ = 0;
  std::uint64_t arrivals_ = 0;
  /// Requests of the client that were executed while this replica ran.
  std::uint64_t served_ = 0;
  /// Of the guard: where each pending name is, and the names that were executed last.
  std::map<timestamp, timestamp> names_;
  std::deque<timestamp> names_done_;
};

}  // namespace hypermesh
