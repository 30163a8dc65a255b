#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/client/client_outcome.hpp"
#include "actors/protocol/client/client_session.hpp"
#include "actors/protocol/client/query_collector.hpp"
#include "actors/protocol/client/reply_watch.hpp"
#include "actors/protocol/client/send_window.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The names of an executed operation, which a receipt proves.
struct executed_as {
  request_id id;
  /// `digest_of_request` of the request that contains the operation, and its number in this request.
  digest request;
  std::uint32_t index = 0;
};

struct operation_done {
  operation_token token = 0;
  submit_outcome outcome;
  /// Set if the operation was ordered and has a result.
  std::optional<executed_as> executed = {};
};

struct client_effects {
  /// The frames to send, each to one replica or to all replicas.
  std::vector<outgoing_message> sends;
  std::vector<operation_done> done;
};

/// A client of the replicated service (§4.1). Pure. It signs requests and sends them to the primary, sends them to all
/// replicas when replies are late, and accepts a result that f+1 distinct replicas gave to exactly this request (attack
/// 5).
///
/// All requests belong to one session, which is opened before the first operation is sent. In an ordered session the
/// replicas execute requests in the order of their timestamps, so the client cannot give up a request: it repeats a
/// request that timed out until the request is executed or the session ends.
///
/// Memory: `operations_pending_max` operations, n outcomes for each request under way, and n answers for each query.
class client_core {
 public:
  /// `session` is the first number to try. For session 0, which is always open and independent, `first` must exceed
  /// every timestamp that was used in it before (attack 25). For every other session `first` is 1.
  client_core(const cluster_parameters& cluster, client_id self, const authenticator& keys, client_settings settings,
              timestamp first, session_id session = {});

  [[nodiscard]] client_effects on_submit(byte_vector operation, operation_token token, moment now);
  /// A read that is not ordered, or that is ordered only if the replicas do not agree (see `query_collector`).
  /// `sees_unfinished` is the same as in `query_operation`.
  [[nodiscard]] client_effects on_query(byte_vector operation, operation_token token, read_mode mode,
                                        bool sees_unfinished, moment now);

  /// `from` is the replica at the other end of the authenticated link.
  [[nodiscard]] client_effects on_reply(replica_id from, const reply& value, moment now);
  [[nodiscard]] client_effects on_query_reply(replica_id from, const query_reply& value, moment now);

  /// The link to a replica opened. Frames that were sent while it was closed are lost, so they are sent again.
  [[nodiscard]] client_effects on_link_up(replica_id replica, moment now);
  /// The link to a replica closed. If the replica is the primary, the client sends its open requests to all replicas,
  /// because the backups have to know that a client waits.
  [[nodiscard]] client_effects on_link_down(replica_id replica);

  /// Handles all bundles, retransmissions and deadlines that are due at `now`.
  [[nodiscard]] client_effects on_tick(moment now);

  /// Fails all pending operations and queries.
  [[nodiscard]] client_effects on_stop();

  [[nodiscard]] bool is_idle() const { return requests_.empty() && waiting_.empty() && queries_.pending() == 0; }
  [[nodiscard]] std::size_t operations_pending() const { return operations_pending_; }
  [[nodiscard]] view_number view() const { return view_; }
  [[nodiscard]] session_id session() const { return session_.id(); }
  /// The digest that a reply to this request has to contain; nothing if the request is not under way.
  [[nodiscard]] std::optional<digest> content_of(timestamp when) const;
  /// The operations in this request that have no result yet, in their order; none if the request is not under way.
  [[nodiscard]] std::vector<operation_token> tokens_of(timestamp when) const;
  /// Number of requests that were sent again; a measure of loss and overload.
  [[nodiscard]] std::uint64_t retransmissions() const { return retransmissions_; }
  /// Number of linearizable reads that were ordered.
  [[nodiscard]] std::uint64_t reads_ordered() const { return reads_ordered_; }
  /// For each replica, the number of its results that differ from the result of f+1 replicas.
  [[nodiscard]] const std::map<replica_id, std::uint64_t>& wrong_replies() const { return watch_.wrong_replies(); }

 private:
  struct waiting_operation {
    byte_vector operation;
    operation_token token = 0;
    moment since{};
  };

  struct open_request {
    frame_ptr frame;
    /// One token for each operation. Empty for the opening of the session, and after all operations of the request have
    /// timed out.
    std::vector<operation_token> tokens;
    digest content;
    /// The first answer of each replica.
    std::map<replica_id, request_outcome> outcomes;
    std::map<replica_id, view_number> views;
    /// Replicas that answered with `overloaded`.
    std::set<replica_id> refused_by;
    /// Replicas that answered with `session_ended`.
    std::set<replica_id> ended_by;
    /// Replicas that executed another request with this name.
    std::set<replica_id> taken_by;
    /// The request was sent again to all replicas: as a retransmission, or earlier, because the whole session waits for
    /// it.
    bool is_hinted = false;
    moment sent_at{};
    moment next_send{};
    duration interval{};
    moment deadline{};
  };

  [[nodiscard]] std::optional<client_error> admit(const byte_vector& operation);
  void send_bundles(moment now, client_effects& out);
  void open_session(moment now, client_effects& out);
  void send_request(std::size_t count, moment now, client_effects& out);
  open_request sign_request(timestamp when, const std::vector<byte_span>& operations, moment now) const;
  void take_outcome(replica_id from, const reply& value, moment now, client_effects& out);
  void on_session_ended(replica_id from, const reply& value, moment now, client_effects& out);
  void on_name_taken(replica_id from, timestamp when, moment now, client_effects& out);
  void resend_late(moment now, client_effects& out);
  void finish(timestamp when, const request_outcome& outcome, client_effects& out);
  void fail(open_request& request, client_error error, client_effects& out);
  void take(query_effects effects, moment now, client_effects& out);
  void order_read(operation_token token, byte_vector operation, moment now, client_effects& out);
  void conclude(operation_token token, submit_outcome outcome, client_effects& out,
                std::optional<executed_as> executed = std::nullopt);
  void learn_view(const open_request& request, const request_outcome& agreed);
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] std::optional<replica_id> receiver_of(timestamp when, moment now);
  [[nodiscard]] bool is_sampled(timestamp when, moment now);
  [[nodiscard]] bool is_ordered() const { return session_.mode() == session_mode::ordered; }
  [[nodiscard]] bool is_doubtful(moment now) const;

  cluster_parameters cluster_;
  client_id self_;
  const authenticator* keys_;
  client_settings settings_;
  client_session session_;
  /// The frame of the opening. It is sent again on each link that opens, because the replica sends the results of a
  /// session on the link on which it received the opening.
  frame_ptr opening_frame_;
  /// The number of further requests that belong to the present sample and are sent to all replicas.
  std::uint64_t sampled_left_ = 0;
  view_number view_;
  std::deque<waiting_operation> waiting_;
  std::map<timestamp, open_request> requests_;
  send_window window_;
  query_collector queries_;
  /// Linearizable reads that wait or are under way as ordered requests. No later read has to wait for them.
  std::set<operation_token> reads_;
  std::size_t operations_pending_ = 0;
  std::uint64_t retransmissions_ = 0;
  std::uint64_t reads_ordered_ = 0;
  std::set<replica_id> closed_links_;
  reply_watch watch_;
  /// For the last result: the time between the first sending of its request and the result.
  duration last_wait_{};
  /// When the last request got its result; nothing before the first one.
  std::optional<moment> answered_at_;
};

}  // namespace hypermesh::protocol
