#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/client_outcome.hpp"
#include "actors/protocol/client_session.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/reply_watch.hpp"
#include "messages/values.hpp"

namespace hypermesh {

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
/// knows, again to all when replies are late, and accepts a result that f+1 distinct replicas gave to this very request
/// (attack 5).
///
/// All requests are those of one session, which is opened before the first operation is sent. In an ordered session the
/// replicas execute them in the order of their timestamps, so none is given up before it is executed: one that timed
/// out is sent again until it is, or the session ends.
///
/// Memory: `operations_pending_max` operations and n outcomes for each request under way.
class client_core {
 public:
  /// `session` is the first number to try. For session 0, which is always open and independent, `first` must exceed
  /// every timestamp that was used in it before (attack 25); in every other it is 1.
  client_core(const cluster_parameters& cluster, client_id self, const authenticator& keys, client_settings settings,
              timestamp first, session_id session = {});

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
  [[nodiscard]] session_id session() const { return session_.id(); }
  /// What a reply to the request has to name; nothing when it is not under way.
  [[nodiscard]] std::optional<digest> content_of(timestamp when) const;
  /// Requests that were sent again; a measure of loss and overload.
  [[nodiscard]] std::uint64_t retransmissions() const { return retransmissions_; }
  /// Replicas that gave other results than f+1 did, and how many.
  [[nodiscard]] const std::map<replica_id, std::uint64_t>& wrong_replies() const { return watch_.wrong_replies(); }

 private:
  struct waiting_operation {
    byte_vector operation;
    operation_token token = 0;
    microseconds_t since = 0;
  };

  struct open_request {
    frame_ptr frame;
    /// Empty for the opening of the session, and when everybody who waited was told of a time-out.
    std::vector<operation_token> tokens;
    digest content;
    /// First answer of each replica.
    std::map<replica_id, request_outcome> outcomes;
    std::map<replica_id, view_number> views;
    /// Replicas that answered with `overloaded`.
    std::set<replica_id> refused_by;
    /// Replicas that say that the session has ended.
    std::set<replica_id> ended_by;
    /// Replicas that executed another request with this name.
    std::set<replica_id> taken_by;
    /// It was sent to everybody because it was late, before it is time for a retransmission.
    bool is_hinted = false;
    microseconds_t sent_at = 0;
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
  void open_session(microseconds_t now, client_effects& out);
  void send_request(std::size_t count, microseconds_t now, client_effects& out);
  open_request sign_request(timestamp when, const std::vector<byte_span>& operations, microseconds_t now) const;
  void take_outcome(replica_id from, const reply& value, microseconds_t now, client_effects& out);
  void on_session_ended(replica_id from, const reply& value, microseconds_t now, client_effects& out);
  void on_name_taken(replica_id from, timestamp when, microseconds_t now, client_effects& out);
  void resend_queries(microseconds_t now, client_effects& out);
  void resend_late(microseconds_t now, client_effects& out);
  void finish(timestamp when, const request_outcome& outcome, client_effects& out);
  void fail(open_request& request, client_error error, client_effects& out);
  void learn_view(const open_request& request, const request_outcome& agreed);
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] std::optional<replica_id> receiver_of(timestamp when, microseconds_t now);
  [[nodiscard]] bool is_sampled(timestamp when, microseconds_t now);
  [[nodiscard]] bool is_ordered() const { return session_.mode() == session_mode::ordered; }
  [[nodiscard]] bool is_doubtful(microseconds_t now) const;

  cluster_parameters cluster_;
  client_id self_;
  const authenticator* keys_;
  client_settings settings_;
  client_session session_;
  /// Sent again to whoever links anew: it tells where the session's results go.
  frame_ptr opening_frame_;
  timestamp next_query_{1};
  /// Further requests that go to everybody.
  std::uint64_t sampled_left_ = 0;
  view_number view_;
  std::deque<waiting_operation> waiting_;
  std::map<timestamp, open_request> requests_;
  std::map<timestamp, open_query> queries_;
  std::size_t operations_pending_ = 0;
  std::uint64_t retransmissions_ = 0;
  std::set<replica_id> closed_links_;
  reply_watch watch_;
  /// How long the last result took.
  microseconds_t last_wait_us_ = 0;
};

}  // namespace hypermesh
