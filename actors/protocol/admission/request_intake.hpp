#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/admission/forwarding_schedule.hpp"
#include "actors/protocol/admission/pipeline_gauge.hpp"
#include "actors/protocol/admission/request_pool.hpp"
#include "actors/protocol/admission/vouch_board.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"

namespace hypermesh::protocol {

/// The reply that the client of a request gets at once, without ordering.
enum class immediate_answer {
  none,
  /// The request was executed before. The client gets the cached reply again.
  earlier_reply,
  /// The replica has no room for the request.
  overloaded,
};

/// The effects of one request that arrived.
struct intake_effects {
  /// Pending requests that made room for this one. Their clients get a reply that refuses them.
  std::vector<request_reference> displaced;
  /// The request opens a session. If it is executed, the results of the session are sent on the link on which the
  /// request arrived.
  bool routes_session = false;
  /// This replica is the primary, and batches may be due.
  bool cuts_batches = false;
  /// The request is forwarded to the primary now.
  bool forwards = false;
  /// The caller must call `on_waited` for the request after this time.
  std::optional<duration> looks_again_in;
  /// The client exceeded its quota of pending requests.
  bool exceeds_share = false;
  std::optional<frame_rejected> refused;
  /// Two conflicting requests that the client signed.
  std::optional<evidence> contradiction;
  immediate_answer answer = immediate_answer::none;
};

/// A request that waited for VOUCHes, and the effects of its admission.
struct late_admission {
  request value;
  intake_effects effects;
};

/// A batch that this replica has executed.
struct executed_batch {
  /// The view in which it was committed.
  view_number view;
  const std::vector<executed_request>& requests;
  /// The names of its system requests.
  std::vector<case_name> cases;
  /// As in `committed_batch`.
  std::optional<duration> lateness;
};

/// Decides for each request that arrives whether it is answered at once, kept as pending, or refused, and when a backup
/// forwards it to the primary (§4.1: "backups … relay the request to the primary"). Pure; `request_pool` decides which
/// requests have room.
///
/// If a backup forwarded every request at once, it would double the load of the primary, because clients send requests
/// to the primary too. So a backup waits, and forwards only the requests that are still pending. Example with replica 2
/// as a backup of primary 0:
/// 1. A request arrives. It is checked again after the time that `forwarding_schedule` gives.
/// 2. The request is still pending, so it is forwarded. Its wait before this moment does not count against the primary
///    (attack 32).
/// 3. The request is still pending at the next check, so it is forwarded again, because the primary may have had no
///    room for it. After that it is forwarded only while it is the oldest request of its client.
/// Within a view a request is forwarded at once only if it came from a client: when the client repeats it, or believes
/// that this replica is the primary. Because of this rule two replicas never forward a request to each other in a loop.
/// At the start of a view all pending requests that `request_pool::pending` returns are forwarded once.
///
/// If clients do not sign requests, a request becomes pending only after it is certified (`vouch_board`). Then this
/// class also says which batches of a primary have only authentic requests.
///
/// Memory: one count for each request that is pending, or was pending at its last check, `pipeline_gauge`, and with
/// unsigned requests `vouch_board` and one batch for each sequence number of the watermark window.
class request_intake {
 public:
  /// `pool` must outlive this object.
  request_intake(const cluster_parameters& cluster, replica_id self, const authenticator& keys, request_pool& pool)
      : group_(cluster.group()), self_(self), forwarding_(cluster, self, keys), pool_(&pool) {
    if (cluster.requests_by == request_authentication::authenticator) board_.emplace(group_, self);
  }

  /// A verified request arrived on the link of `sender`.
  [[nodiscard]] intake_effects on_request(principal sender, const request& value, moment now);
  /// As `request_pool::contradiction_with`.
  [[nodiscard]] std::optional<evidence> contradiction_with(const request& value);

  /// A VOUCH arrived on the link of `sender`. Returns the requests that it certifies.
  [[nodiscard]] std::vector<late_admission> on_vouch(replica_id sender, const vouch& value, moment now);
  /// The requests for which this replica vouches since the last call.
  [[nodiscard]] std::vector<request_reference> take_vouches();
  [[nodiscard]] bool has_vouches() const { return board_ && board_->has_vouches(); }
  /// The replica core has accepted the batch of a primary. `take_proven` returns it once all its requests are
  /// authentic.
  void on_unproven(proposed_batch proposed) {
    unproven_.insert_or_assign(proposed.sequence, unproven_batch{std::move(proposed)});
  }
  [[nodiscard]] std::vector<proposed_batch> take_proven();

  /// The evidence pool of this replica has a system request to be ordered. A system request has no reply.
  [[nodiscard]] intake_effects on_system_request(const system_request& value, moment now);

  /// The result of a later check. Both members are empty if the request is no longer pending.
  struct second_look {
    bool forwards = false;
    std::optional<duration> looks_again_in;
  };
  [[nodiscard]] second_look on_waited(ordered_id id, moment now);
  /// The caller must call `on_waited` for this pending request after this time; nothing if it has to do so already.
  [[nodiscard]] std::optional<duration> watch(ordered_id id);

  /// The next batch of this replica, as the primary, with `clock` as its time: the reading of the own wall clock.
  /// Nothing at a backup, and while no batch is due (`request_pool::cut`, `pipeline_gauge`).
  [[nodiscard]] std::optional<cut_batch> cut(bool delay_passed, wall_time clock, moment now);
  /// Whether the primary has to call `cut` when the batch delay has passed. While the pipeline is full, the next batch
  /// is cut when one was executed, so no timer is needed.
  [[nodiscard]] bool awaits_delay() const {
    return is_primary() && pool_->has_waiting() && pool_->in_flight() < depth();
  }

  void on_executed(const executed_batch& done, moment now);

  /// A view was entered. Returns the pending requests to forward to its primary; none if this replica is the primary.
  /// The caller must call `watch` for each of them, because the primary may have no room for it yet.
  [[nodiscard]] pending_requests on_view(view_number view, moment now);

  [[nodiscard]] view_number view() const { return view_; }
  [[nodiscard]] replica_id primary() const { return group_.primary_of(view_); }
  [[nodiscard]] bool is_primary() const { return primary() == self_; }

  /// A request that is not the oldest of its client is forwarded at no more than this many checks.
  static constexpr std::size_t forwards_max = 2;

 private:
  /// A batch, and how many of its requests were found authentic.
  struct unproven_batch {
    proposed_batch proposed;
    std::size_t proven = 0;
  };

  [[nodiscard]] bool awaits_vouches(principal sender, const request& value, moment now, intake_effects& out);
  [[nodiscard]] bool is_authentic(const request& value) const;
  void admit(principal sender, const request& value, moment now, intake_effects& out);
  [[nodiscard]] std::size_t depth() const { return gauge_.depth(pool_->pipeline_depth()); }
  void keep(principal sender, request_id id, moment now, intake_effects& out);
  void repeat(principal sender, request_id id, moment now, intake_effects& out);
  void refuse(principal sender, rejection reason, intake_effects& out) const;

  group_size group_;
  replica_id self_;
  forwarding_schedule forwarding_;
  request_pool* pool_;
  pipeline_gauge gauge_;
  view_number view_;
  /// Empty if clients sign their requests.
  std::optional<vouch_board> board_;
  std::map<sequence_number, unproven_batch> unproven_;
  /// The requests for which a timer runs, with the number of checks so far.
  std::map<ordered_id, std::size_t> looks_;
};

}  // namespace hypermesh::protocol
