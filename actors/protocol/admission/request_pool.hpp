#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
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

namespace hypermesh::protocol {

/// Limits on pending requests and on batches.
struct batch_settings {
  /// Requests of one batch.
  std::size_t requests_per_batch_max = limits::requests_per_batch_max;
  /// Bytes of one batch.
  std::size_t bytes_per_batch_max = limits::batch_bytes_max;
  /// The most batches that are proposed and not executed yet. When so many are in flight, new requests wait for the
  /// next batch, so batches grow with the load. Under load fewer are in flight (`pipeline_gauge`).
  std::size_t pipeline_depth = 8;
  /// While batches are in flight, a batch of this many requests is proposed without waiting for the batch delay.
  std::size_t requests_per_batch_target = 64;
  /// Pending requests of all clients: the requests of a quarter of a second at 250,000 requests a second.
  std::size_t requests_pending_max = 65'536;
  /// Bytes of the pending requests of all clients.
  std::size_t bytes_pending_max = 32 * 1024 * 1024;
  /// Bytes of the pending requests of one client: a quarter of the whole, so that no client can use up the room of all
  /// others.
  std::size_t bytes_per_client_max = 8 * 1024 * 1024;
};

/// The requests that a backup forwards to the primary of a new view.
struct pending_requests {
  std::vector<request> requests;
  std::vector<system_request> system_requests;
};

/// A batch for the primary to propose. It has no time yet.
struct cut_batch {
  batch content;
  /// When its oldest request became pending.
  moment oldest{};
};

/// The pending requests of one replica, the primary's next batch (§4.2; batching of TOCS '02 §5.1.4), and the
/// measurement of how long clients wait. Pure.
///
/// All replicas have the same rule of admission (attack 32). Each client has a quota. When a client exceeds it, the
/// last of its own requests in the order of `client_queue::room_for` are removed. That order does not depend on the
/// order of arrival. When the pool is full, requests of the client with the most pending bytes are removed in the same
/// order, so that a flood displaces itself. Because all replicas use the same order, a backup waits for and forwards
/// only requests for which the primary has room.
///
/// System requests are in a separate queue and have no quota. Each batch begins with at most
/// `limits::system_requests_per_batch_max` of them.
///
/// Memory: the bounds of `batch_settings`, the sessions of each client, and the system requests of `system_queue`.
class request_pool {
 public:
  enum class admission {
    /// The request is pending until it is executed.
    accepted,
    /// The request was pending already. A backup may forward it again.
    already_pending,
    /// A different request with this id is pending. `contradiction_with` returns the evidence.
    contradicting,
    /// The request was executed. The reply is in the client table.
    done,
    /// The timestamp is below the window of its session, or the session has ended. The request will never be executed
    /// again.
    past,
    /// The client has as many requests or bytes pending as one client may, and this request is the last one in the
    /// order of `client_queue::room_for`.
    client_quota,
    /// The pool is full, and no client has more pending bytes than this one.
    overloaded,
  };

  explicit request_pool(batch_settings settings) : settings_(settings) {}

  /// A verified request arrived.
  admission admit(const request& value, moment now);
  /// The same for a system request of the evidence pool.
  admission admit(const system_request& value, moment now);
  /// The node is going to stop: from now on new requests of clients are `overloaded`. Requests that are pending already
  /// stay, and system requests are still admitted. The refusal of one replica fails no operation, because a client
  /// counts f + 1 refusals.
  void stop_admitting() { is_admitting_ = false; }
  [[nodiscard]] bool is_admitting() const { return is_admitting_; }
  /// The requests that made room since the last call. They are no longer pending.
  [[nodiscard]] std::vector<request_reference> take_displaced() { return std::exchange(displaced_, {}); }

  /// Evidence that convicts the client of `value` and of the pending request with the same id. Nothing if both are
  /// equal, if they are too large for evidence, or if the evidence was given before.
  [[nodiscard]] std::optional<evidence> contradiction_with(const request& value);
  /// Clients that may have one pending request each, in ascending order.
  void on_rate_limited(std::vector<client_id> clients) { rate_limited_ = std::move(clients); }

  /// Returns the next batch if one is due; otherwise nothing. While no batch is in flight, a batch is due as soon as a
  /// request waits. Otherwise it is due when enough requests have gathered or `delay_passed` is true. System requests
  /// come first. Then clients take turns. Of each session the oldest ready request comes first, whatever the link on
  /// which it arrived. No batch is due while `in_flight_max` batches, or `batch_settings::pipeline_depth`, are in
  /// flight. A batch has at most `requests_max` requests of clients, or `batch_settings::requests_per_batch_max`.
  [[nodiscard]] std::optional<cut_batch> cut(bool delay_passed,
                                             std::size_t in_flight_max = std::numeric_limits<std::size_t>::max(),
                                             std::size_t requests_max = std::numeric_limits<std::size_t>::max());

  /// These requests and system requests were executed in a batch; `own` if this replica proposed it.
  void on_executed(const std::vector<executed_request>& requests, bool own, moment now,
                   const std::vector<case_name>& cases = {});

  /// A batch of the present primary was executed, whose time was behind by this when its PRE-PREPARE arrived.
  void on_lateness(duration behind, moment now) { last_time_ = {now, behind}; }

  /// The requests that a transferred state has executed, from `client_table::sessions`.
  void on_installed(const sessions_by_client& executed, moment now);

  /// These system requests no longer need to be ordered.
  void on_dropped(const std::vector<case_name>& cases, moment now);

  /// A view was entered. Requests that were proposed and not executed wait again, and the measurement of all waits
  /// starts again.
  void on_view(moment now);

  /// This replica forwards a pending request to the primary. The client may not have sent the request there, so the
  /// wait before the first forwarding does not count against the primary (attack 32). A stay that exceeds
  /// `primary_monitor::wait_floor` and ends before this replica has forwarded the request is not counted: the
  /// primary may have received the request from another replica just before.
  void on_forwarded(request_id id, moment now);
  void on_forwarded(case_name name, moment now) { system_.note_forwarded(name, now); }
  /// The client sent a pending request again. False if it did so less than `repeat_pause` ago. Without this limit a
  /// client could make all backups forward the request as fast as they can verify it, and so fill their links to the
  /// primary (attack 33).
  [[nodiscard]] bool on_repeated(request_id id, moment now);
  static constexpr duration repeat_pause = 150ms;

  /// Pending requests for the primary of a new view: system requests up to half of `forwarded_bytes_max`, then the
  /// requests of the client that waits longest, then of the next client, and so on. After a view change these requests
  /// are executed without a retransmission by their clients.
  [[nodiscard]] pending_requests pending() const;
  static constexpr std::size_t forwarded_bytes_max = 8 * 1024 * 1024;

  /// The pending request with this id; null if there is none.
  [[nodiscard]] const request* find(request_id id) const;
  [[nodiscard]] const system_request* find(case_name name) const { return system_.find(name); }
  [[nodiscard]] bool is_pending(request_id id) const { return find(id) != nullptr; }
  /// Whether the request was executed, or will never be executed.
  [[nodiscard]] bool is_settled(request_id id) const;
  /// Whether this is the request that its client waits for.
  [[nodiscard]] bool is_oldest(request_id id) const;
  [[nodiscard]] bool is_oldest(case_name name) const { return system_.oldest() == name; }
  /// Measurements for `primary_monitor`.
  [[nodiscard]] service_report service(moment now) const;

  /// Whether a request could be proposed.
  [[nodiscard]] bool has_waiting() const { return !turns_.empty() || system_.waiting() > 0; }
  [[nodiscard]] std::size_t requests_pending() const { return requests_pending_ + system_.size(); }
  [[nodiscard]] std::size_t bytes_pending() const { return bytes_pending_ + system_.bytes(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  [[nodiscard]] std::size_t pipeline_depth() const { return settings_.pipeline_depth; }

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
  bool make_room_in(client_queue& queue, const request& value, moment now);
  bool make_room(client_queue& queue, const request& value, moment now);
  bool make_own_room(client_queue& queue, const request& value, moment now);
  [[nodiscard]] std::optional<request_id> heaviest_above(std::size_t weight) const;
  void displace(request_id id, moment now);
  void note_executed(const executed_request& each, moment now);
  void note_executed(case_name name, moment now);
  void remove_served(request_id id, moment now);
  void remove(request_id id, moment now);
  void restart_wait(client_id client, moment now);
  template <class Step>
  void change(client_id client, moment now, Step step);
  [[nodiscard]] bool is_rate_limited(client_id client) const {
    return std::ranges::binary_search(rate_limited_, client);
  }
  [[nodiscard]] bool is_over(request_id id) const;
  void take_system_requests(cut_batch& into);
  bool take_next(client_id client, cut_batch& into);
  [[nodiscard]] bool wait_tells(request_id id, const client_queue& queue, moment now) const;

  batch_settings settings_;
  bool is_admitting_ = true;
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
  std::set<std::pair<moment, client_id>> waits_;
  /// The last waits of clients, and the last stays of requests, that ended in this view.
  std::deque<ended_wait> ended_waits_;
  std::deque<ended_wait> ended_stays_;
  std::uint64_t requests_executed_ = 0;
  std::optional<executed_time> last_time_;
  /// Clients with pending requests, by the weight of their queues.
  std::set<std::pair<std::size_t, client_id>> weights_;
  std::vector<request_reference> displaced_;
  std::vector<client_id> rate_limited_;
};

}  // namespace hypermesh::protocol
