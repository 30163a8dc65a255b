#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "actors/protocol/admission/client_queue.hpp"
#include "actors/protocol/admission/system_queue.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// How many requests are held, and how batches are formed.
struct batch_settings {
  /// Requests of one batch.
  std::size_t requests_per_batch_max = limits::requests_per_batch_max;
  /// Bytes of one batch.
  std::size_t bytes_per_batch_max = limits::batch_bytes_max;
  /// Batches that are proposed and not executed yet. While the pipeline is busy, requests gather, so batches grow with
  /// the load.
  std::size_t pipeline_depth = 8;
  /// A busy pipeline takes a batch of this many requests without waiting for the batch delay.
  std::size_t requests_per_batch_target = 64;
  /// Requests that are held in all: a quarter of a second's at 250,000 requests a second.
  std::size_t requests_pending_max = 65'536;
  /// Bytes that are held in all.
  std::size_t bytes_pending_max = 32 * 1024 * 1024;
  /// Bytes that are held for one client: a quarter of the whole, so that no client takes the places of all others.
  std::size_t bytes_per_client_max = 8 * 1024 * 1024;
};

/// What a backup forwards to the primary of a new view.
struct pending_requests {
  std::vector<request> requests;
  std::vector<system_request> system_requests;
};

/// The pending requests of one replica, the primary's next batch (§4.2; batching of TOCS '02 §5.1.4), and the
/// measurement of how long clients wait. Pure.
///
/// All replicas have the same rule of admission (attack 32). Each client has a quota. When a client exceeds it, the
/// last of its own requests in the order of `client_queue::room_for` make room: ready requests stay before others, then
/// requests by their position in the session, then by the session number, in whatever order they arrived. When the pool
/// is full, the client that holds most makes room, by the same order, so that a flood displaces itself. So a backup
/// waits for, and forwards, requests that the primary has room for.
///
/// System requests are beside the clients, in a queue of their own. They have no quota, and at most
/// `limits::system_requests_per_batch_max` of them come first in each batch.
///
/// Memory: the bounds of `batch_settings`, the sessions of each client, and the system requests of `system_queue`.
class request_pool {
 public:
  enum class admission {
    /// The request is held until it is executed.
    accepted,
    /// The request is held already. A backup may forward it again.
    already_pending,
    /// Another request with this id is held: `contradiction_with` gives the evidence.
    contradicting,
    /// The request was executed. The reply is in the client table.
    done,
    /// The timestamp is below the window of its session, or the session has ended. The request will never be executed
    /// again.
    past,
    /// The client has as many requests or bytes pending as one client may, and this request is the last one in the
    /// order of `client_queue::room_for`.
    client_quota,
    /// The replica holds as much as it may, and no client holds more than this one.
    overloaded,
  };

  explicit request_pool(batch_settings settings) : settings_(settings) {}

  /// A verified request arrived.
  admission admit(const request& value, microseconds_t now);
  /// The same for a system request of the evidence pool.
  admission admit(const system_request& value, microseconds_t now);
  /// The requests that made room since the last call. They are not held any more.
  [[nodiscard]] std::vector<request_reference> take_displaced() { return std::exchange(displaced_, {}); }

  /// Evidence that convicts the client of `value` and of the pending request with the same id. Nothing if both are
  /// equal, if they are too large for evidence, or if the evidence was given before.
  [[nodiscard]] std::optional<evidence> contradiction_with(const request& value);
  /// Clients that may have one pending request each, in ascending order.
  void on_rate_limited(std::vector<client_id> clients) { rate_limited_ = std::move(clients); }

  /// The next batch, if one is due: at once while nothing is in flight, otherwise when enough requests have gathered or
  /// `delay_passed`. System requests come first. Then clients take turns, and of each session the oldest ready request
  /// is taken first, on whichever link it arrived.
  [[nodiscard]] std::optional<batch> cut(bool delay_passed);

  /// These requests and system requests were executed in a batch; `own` if this replica proposed it.
  void on_executed(const std::vector<executed_request>& requests, bool own, microseconds_t now,
                   const std::vector<case_name>& cases = {});

  /// The requests that a transferred state has executed, from `client_table::sessions`.
  void on_installed(const sessions_by_client& executed, microseconds_t now);

  /// These system requests need no order any more.
  void on_dropped(const std::vector<case_name>& cases, microseconds_t now);

  /// A view was entered. Requests that were proposed and not executed wait again, and all waits start anew.
  void on_view(microseconds_t now);

  /// This replica forwards a pending request to the primary. The client need not have sent it there, so until the first
  /// forwarding the primary is to blame for nothing (attack 32). A stay that exceeds `primary_monitor::wait_floor_us`
  /// and ends before this replica has forwarded the request is not counted: the primary may have received the request
  /// from another replica just before.
  void on_forwarded(request_id id, microseconds_t now);
  void on_forwarded(case_name name, microseconds_t now) { system_.note_forwarded(name, now); }
  /// The client sent a pending request again. False if it did so less than `repeat_pause_us` ago. Otherwise a client
  /// could make all backups forward it as fast as they can verify it, and fill their links to the primary (attack 33).
  [[nodiscard]] bool on_repeated(request_id id, microseconds_t now);
  static constexpr microseconds_t repeat_pause_us = 150'000;

  /// Pending requests for the primary of a new view: system requests up to half of `forwarded_bytes_max`, then those of
  /// the client that waits longest, and so on. So they are served after a view change without a retransmission by their
  /// clients.
  [[nodiscard]] pending_requests pending() const;
  static constexpr std::size_t forwarded_bytes_max = 8 * 1024 * 1024;

  /// The pending request with this id; null if there is none.
  [[nodiscard]] const request* find(request_id id) const;
  [[nodiscard]] const system_request* find(case_name name) const { return system_.find(name); }
  [[nodiscard]] bool is_pending(request_id id) const { return find(id) != nullptr; }
  /// Whether it is the request that its client waits for.
  [[nodiscard]] bool is_oldest(request_id id) const;
  [[nodiscard]] bool is_oldest(case_name name) const { return system_.oldest() == name; }
  /// Measurements for `primary_monitor`.
  [[nodiscard]] service_report service(microseconds_t now) const;

  /// Whether a request could be proposed.
  [[nodiscard]] bool has_waiting() const { return !turns_.empty() || system_.waiting() > 0; }
  [[nodiscard]] std::size_t requests_pending() const { return requests_pending_ + system_.size(); }
  [[nodiscard]] std::size_t bytes_pending() const { return bytes_pending_ + system_.bytes(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

 private:
  /// Identifies a batch in the pipeline: its first request and its first system request.
  struct batch_mark {
    std::optional<request_id> request;
    std::optional<case_name> name;

    friend bool operator==(const batch_mark&, const batch_mark&) = default;
  };

  [[nodiscard]] static batch_mark mark_of(const batch& content);
  [[nodiscard]] client_queue& queue_of(client_id client);
  [[nodiscard]] request_standing standing_of(request_id id) const;
  bool make_room_in(client_queue& queue, const request& value, microseconds_t now);
  bool make_room(client_queue& queue, const request& value, microseconds_t now);
  bool make_own_room(client_queue& queue, const request& value, microseconds_t now);
  [[nodiscard]] std::optional<request_id> heaviest_above(std::size_t weight) const;
  void displace(request_id id, microseconds_t now);
  void note_executed(const executed_request& each, microseconds_t now);
  void note_executed(case_name name, microseconds_t now);
  void remove_served(request_id id, microseconds_t now);
  void remove(request_id id, microseconds_t now);
  void restart_wait(client_id client, microseconds_t now);
  template <class Step>
  void change(client_id client, microseconds_t now, Step step);
  [[nodiscard]] bool is_rate_limited(client_id client) const {
    return std::ranges::binary_search(rate_limited_, client);
  }
  [[nodiscard]] bool is_over(request_id id) const;
  void take_system_requests(batch& into);
  bool take_next(client_id client, batch& into);
  [[nodiscard]] bool wait_tells(request_id id, const client_queue& queue, microseconds_t now) const;

  batch_settings settings_;
  std::map<client_id, client_queue> queues_;
  system_queue system_;
  /// Clients with requests that could be proposed, next turn first.
  std::deque<client_id> turns_;
  /// Requests of clients: how many could be proposed, how many are held, and their bytes.
  std::size_t requests_ready_ = 0;
  std::size_t requests_pending_ = 0;
  std::size_t bytes_pending_ = 0;
  /// The batches that were cut and are not executed yet, in their order.
  std::deque<batch_mark> in_flight_;
  /// Clients with ready requests, by `waits_since`.
  std::set<std::pair<microseconds_t, client_id>> waits_;
  /// The last waits of clients, and the last stays of requests, that ended in this view.
  std::deque<ended_wait> ended_waits_;
  std::deque<ended_wait> ended_stays_;
  std::uint64_t requests_executed_ = 0;
  /// Clients with pending requests, by the weight of their queues.
  std::set<std::pair<std::size_t, client_id>> weights_;
  std::vector<request_reference> displaced_;
  std::vector<client_id> rate_limited_;
};

}  // namespace hypermesh
