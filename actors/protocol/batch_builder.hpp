#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/effects.hpp"
#include "actors/protocol/service_judge.hpp"
#include "actors/protocol/timestamp_window.hpp"
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
/// wait. Pure. Memory: the bounds of `batch_settings`, and one timestamp window for each client.
class batch_builder {
 public:
  enum class admission {
    /// Held until it is executed.
    accepted,
    /// Held already; on a backup it is worth forwarding again.
    already_pending,
    /// Executed; the reply is in the client table.
    done,
    /// Below the client's window; never executed again.
    past,
    /// The client has `requests_in_flight_max` requests or `bytes_per_client_max` bytes pending here.
    client_quota,
    /// The replica holds as much as it may.
    overloaded,
  };

  explicit batch_builder(batch_settings settings) : settings_(settings) {}

  /// One identical rule for admission at every replica (attack 32).
  admission admit(const request& value, microseconds_t now);

  /// The next batch, when there is one to propose: at once while nothing is in flight, else when
  /// enough requests gathered or `delay_passed`. Takes from the clients in turn, and from each of
  /// them in the order of arrival.
  [[nodiscard]] std::optional<batch> cut(bool delay_passed);

  /// These requests were executed in a batch; `own` when this replica proposed it.
  void on_executed(const std::vector<executed_request>& requests, bool own, microseconds_t now);

  /// What a transferred state has executed, as `client_table::done_ids` tells it.
  void on_installed(const std::vector<request_id>& ids, microseconds_t now);

  /// The guard needs these cases no more.
  void on_dropped(const std::vector<request_id>& cases, microseconds_t now);

  /// A view was entered: what was proposed before and not executed waits again, and clients get a new start.
  void on_view(microseconds_t now);

  /// Pending requests for the primary of a new view, each client's oldest first, `forwarded_bytes_max` of them: so they
  /// are served after a view change without their clients' help.
  [[nodiscard]] std::vector<request> pending() const;
  static constexpr std::size_t forwarded_bytes_max = 8 * 1024 * 1024;

  [[nodiscard]] bool is_pending(request_id id) const;
  [[nodiscard]] service_report service(microseconds_t now) const;

  [[nodiscard]] bool has_waiting() const { return !turns_.empty(); }
  [[nodiscard]] std::size_t requests_pending() const { return requests_pending_; }
  [[nodiscard]] std::size_t bytes_pending() const { return bytes_pending_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

 private:
  struct pending_request {
    request content;
    bool proposed = false;
  };

  struct client_queue {
    timestamp_window window;
    std::map<timestamp, pending_request> pending;
    std::size_t bytes = 0;
    /// Timestamps in the order of arrival that were not proposed yet.
    std::deque<timestamp> waiting;
    /// Since when the oldest pending request is the oldest.
    microseconds_t waits_since = 0;
  };

  [[nodiscard]] timestamp_window::standing standing_of(request_id id) const;
  void forget(request_id id, microseconds_t now);
  void forget_through(request_id floor, microseconds_t now);
  void start_wait(client_id client, client_queue& queue, microseconds_t now);
  void end_wait(client_id client, const client_queue& queue);
  [[nodiscard]] bool is_over(request_id id) const;
  bool take_next(client_queue& queue, batch& into);

  batch_settings settings_;
  std::map<client_id, client_queue> queues_;
  /// Clients with waiting requests, next turn first.
  std::deque<client_id> turns_;
  std::size_t requests_waiting_ = 0;
  std::size_t requests_pending_ = 0;
  std::size_t bytes_pending_ = 0;
  /// The first request of each batch that was cut and not yet executed, in order.
  std::deque<request_id> in_flight_;
  /// Clients with pending requests, by `waits_since`.
  std::set<std::pair<microseconds_t, client_id>> waits_;
  /// The last waits of this view that ended.
  std::deque<microseconds_t> ended_waits_;
  std::uint64_t requests_executed_ = 0;
  /// Requests of the guard that were executed, in order: their names have no order of their own.
  std::deque<timestamp> guard_done_;
};

}  // namespace hypermesh
