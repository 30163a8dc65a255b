#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/execution/client_sessions.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A request that is pending until it is executed.
struct pending_request {
  request content;
  /// The request is in a batch of this replica.
  bool proposed = false;
  /// The position of the request in the order in which the client's requests arrived.
  std::uint64_t arrival = 0;
  /// When the request became pending and ready. A new view sets this time to its own start.
  moment since{};
  /// The client also signed a different request with this id, and the evidence was submitted.
  bool is_contradicted = false;
  moment arrived_at{};
  /// The time at which this replica forwarded the request to the primary; nothing if it has not. From then on the wait
  /// for the request counts against the primary.
  std::optional<moment> given_at = {};
  /// Number of the client's requests that had been executed when this one was forwarded, or when it arrived.
  std::uint64_t served_before = 0;
  std::optional<moment> repeated_at = {};
  std::optional<moment> overtaken_at = {};
};

/// The pending requests of one session at one replica. Pure.
///
/// A request is *ready* when it could be executed next. In an ordered session all requests before it are done or
/// pending here; in an independent session every request is ready. Only ready requests are proposed, and only ready
/// requests count against the primary. A replica that lacks an earlier request cannot execute a later one, and a client
/// that withholds the earlier one from the primary alone must not cause a view change (attack 32).
///
/// Example: 1 and 2 are done; 3, 4 and 6 are pending. 3 and 4 are ready. When 5 arrives, 5 and 6 are ready too.
///
/// Memory: the requests that `request_pool` admits.
class session_queue {
 public:
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  [[nodiscard]] std::size_t size() const { return pending_.size(); }
  /// Number of requests that are ready and in no batch of this replica.
  [[nodiscard]] std::size_t ready_waiting() const { return ready_waiting_; }
  /// The pending request; null if there is none.
  [[nodiscard]] const pending_request* find(timestamp when) const;
  [[nodiscard]] pending_request& at(timestamp when) { return pending_.at(when); }
  [[nodiscard]] const std::map<timestamp, pending_request>& all() const { return pending_; }

  /// Adds the request under `when`. `window` is that of the session; null while the session is not open here.
  void add(timestamp when, pending_request value, const timestamp_window* window);
  /// The ready request with the lowest timestamp that is not proposed yet, or null.
  [[nodiscard]] const pending_request* next() const;
  /// The first ready request, proposed or not, or null.
  [[nodiscard]] const pending_request* first_ready() const;
  /// Marks the request that `next()` returns as being in a batch.
  void propose_next();
  /// The batch of this request was dropped, or the request was too early. The request waits again.
  void wait_again(timestamp when);
  /// The same for all requests, in a new view.
  void wait_again(moment now);
  /// The requests that are in no batch of this replica. The request with the highest timestamp is removed first when
  /// room is needed.
  [[nodiscard]] const std::set<timestamp>& waiting() const { return waiting_; }
  [[nodiscard]] bool is_ready(timestamp when) const { return when < ready_end_; }
  /// Whether a request would be ready, if the window of its session says that it is early.
  [[nodiscard]] bool extends_chain(timestamp when) const { return when == ready_end_; }
  void remove(timestamp when, const timestamp_window* window, moment now);
  /// The session was opened, or a request of it was executed.
  void on_window(const timestamp_window& window, moment now);
  /// A transferred state was installed. Requests that were ready may no longer be ready.
  void on_installed(const timestamp_window* window, moment now);

 private:
  [[nodiscard]] timestamp chain_end(timestamp from) const;
  void move_ready_end(timestamp end, moment now);
  void shrink_ready_end(timestamp end);
  void note_waiting(timestamp when);
  void note_not_waiting(timestamp when);

  std::map<timestamp, pending_request> pending_;
  /// Pending requests that are not proposed.
  std::set<timestamp> waiting_;
  /// Pending requests below this timestamp are ready. Before the session is open, only the opening request is ready.
  timestamp ready_end_{1};
  std::size_t ready_waiting_ = 0;
};

}  // namespace hypermesh::protocol
