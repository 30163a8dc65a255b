#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/readmission_ledger.hpp"
#include "actors/protocol/service_judge.hpp"
#include "actors/protocol/view_change_settings.hpp"

namespace hypermesh {

/// What one step of `view_change_set` wants.
struct view_change_effects {
  std::vector<outgoing_message> sends;
  /// The replica is to leave its view for this one.
  std::optional<view_number> change_to;
  /// The own NEW-VIEW, for the replica to send.
  std::shared_ptr<const new_view> opened;
  std::vector<observation> observations;
};

/// Who wants to leave which view, and how patient this replica still is (§4.4). Pure; the single writer of SUSPICIONs,
/// VIEW-CHANGEs, time-outs and their doubling. What it is given was verified. The replica decides what a view change
/// means; this class only when one is due.
///
/// Differs from §4.4 because one slow backup must not fall out of a view that works: a replica that suspects the
/// primary says so in a SUSPICION and goes on taking part; it leaves the view, for which there is no way back, once f+1
/// replicas want to. Safety rests on VIEW-CHANGEs alone, which are sent after leaving as in the paper.
/// Memory: for each replica one SUSPICION and one VIEW-CHANGE.
class view_change_set {
 public:
  view_change_set(const cluster_parameters& cluster, replica_id self, const authenticator& keys,
                  const view_change_settings& settings);

  /// Where the last run of this replica was; `own` is its VIEW-CHANGE when it waited for the view.
  void restore(view_number view, std::shared_ptr<const view_change> own, sequence_number low_watermark);

  /// This replica lost its disk and may not leave its view now: who could not follow does not ask others to go.
  void abstain() { abstains_ = true; }

  /// How the primary serves its clients, as a backup sees it. A replica that is waiting for a view, or leads it, judges
  /// nobody.
  [[nodiscard]] view_change_effects on_service(const service_report& report, microseconds_t now);
  /// Whom nobody should follow: such a primary is suspected at once, and nobody waits for its NEW-VIEW. Its views are
  /// not skipped: what a replica that lost its disk may say rests on VIEW-CHANGEs going up one by one (`probation`).
  [[nodiscard]] view_change_effects on_trust(const std::vector<replica_id>& shunned, microseconds_t now);
  /// What the group agreed on: sequences that are to pass, and views that all leave together. `stepped_down` are
  /// views whose primaries give them up; of one that is neither this view nor the next nothing is kept. A hand-over is
  /// no suspicion: nobody is blamed, and nobody gets more patient by it. The views between are left one by one as well,
  /// because what a replica that lost its disk may say rests on that
  /// (`probation`), but nobody waits for them to be opened.
  ///
  /// A hand-over that the batch `at` agreed on is carried out at the end of its checkpoint period. Example with K = 128
  /// and a hand-over at 300: VIEW-CHANGEs that are sent at once prove 44 prepared batches, from 257 on, and the new view
  /// has all of them agreed on again before it serves anybody. Once the checkpoint at 384 is stable they prove the few
  /// batches that followed it. No replica waits longer than a request may wait.
  [[nodiscard]] view_change_effects on_moves(const agreed_moves& moves, const std::vector<view_number>& stepped_down,
                                             sequence_number at, microseconds_t now);
  /// h of this replica moved.
  [[nodiscard]] view_change_effects on_low_watermark(sequence_number low, microseconds_t now);
  /// This replica had lost its disk and is a full member again.
  void on_readmitted() { abstains_ = false; }
  /// This replica's own judgement of the present primary.
  [[nodiscard]] view_change_effects on_suspected(suspicion_reason reason, microseconds_t now);
  /// It was wrong, or the primary has made up for it: nothing is held against the primary now.
  void on_satisfied();
  [[nodiscard]] view_change_effects on_suspicion(const signed_statement& vote, microseconds_t now);
  [[nodiscard]] view_change_effects on_view_change(std::shared_ptr<const view_change> change, microseconds_t now);

  /// The replica left its view; `own` says for which.
  [[nodiscard]] view_change_effects on_left(std::shared_ptr<const view_change> own, microseconds_t now);
  [[nodiscard]] view_change_effects on_entered(view_number view, microseconds_t now);
  void on_link_changed(replica_id replica, bool up);

  /// Time-outs, doubling and retransmission.
  [[nodiscard]] view_change_effects on_tick(microseconds_t now);

  [[nodiscard]] view_number view() const { return view_; }
  [[nodiscard]] bool is_active() const { return active_; }
  [[nodiscard]] replica_id primary() const { return group_.primary_of(view_); }
  /// How long a request may wait now before the primary is suspect.
  [[nodiscard]] microseconds_t request_timeout() const;
  [[nodiscard]] unsigned doublings() const { return doublings_; }

 private:
  [[nodiscard]] microseconds_t new_view_timeout() const;
  void suspect(suspicion_reason reason, microseconds_t now, view_change_effects& out);
  void join(microseconds_t now, view_change_effects& out) const;
  void suspect_shunned(microseconds_t now, view_change_effects& out);
  [[nodiscard]] std::map<replica_id, view_number> wanted_views(microseconds_t now) const;
  [[nodiscard]] std::size_t changes_from(view_number view) const;
  void open(microseconds_t now, view_change_effects& out);
  [[nodiscard]] std::vector<std::shared_ptr<const view_change>> changes_for(view_number view) const;
  [[nodiscard]] std::shared_ptr<const new_view> build(
      const std::vector<std::shared_ptr<const view_change>>& changes) const;
  void follow_moves(microseconds_t now, view_change_effects& out) const;
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
  /// The highest view that each other replica has asked for by a SUSPICION, and when it said so last.
  struct suspicion_heard {
    view_number wanted;
    microseconds_t at = 0;
  };
  std::map<replica_id, suspicion_heard> suspicions_;
  /// The VIEW-CHANGE of the highest view of each replica (attack 19).
  std::map<replica_id, std::shared_ptr<const view_change>> changes_;
  std::set<replica_id> closed_links_;
  /// Sorted.
  std::vector<replica_id> shunned_;
  service_judge judge_;
  agreed_moves moves_;
  /// The view before this one, this one, and the one after it, if their primaries gave them up.
  std::set<view_number> stepped_down_;
  sequence_number low_watermark_;
  /// The last hand-over is due when h is here, or at this time.
  sequence_number hand_over_at_;
  microseconds_t hand_over_by_ = 0;

  unsigned doublings_ = 0;
  /// The views on the way to which patience grew, each with the view that was entered last before; at most one for each
  /// doubling.
  struct growth {
    view_number to;
    view_number from;
  };
  std::vector<growth> grown_;
  /// The last view that was entered, and when.
  view_number entered_view_;
  microseconds_t entered_at_ = 0;
  microseconds_t calm_since_ = 0;
  microseconds_t suspicion_sent_at_ = 0;
  /// When a quorum of VIEW-CHANGEs for the view was there: from then on the new primary's time runs (attack 20).
  std::optional<microseconds_t> quorum_at_;
};

}  // namespace hypermesh
