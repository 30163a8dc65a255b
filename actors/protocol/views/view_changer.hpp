#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/readmission_ledger.hpp"
#include "actors/protocol/views/new_view.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "actors/protocol/views/view_change_settings.hpp"

namespace hypermesh::protocol {

/// The effects of one step of `view_changer`.
struct view_change_effects {
  std::vector<outgoing_message> sends;
  /// The later view for which the replica has to leave its view. Nothing if the replica stays in its view.
  std::optional<view_number> change_to;
  /// The NEW-VIEW that this replica sends as the primary of a new view. Null if there is none.
  std::shared_ptr<const planned_new_view> opened;
  std::vector<observation> observations;
};

/// Decides when this replica leaves its view, and builds the NEW-VIEW of a view that it leads (§4.4). It owns the
/// collected SUSPICIONs and VIEW-CHANGEs, the time-outs and their doubling. Pure. Its inputs were verified before. This
/// class only decides when a view change is due; `replica_core` carries it out.
///
/// Differs from §4.4 because one slow backup must not drop out of a view that works: a replica that suspects the
/// primary sends a SUSPICION and still takes part in the view. It leaves the view only when f + 1 replicas want to
/// leave, because it cannot return. Safety depends only on VIEW-CHANGEs, which a replica sends after it has left its
/// view, as in the paper.
///
/// Memory: one SUSPICION and one VIEW-CHANGE for each replica, and step-downs of at most three views.
class view_changer {
 public:
  view_changer(const cluster_parameters& cluster, replica_id self, const authenticator& keys,
               const view_change_settings& settings);

  /// Takes over the position of the last run. `own` is the VIEW-CHANGE of this replica if it waited for the view.
  void restore(view_number view, std::shared_ptr<const view_change> own, sequence_number low_watermark);

  /// This replica lost its disk and may not leave its view at present. It does not ask other replicas to leave, because
  /// it could not follow them.
  void abstain() { abstains_ = true; }

  /// Judges the primary by the measurements of this backup. Does nothing while this replica waits for a NEW-VIEW or is
  /// the primary itself.
  [[nodiscard]] view_change_effects on_service(const service_report& report, moment now);
  /// Sets the replicas to avoid as primaries, in ascending order. This replica suspects such a primary at once and does
  /// not wait for its NEW-VIEW. The views of such a primary are not skipped, because the votes of a replica that lost
  /// its disk are safe only if other replicas leave for one view after the other (`probation`).
  [[nodiscard]] view_change_effects on_trust(const std::vector<replica_id>& avoided_as_primary, moment now);
  /// The moves that the group agreed on: sequence numbers to order, and views that all replicas leave together.
  /// `stepped_down` contains views whose primaries step down. Only the previous, the present and the next view are
  /// remembered, because a faulty primary can step down from views that no replica will ever reach. The previous view
  /// is needed if this replica followed the others into the next view before it executed the hand-over itself: the
  /// time-outs that doubled for this view change are then halved again.
  ///
  /// A hand-over does not count as a suspicion of the primary, and it does not make time-outs longer. If several views
  /// are left, the replica leaves them one by one (`probation`), but does not wait for the NEW-VIEWs of the views in
  /// between.
  ///
  /// A hand-over that the batch `at` agreed on is carried out when the checkpoint that ends its checkpoint period is
  /// stable. Example with K = 128 and a hand-over at 300: VIEW-CHANGEs that are sent at once prove 44 prepared batches,
  /// from 257 on, and the new view agrees on all of them again before it serves a client. Once the checkpoint at 384 is
  /// stable, VIEW-CHANGEs prove only the few batches after it. A replica waits for that checkpoint no longer than a
  /// request may wait.
  [[nodiscard]] view_change_effects on_moves(const agreed_moves& moves, const std::vector<view_number>& stepped_down,
                                             sequence_number at, moment now);
  /// h of this replica moved, so a hand-over may be due.
  [[nodiscard]] view_change_effects on_low_watermark(sequence_number low, moment now);
  /// This replica had lost its disk and is a full member again.
  void on_readmitted() { abstains_ = false; }
  /// This replica itself suspects the present primary.
  [[nodiscard]] view_change_effects on_suspected(suspicion_reason reason, moment now);
  /// The suspicion was wrong, or the primary serves well again: this replica withdraws it. A suspicion of a primary
  /// that has to be avoided is not withdrawn.
  void on_satisfied();
  /// A SUSPICION or a VIEW-CHANGE of another replica.
  [[nodiscard]] view_change_effects on_suspicion(const signed_statement& vote, moment now);
  [[nodiscard]] view_change_effects on_view_change(std::shared_ptr<const view_change> change, moment now);

  /// The replica left its view for the one that its VIEW-CHANGE `own` names.
  [[nodiscard]] view_change_effects on_left(std::shared_ptr<const view_change> own, moment now);
  [[nodiscard]] view_change_effects on_entered(view_number view, moment now);
  void on_link_changed(replica_id replica, bool up);

  /// Handles time-outs, their doubling, and retransmissions that are due.
  [[nodiscard]] view_change_effects on_tick(moment now);

  /// Says whether nothing can become due before other actors have news: no client waits, nothing was executed for
  /// `calm_before_rest`, and no view change, hand-over or readmission is under way. While this holds, `on_tick` and
  /// `on_service` may be called seldom.
  [[nodiscard]] bool may_rest(moment now) const;
  static constexpr duration calm_before_rest = std::chrono::seconds{1};

  [[nodiscard]] view_number view() const { return view_; }
  [[nodiscard]] bool is_active() const { return active_; }
  [[nodiscard]] replica_id primary() const { return group_.primary_of(view_); }
  /// How long a request may wait at present before the primary is suspected.
  [[nodiscard]] duration request_timeout() const;
  /// How many times the time-outs are doubled at present, for tests.
  [[nodiscard]] unsigned doublings() const { return doublings_; }

 private:
  [[nodiscard]] duration new_view_timeout() const;
  void suspect(suspicion_reason reason, moment now, view_change_effects& out);
  void join(moment now, view_change_effects& out) const;
  void suspect_avoided_as_primary(moment now, view_change_effects& out);
  [[nodiscard]] std::map<replica_id, view_number> wanted_views(moment now) const;
  [[nodiscard]] std::size_t changes_from(view_number view) const;
  void open(moment now, view_change_effects& out);
  [[nodiscard]] std::vector<std::shared_ptr<const view_change>> changes_for(view_number view) const;
  [[nodiscard]] std::shared_ptr<const planned_new_view> build(
      const std::vector<std::shared_ptr<const view_change>>& changes) const;
  /// Whether the group agreed to leave the present view, although no replica suspects its primary.
  [[nodiscard]] bool is_to_be_left() const {
    return view_ < moves_.least_view || (active_ && stepped_down_.contains(view_));
  }
  void follow_moves(moment now, view_change_effects& out) const;
  void send_suspicion(view_change_effects& out) const;
  [[nodiscard]] bool is_planned(view_number to) const;
  void take_back_patience(bool is_late);
  void grow_patience();

  cluster_parameters cluster_;
  group_size group_;
  replica_id self_;
  const authenticator* keys_;
  view_change_settings settings_;

  view_number view_;
  bool active_ = true;
  bool abstains_ = false;
  bool suspected_ = false;
  bool built_ = false;
  /// The highest view that each other replica has asked for by a SUSPICION, and when that SUSPICION came last.
  struct suspicion_heard {
    view_number wanted;
    moment at{};
  };
  std::map<replica_id, suspicion_heard> suspicions_;
  /// The VIEW-CHANGE for the highest view of each replica (attack 19).
  std::map<replica_id, std::shared_ptr<const view_change>> changes_;
  std::set<replica_id> closed_links_;
  /// In ascending order.
  std::vector<replica_id> avoided_as_primary_;
  primary_monitor monitor_;
  agreed_moves moves_;
  /// The views among the previous, the present and the next one whose primaries stepped down.
  std::set<view_number> stepped_down_;
  sequence_number low_watermark_;
  /// The last hand-over is carried out when h reaches this sequence number, or at this time.
  sequence_number hand_over_at_;
  moment hand_over_by_{};

  unsigned doublings_ = 0;
  /// The view changes that doubled the time-outs: the new view, and the last view that was entered before. At most one
  /// for each doubling.
  struct growth {
    view_number to;
    view_number from;
  };
  std::vector<growth> grown_;
  /// The last view that was entered, and when.
  view_number entered_view_;
  moment entered_at_{};
  /// Start of the present calm period: the view was entered, the last suspicion ended, or a doubling was taken back.
  moment calm_since_{};
  moment suspicion_sent_at_{};
  /// When a report showed last that a client waits, or that requests were executed; or when the view was entered, or
  /// the group agreed on a move.
  moment busy_at_{};
  std::uint64_t executed_ = 0;
  /// When a quorum of VIEW-CHANGEs for the view or for later views was complete. The time-out for the new primary
  /// starts then (attack 20).
  std::optional<moment> quorum_at_;
};

}  // namespace hypermesh::protocol
