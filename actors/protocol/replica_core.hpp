#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/divergence.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/look_ahead.hpp"
#include "actors/protocol/prepared_set.hpp"
#include "actors/protocol/probation.hpp"
#include "actors/protocol/recovery.hpp"
#include "actors/protocol/slot_log.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A replica of PBFT: the normal case (§4.2), the water marks of §4.3, the way from view to view of §4.4 and the
/// retransmission of TOCS '02 §5.2. Pure: `event → effects`; what it is given was verified. The
/// single writer of view, status, slots, P, h, H and last executed. When to leave a view is not its business.
/// Memory: L slots (see `slot_log`), P, the bodies above h, a bounded look-ahead, the last NEW-VIEW, and the batches
/// that wait for a sequence inside the window, which the batcher bounds by its pipeline depth.
class replica_core {
 public:
  /// `keys` signs as `self` and outlives the core.
  replica_core(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// Takes over what the last run of this replica promised and knew. Before anything else.
  void restore(const recovered_replica& past);

  /// The first word of a replica: what it lacks, and votes that a restart made possible.
  [[nodiscard]] replica_effects on_start();

  /// The batcher has cut a batch to be proposed in `view`; it comes to nothing when that is over.
  [[nodiscard]] replica_effects on_batch(view_number view, std::shared_ptr<const batch> content);

  /// PRE-PREPARE, PREPARE, COMMIT, NEW-VIEW or STATUS of `sender`.
  [[nodiscard]] replica_effects on_message(principal sender, const message& value);

  /// §4.4: leave the present view for `to`. Nothing happens when `to` is not ahead, or while this replica may not; it
  /// is asked again.
  [[nodiscard]] replica_effects on_change_view(view_number to);

  /// This replica is the primary of `opened`, which rests on a quorum of VIEW-CHANGEs.
  [[nodiscard]] replica_effects on_new_view_built(const new_view& opened);

  /// §4.3: a quorum proved the state after a sequence.
  [[nodiscard]] replica_effects on_stable(std::shared_ptr<const checkpoint_certificate> certificate);

  /// The executor has the state after `sequence`, which ends a checkpoint period.
  [[nodiscard]] replica_effects on_taken(sequence_number sequence);

  /// The state of `proof`, after `sequence`, is in place. When it replaces one that had diverged, what follows it is
  /// handed over again.
  [[nodiscard]] replica_effects on_installed(sequence_number sequence,
                                             std::shared_ptr<const checkpoint_certificate> proof);

  /// This replica's state after `sequence` is not the certified one: it says nothing until a certified one is installed
  /// (attack 27). The news may be older than the state in place.
  [[nodiscard]] replica_effects on_diverged(sequence_number sequence);

  /// A readmission needs sequences through here.
  [[nodiscard]] replica_effects on_advance(sequence_number through);

  /// The status period has passed.
  [[nodiscard]] replica_effects on_tick();

  [[nodiscard]] view_number view() const { return view_; }
  /// False from leaving a view until the NEW-VIEW of `view()` is accepted.
  [[nodiscard]] bool is_active() const { return active_; }
  [[nodiscard]] replica_id primary() const { return group_.primary_of(view_); }
  [[nodiscard]] bool is_primary() const { return primary() == self_; }
  /// Everything up to here is committed in this view, or stable.
  [[nodiscard]] sequence_number last_decided() const { return last_decided_; }
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  [[nodiscard]] const watermarks& marks() const { return log_.marks(); }
  /// How often its state was wrong and has been replaced; it hears nothing meanwhile.
  [[nodiscard]] std::uint64_t repairs() const { return divergence_.repairs(); }

 private:
  // §4.2, in the order of the phases.
  void propose(std::shared_ptr<const batch> body, replica_effects& out);
  void propose_waiting(replica_effects& out);
  void propose_null_requests(replica_effects& out);
  void take(replica_id from, const message& value, replica_effects& out);
  void accept(replica_id from, const pre_prepare& proposal, replica_effects& out);
  void fill(const signed_statement& header, std::shared_ptr<const batch> body, frame_ptr raw, replica_effects& out);
  void prepare_slot(sequence_number sequence, replica_effects& out);
  void take_vote(message_kind kind, const signed_statement& vote, replica_effects& out);
  void advance(sequence_number sequence, replica_effects& out);
  void execute_ready(replica_effects& out);
  [[nodiscard]] bool has_hole() const;
  [[nodiscard]] bool is_decided(sequence_number sequence) const;

  [[nodiscard]] bool may_prepare() const;
  void end_probation(replica_effects& out);
  [[nodiscard]] std::optional<view_number> view_to_ask_for() const;
  void wish(replica_effects& out) const;
  void catch_up(replica_effects& out);
  void hear_status(const status& value, replica_effects& out);

  void restore_view(const recovered_replica& past);
  void restore_slots(const recovered_replica& past);

  // §4.4.
  void adopt_plan(const new_view& opened);
  void learn_checkpoint(replica_effects& out) const;
  void change_view(view_number to, replica_effects& out);
  void leave_view(view_number to);
  void enter_view(const new_view& opened, replica_effects& out);
  [[nodiscard]] bool lacks_body() const;
  void ask_for_bodies(replica_effects& out) const;
  void repropose(replica_effects& out);
  void take_early(replica_effects& out);

  // §4.3 and TOCS '02 §5.2.
  void adopt_stable(replica_effects& out);
  void move_low(std::shared_ptr<const checkpoint_certificate> proof, replica_effects& out);
  void cut_log(sequence_number stable, replica_effects& out);
  void answer_status(const status& value, replica_effects& out);
  void send_status(replica_effects& out) const;

  [[nodiscard]] std::optional<rejection> check_place(const statement& content) const;
  [[nodiscard]] signed_statement sign(message_kind kind, sequence_number sequence, const digest& value) const;
  void vote(message_kind kind, const signed_statement& own, replica_effects& out) const;
  void reject(replica_id sender, rejection reason, replica_effects& out) const;
  void report_progress(replica_effects& out) const;

  cluster_parameters cluster_;
  group_size group_;
  replica_id self_;
  const authenticator* keys_;

  view_number view_;
  bool active_ = true;
  slot_log log_;
  prepared_set prepared_;
  body_store bodies_;
  look_ahead early_;
  /// Of the view that is entered: below or at `min_s_` nothing is proposed in it, and what O names is proposed as
  /// named.
  sequence_number min_s_;
  std::shared_ptr<const checkpoint_certificate> min_s_proof_;
  std::map<sequence_number, signed_statement> reproposals_;
  /// The NEW-VIEW of the view that is entered, or the own VIEW-CHANGE for the view that is not; nothing in view 0.
  frame_ptr view_proof_;
  std::uint64_t view_left_at_tick_ = 0;

  /// Handed to the executor, in order.
  sequence_number last_executed_;
  /// The last state that the executor is known to have: it may lag behind what was handed to it, by a window at most.
  sequence_number taken_;
  sequence_number last_decided_;
  /// The primary's last sequence.
  sequence_number last_proposed_;
  std::deque<std::shared_ptr<const batch>> waiting_;
  /// Through here sequences are needed, also if nobody asks for anything.
  sequence_number advance_through_;
  /// Null requests of this view that were proposed and not executed.
  std::deque<sequence_number> null_requests_;
  /// The own state is wrong.
  divergence divergence_;
  /// While it lasts, this replica may not say everything.
  std::optional<probation> probation_;

  /// Proof of h; sent to who lags.
  std::shared_ptr<const checkpoint_certificate> stable_;
  /// A proof beyond what this replica has executed.
  std::shared_ptr<const checkpoint_certificate> ahead_;
  /// Progress at the last tick, and for how many ticks `ahead_` was out of reach.
  sequence_number executed_at_tick_;
  sequence_number decided_at_tick_;
  unsigned ticks_behind_ = 0;
  std::uint64_t ticks_ = 0;
  /// Replicas whose STATUS was answered since the last tick.
  std::set<replica_id> answered_;
  /// The last STATUS of those who asked this primary while it lacked a body that O names.
  std::map<replica_id, status> unanswered_;
};

}  // namespace hypermesh
