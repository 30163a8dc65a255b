#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// Why an operation has no result.
enum class client_error : std::uint8_t {
  /// No f+1 matching replies before the deadline. The operation may still be executed.
  timed_out = 1,
  /// The client's own queue is full.
  too_many_pending,
  /// f+1 replicas refused until the deadline: their queues are full.
  overloaded,
  /// f+1 replicas refused the timestamp: it lies below the window of this client's identity, so
  /// another session uses the identity or its clock was ahead.
  stale_timestamp,
  /// The operation exceeds `limits::operation_bytes_max`.
  too_large,
  /// The client was stopped.
  stopped,
};

[[nodiscard]] std::string_view to_string(client_error error);

struct client_settings {
  /// Operations under one signature. 1: every operation is signed alone.
  std::size_t bundle_operations_max = 1;
  /// A bundle is sent this long after its first operation, full or not.
  microseconds_t bundle_delay_us = 1'000;
  /// Requests under way; more operations wait.
  std::size_t requests_in_flight_max = limits::requests_in_flight_max / 2;
  /// Operations that may wait or be under way.
  std::size_t operations_pending_max = 262'144;
  /// §4.1: a client that "does not receive replies soon enough … broadcasts the request to all replicas".
  /// Doubles up to `retransmit_us_max`.
  microseconds_t retransmit_us = 500'000;
  microseconds_t retransmit_us_max = 8'000'000;
  /// An operation without a result by then fails with `timed_out` or `overloaded`.
  microseconds_t deadline_us = 30'000'000;
  /// One request in so many, on average, goes to all replicas at once, so that backups see how the primary serves its
  /// clients (attack 29). Which one, the primary cannot know. 0: none.
  std::uint64_t sampled_one_in = 16;
  /// Secret: makes the sample unpredictable.
  std::uint64_t sampling_seed = 0;
};

/// Names an operation between `client_core` and the actor around it.
using operation_token = std::uint64_t;

using submit_outcome = std::variant<operation_result, client_error>;

struct operation_done {
  operation_token token = 0;
  submit_outcome outcome;
};

struct client_effects {
  /// To one replica, or to all.
  std::vector<outgoing_message> sends;
  std::vector<operation_done> done;
};

/// A client of the replicated service (§4.1). Pure. Signs requests, sends them to the primary it
/// knows, again to all when replies are late, and accepts a result that f+1 distinct replicas gave (attack 5).
/// Memory: `operations_pending_max` operations and n outcomes for each request under way.
class client_core {
 public:
  /// `first` must exceed every timestamp that the client's identity used before (attack 25).
  client_core(const cluster_parameters& cluster, client_id self, const authenticator& keys, client_settings settings,
              timestamp first);

  [[nodiscard]] client_effects on_submit(byte_vector operation, operation_token token, microseconds_t now);
  [[nodiscard]] client_effects on_query(byte_vector operation, operation_token token, microseconds_t now);

  /// `from` is the replica that authenticated the link.
  [[nodiscard]] client_effects on_reply(replica_id from, const reply& value, microseconds_t now);
  [[nodiscard]] client_effects on_query_reply(replica_id from, const query_reply& value);

  /// The link to a replica opened: what went into the closed link is lost.
  [[nodiscard]] client_effects on_link_up(replica_id replica);
  /// The link to a replica closed. Without the primary, requests go to all: the backups have to know that somebody
  /// waits.
  [[nodiscard]] client_effects on_link_down(replica_id replica);

  /// Bundles, retransmissions and deadlines that are due.
  [[nodiscard]] client_effects on_tick(microseconds_t now);

  /// Fails everything that is pending.
  [[nodiscard]] client_effects on_stop();

  [[nodiscard]] bool is_idle() const { return requests_.empty() && waiting_.empty() && queries_.empty(); }
  [[nodiscard]] std::size_t operations_pending() const { return operations_pending_; }
  [[nodiscard]] view_number view() const { return view_; }
  /// Requests that were sent again; a measure of loss and overload.
  [[nodiscard]] std::uint64_t retransmissions() const { return retransmissions_; }

 private:
  struct waiting_operation {
    byte_vector operation;
    operation_token token = 0;
    microseconds_t since = 0;
  };

  struct open_request {
    frame_ptr frame;
    std::vector<operation_token> tokens;
    /// First answer of each replica.
    std::map<replica_id, request_outcome> outcomes;
    std::map<replica_id, view_number> views;
    /// Replicas that answered with `overloaded`.
    std::set<replica_id> refused_by;
    microseconds_t next_send = 0;
    microseconds_t interval = 0;
    microseconds_t deadline = 0;
  };

  struct open_query {
    frame_ptr frame;
    operation_token token = 0;
    /// Latest answer of each replica.
    std::map<replica_id, operation_result> answers;
    microseconds_t next_send = 0;
    microseconds_t deadline = 0;
  };

  [[nodiscard]] std::optional<client_error> admit(const byte_vector& operation);
  void send_bundles(microseconds_t now, client_effects& out);
  void send_request(std::size_t count, microseconds_t now, client_effects& out);
  void resend_late(microseconds_t now, client_effects& out);
  void finish(timestamp when, const request_outcome& outcome, client_effects& out);
  void fail(open_request& request, client_error error, client_effects& out);
  void learn_view(const open_request& request, const request_outcome& agreed);
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] std::optional<replica_id> receiver_of(timestamp when) const;

  cluster_parameters cluster_;
  client_id self_;
  const authenticator* keys_;
  client_settings settings_;
  timestamp next_;
  view_number view_;
  std::deque<waiting_operation> waiting_;
  std::map<timestamp, open_request> requests_;
  std::map<timestamp, open_query> queries_;
  std::size_t operations_pending_ = 0;
  std::uint64_t retransmissions_ = 0;
  std::set<replica_id> closed_links_;
};

}  // namespace hypermesh
