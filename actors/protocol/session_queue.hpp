#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/client_sessions.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A request that is held until it is executed.
struct pending_request {
  request content;
  /// In a batch of this replica.
  bool proposed = false;
  /// Among the requests of its client, in the order in which they came here.
  std::uint64_t arrival = 0;
  /// Since when it is here and could be served; what was here before a view counts from its beginning.
  microseconds_t since = 0;
  bool is_contradicted = false;
  microseconds_t arrived_at = 0;
  /// Since when the primary has it for sure.
  std::optional<microseconds_t> given_at = {};
  /// How many requests of its client had been executed then, or when it came.
  std::uint64_t served_before = 0;
  std::optional<microseconds_t> repeated_at = {};
  std::optional<microseconds_t> overtaken_at = {};
};

/// What one session of a client has pending at one replica. Pure.
///
/// A request is *ready* when it could be executed next: in an ordered session all requests before it are done, or
/// pending here; in an independent one always. Only ready requests are proposed, and only for ready ones the primary is
/// to blame: whoever lacks an earlier request cannot serve a later one, and a client that withholds the earlier one
/// from the primary alone must not cost it its place (attack 32). Example: 1 and 2 are done, 3, 4 and 6 are pending.
/// 3 and 4 are ready. When 5 comes, 5 and 6 are ready too.
///
/// Memory: what the `batch_builder` admits.
class session_queue {
 public:
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  [[nodiscard]] std::size_t size() const { return pending_.size(); }
  /// Requests that are ready and in no batch of this replica.
  [[nodiscard]] std::size_t ready_waiting() const { return ready_waiting_; }
  /// The pending one; null when there is none.
  [[nodiscard]] const pending_request* find(timestamp when) const;
  [[nodiscard]] pending_request& at(timestamp when) { return pending_.at(when); }
  [[nodiscard]] const std::map<timestamp, pending_request>& all() const { return pending_; }

  /// Queues it under `when`. `window` is that of the session; null while it is not open here.
  void add(timestamp when, pending_request value, const timestamp_window* window);
  /// The first ready one that waits to be proposed, or null. Of a session the oldest goes first.
  [[nodiscard]] const pending_request* next() const;
  /// The first ready one, proposed or not, or null.
  [[nodiscard]] const pending_request* first_ready() const;
  /// `next()` is in a batch now.
  void propose_next();
  /// The batch that it was in comes to nothing: it waits again.
  void wait_again(timestamp when);
  /// The same for all, in a new view.
  void wait_again(microseconds_t now);
  /// Those that are in no batch of this replica. The one with the highest timestamp makes room first.
  [[nodiscard]] const std::set<timestamp>& waiting() const { return waiting_; }
  [[nodiscard]] bool is_ready(timestamp when) const { return when < ready_end_; }
  /// Whether a request would be ready here, in a session whose window says that it is early.
  [[nodiscard]] bool extends_chain(timestamp when) const { return when == ready_end_; }
  void remove(timestamp when, const timestamp_window* window, microseconds_t now);
  /// The session was opened, or something in it was executed.
  void on_window(const timestamp_window& window, microseconds_t now);
  /// Another state was installed: what was ready may be so no more.
  void on_installed(const timestamp_window* window, microseconds_t now);

 private:
  [[nodiscard]] timestamp chain_end(timestamp from) const;
  void move_ready_end(timestamp end, microseconds_t now);
  void shrink_ready_end(timestamp end);
  void note_waiting(timestamp when);
  void note_not_waiting(timestamp when);

  std::map<timestamp, pending_request> pending_;
  /// Not proposed yet.
  std::set<timestamp> waiting_;
  /// Pending requests below this are ready. Only the opening request is before the session is open.
  timestamp ready_end_{1};
  std::size_t ready_waiting_ = 0;
};

}  // namespace hypermesh
