#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/admission/session_queue.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/execution/client_sessions.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The pending requests of one client at one replica, in all its sessions, and the executed requests of the client.
/// Pure. The sessions of the client take turns.
///
/// Memory: the requests that `request_pool` admits, and the sessions of the client.
class client_queue {
 public:
  explicit client_queue(client_id owner) : owner_(owner) {}

  [[nodiscard]] request_standing standing_of(request_id id) const;
  /// The pending request with this id; null if there is none.
  [[nodiscard]] const request* find(request_id id) const;
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The weight of the whole queue in bytes. Each request weighs `request_weight` more than its bytes, because small
  /// requests cost memory too.
  [[nodiscard]] std::size_t weight() const { return bytes_ + size_ * request_weight; }
  [[nodiscard]] static std::size_t weight_of(const request& value) { return bytes_of(value) + request_weight; }
  [[nodiscard]] static std::size_t bytes_of(const request& value) { return value.raw.view.size(); }

  /// Adds a request behind the earlier ones of its session.
  void add(const request& value, moment now);
  /// When the request became pending and ready. A new view sets this time to its own start.
  [[nodiscard]] moment since(request_id id) const { return get(id).since; }
  /// The next request to propose: the oldest ready request of the session whose turn it is. Null if no request is
  /// ready.
  [[nodiscard]] const request* next() const;
  /// Number of requests that could be proposed now.
  [[nodiscard]] std::size_t ready_waiting() const { return ready_waiting_; }
  /// Marks the request that `next()` returns as being in a batch.
  void propose_next();
  /// The proposed batches were dropped, so their requests wait again.
  void wait_again(moment now);

  /// The request that is removed to make room for another client's request: the last request in the order of
  /// `room_for`.
  [[nodiscard]] std::optional<request_id> last_waiting() const;
  /// The requests of this client that have to be removed to make room for its new request `value`. Afterwards at most
  /// `requests_max` requests of `bytes_max` bytes in all are pending; a single request may be larger. Returns nothing
  /// if the removal of all requests that come after `value` does not make enough room. `value` must not be pending.
  ///
  /// All requests of a client have one order, and the last requests in it are removed first. The order has three
  /// criteria: 1. Ready requests come before others. 2. A request comes earlier if fewer requests of its session are
  /// before it. 3. The smaller session number comes first. The order depends on the executed requests and not on the
  /// order of arrival. So all replicas keep the same requests of a flood, and a backup waits only for requests for
  /// which the primary has room (attack 32). Two requests can never displace each other in turn (attack 33).
  ///
  /// Example: in session 7 request 20 was executed last, in session 8 request 3. Request 22 of session 7 comes before
  /// request 6 of session 8, because only one request of its session is before it, and two are before request 6.
  [[nodiscard]] std::optional<std::vector<request_id>> room_for(const request& value, std::size_t requests_max,
                                                                std::size_t bytes_max) const;
  /// The pending request that the client waits for: the ready request that arrived first.
  [[nodiscard]] std::optional<request_id> oldest() const;
  /// The client also signed a different request with this id. Returns false if this was noted before.
  bool note_contradicted(request_id id);
  [[nodiscard]] bool is_forwarded(request_id id) const { return get(id).given_at.has_value(); }
  /// The client sent the request again. Returns the time of the previous repetition; nothing for the first one.
  [[nodiscard]] std::optional<moment> note_repeated(request_id id, moment now);
  /// The request was forwarded, so its wait counts against the primary from now on. False if it was forwarded before.
  bool note_forwarded(request_id id, moment now);
  /// Whether requests of the client's other sessions may still be executed before this one. In this case the primary
  /// may have had no room for this request when it was forwarded (attack 32).
  [[nodiscard]] bool may_be_behind_others(request_id id) const;
  /// The pending request `by` was executed. Earlier requests of its session that were forwarded to the primary before
  /// `by` arrived here are overtaken, because a correct primary proposes the oldest request of each session first.
  void note_overtaking(request_id by, moment now);
  /// When the request was overtaken; nothing if it was not.
  [[nodiscard]] std::optional<moment> overtaken_at(request_id id) const { return get(id).overtaken_at; }
  /// Removes a request that is no longer pending.
  void remove(request_id id, moment now);

  /// The request was executed. Returns the pending requests that are executed, or will never be executed.
  [[nodiscard]] std::vector<request_id> on_executed(const executed_request& executed, moment now);
  /// The same for a state that was installed.
  [[nodiscard]] std::vector<request_id> on_installed(const client_sessions& sessions, moment now);

  /// All pending requests. The requests of one session are in the order of their timestamps.
  [[nodiscard]] std::vector<const request*> all() const;

  /// When the oldest request became the oldest. `request_pool` sets this time.
  moment waits_since{};

 private:
  static constexpr std::size_t request_weight = 512;

  struct session_place {
    session_queue queue;
    bool has_turn = false;
    std::size_t ready = 0;
    /// The arrival of its first ready request.
    std::optional<std::uint64_t> first_arrival = {};
  };
  /// The place of a request in the order of `room_for`. The request with the largest place is removed first.
  struct standing_place {
    bool is_unready = false;
    /// Number of requests of its session that come before it.
    std::uint64_t before = 0;
    session_id session;
    timestamp when;

    friend auto operator<=>(const standing_place&, const standing_place&) = default;
  };
  /// The number of requests that `room_for` has chosen to remove so far, for each session.
  using losses = std::map<session_id, std::size_t>;

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
  /// The sessions with a request to propose, next turn first.
  std::deque<session_id> turns_;
  /// The sessions with a ready request, by the arrival of their first one.
  std::map<std::uint64_t, session_id> by_first_arrival_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::size_t ready_waiting_ = 0;
  std::uint64_t arrivals_ = 0;
  /// Requests of the client that were executed while this replica ran.
  std::uint64_t served_ = 0;
};

}  // namespace hypermesh::protocol
