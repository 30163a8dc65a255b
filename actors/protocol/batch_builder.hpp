#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "actors/protocol/accusation.hpp"
#include "actors/protocol/client_queue.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/service_judge.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// How much waits and how batches are formed.
struct batch_settings {
  /// Requests of one batch.
  std::size_t requests_per_batch_max = limits::requests_per_batch_max;
  /// Bytes of one batch.
  std::size_t bytes_per_batch_max = limits::batch_bytes_max;
  /// Batches that are proposed and not yet executed. While the pipeline is busy requests gather,
  /// so batches grow with the load.
  std::size_t pipeline_depth = 8;
  /// A busy pipeline takes a batch of this many requests without waiting for the batch delay.
  std::size_t requests_per_batch_target = 64;
  /// Requests that are held in all: a quarter of a second at a quarter of a million a second.
  std::size_t requests_pending_max = 65'536;
  /// Bytes that are held in all.
  std::size_t bytes_pending_max = 32 * 1024 * 1024;
  /// Bytes that are held for one client: a quarter, so that no client takes the place of all others.
  std::size_t bytes_per_client_max = 8 * 1024 * 1024;
};

/// Pending requests of one replica, the primary's next batch (§4.2; batching of TOCS '02 §5.1.4), and how long clients
/// wait. Pure. Memory: the bounds of `batch_settings`, and the sessions of each client.
///
/// One identical rule of admission everywhere (attack 32): each client has a quota, and when the whole is full the
/// client that holds most makes room, so that a flood displaces itself. Of each client the oldest requests stay: what a
/// backup waits for, and hands to the primary again, is never what the primary has no room for.
class batch_builder {
 public:
  enum class admission {
    /// Held until it is executed.
    accepted,
    /// Held already; on a backup it is worth forwarding again.
    already_pending,
    /// Another request with this timestamp is held: `contradiction_with` shows both.
    contradicting,
    /// Executed; the reply is in the client table.
    done,
    /// Below the window of its session, or of a session that has ended; never executed again.
    past,
    /// The client has as many requests or bytes pending here as one may, and this is the newest of them.
    client_quota,
    /// The replica holds as much as it may, and no client more than this one.
    overloaded,
  };

  explicit batch_builder(batch_settings settings) : settings_(settings) {}

  admission admit(const request& value, microseconds_t now);
  /// What made room since this was asked last; not held any more.
  [[nodiscard]] std::vector<request_reference> take_displaced() { return std::exchange(displaced_, {}); }

  /// What convicts the client that signed this and a pending request; nothing when they agree or are too large, and
  /// when it was shown before.
  [[nodiscard]] std::optional<exhibits> contradiction_with(const request& value);
  /// Sorted. They may have one request pending each.
  void on_restrained(std::vector<client_id> clients) { restrained_ = std::move(clients); }

  /// The next batch, when there is one to propose: at once while nothing is in flight, else when
  /// enough requests gathered or `delay_passed`. Takes from the clients in turn, and of what a client
  /// has waiting the oldest first, however it came here.
  [[nodiscard]] std::optional<batch> cut(bool delay_passed);

  /// These requests were executed in a batch; `own` when this replica proposed it.
  void on_executed(const std::vector<executed_request>& requests, bool own, microseconds_t now);

  /// What a transferred state has executed, as `client_table::sessions` tells it.
  void on_installed(const sessions_by_client& executed, microseconds_t now);

  /// The guard needs these cases no more.
  void on_dropped(const std::vector<request_id>& cases, microseconds_t now);

  /// A view was entered: what was proposed before and not executed waits again, and clients get a new start.
  void on_view(microseconds_t now);

  /// This replica hands a pending request to the primary. A client need not have done so: until the first time the
  /// primary is to blame for nothing (attack 32). What stayed longer than is nobody's fault, and was executed before
  /// this replica handed it on, says nothing: somebody else may just have done so.
  void on_handed_on(request_id id, microseconds_t now);
  /// Its client sends a pending request once more. False when it did so just before: a client could make all backups
  /// hand it on as often as they can verify it, and fill their links to the primary (attack 33).
  [[nodiscard]] bool on_repeated(request_id id, microseconds_t now);
  static constexpr microseconds_t repeat_pause_us = 150'000;

  /// Pending requests for the primary of a new view, each client's oldest first, `forwarded_bytes_max` of them: so they
  /// are served after a view change without their clients' help.
  [[nodiscard]] std::vector<request> pending() const;
  static constexpr std::size_t forwarded_bytes_max = 8 * 1024 * 1024;

  /// The pending one; null when there is none.
  [[nodiscard]] const request* find(request_id id) const;
  [[nodiscard]] bool is_pending(request_id id) const { return find(id) != nullptr; }
  /// Whether it is the one that its client waits for.
  [[nodiscard]] bool is_oldest(request_id id) const;
  [[nodiscard]] service_report service(microseconds_t now) const;

  /// Whether a request could be proposed.
  [[nodiscard]] bool has_waiting() const { return !turns_.empty(); }
  [[nodiscard]] std::size_t requests_pending() const { return requests_pending_; }
  [[nodiscard]] std::size_t bytes_pending() const { return bytes_pending_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

 private:
  [[nodiscard]] client_queue& queue_of(client_id client);
  [[nodiscard]] request_standing standing_of(request_id id) const;
  bool make_room_in(client_queue& queue, const request& value, microseconds_t now);
  bool make_room(client_queue& queue, const request& value, microseconds_t now);
  bool make_own_room(client_queue& queue, const request& value, microseconds_t now);
  [[nodiscard]] std::optional<request_id> heaviest_above(std::size_t weight) const;
  void displace(request_id id, microseconds_t now);
  void note_executed(const executed_request& each, microseconds_t now);
  void remove_served(request_id id, microseconds_t now);
  void remove(request_id id, microseconds_t now);
  void restart_wait(client_id client, microseconds_t now);
  template <class Step>
  void change(client_id client, microseconds_t now, Step step);
  [[nodiscard]] bool is_restrained(client_id client) const { return std::ranges::binary_search(restrained_, client); }
  [[nodiscard]] bool is_over(request_id id) const;
  bool take_next(client_id client, batch& into);
  [[nodiscard]] bool tells(request_id id, const client_queue& queue, microseconds_t now) const;

  batch_settings settings_;
  std::map<client_id, client_queue> queues_;
  /// Clients with requests that could be proposed, next turn first.
  std::deque<client_id> turns_;
  /// Requests that could be proposed.
  std::size_t requests_ready_ = 0;
  std::size_t requests_pending_ = 0;
  std::size_t bytes_pending_ = 0;
  /// The first request of each batch that was cut and not yet executed, in order.
  std::deque<request_id> in_flight_;
  /// Clients with pending requests that could be served, by `waits_since`.
  std::set<std::pair<microseconds_t, client_id>> waits_;
  /// The last waits of this view that ended.
  std::deque<ended_wait> ended_waits_;
  std::deque<ended_wait> ended_stays_;
  std::uint64_t requests_executed_ = 0;
  /// Clients with pending requests, by the weight of their queues.
  std::set<std::pair<std::size_t, client_id>> weights_;
  std::vector<request_reference> displaced_;
  std::vector<client_id> restrained_;
};

}  // namespace hypermesh
