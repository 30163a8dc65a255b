#pragma once

#include <memory>
#include <optional>
#include <set>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/ordering/future_messages.hpp"
#include "actors/protocol/ordering/prepared_set.hpp"
#include "actors/protocol/ordering/recovered_replica.hpp"
#include "actors/protocol/ordering/replica_effects.hpp"
#include "actors/protocol/ordering/replica_status.hpp"
#include "actors/protocol/ordering/signing_rights.hpp"
#include "actors/protocol/ordering/slot_log.hpp"
#include "actors/protocol/ordering/stall_watch.hpp"
#include "actors/protocol/ordering/time_check.hpp"
#include "actors/protocol/views/new_view.hpp"
#include "actors/protocol/views/planned_end.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A replica of PBFT: the normal case (§4.2), the watermarks (§4.3), the view change as a replica carries it out
/// (§4.4), and the retransmission of TOCS '02 §5.2. Pure: each function handles one event and returns its effects. All
/// messages were verified before. No other class changes the view, the status, the slots, P, h or H. `view_changer`
/// decides when to leave a view. Two other classes decide what a step may do: `replica_status` says whether this
/// replica is active, changing its view or diverged, and `signing_rights` says which statements it may sign.
///
/// Memory: L slots (see `slot_log`), P, the bodies above h, bounded early messages (`future_messages`), the last
/// NEW-VIEW, one STATUS of each replica, and the batches that wait for a sequence number inside the window. The
/// pipeline depth of the batcher bounds the number of these batches.
class replica_core {
 public:
  /// An idle replica sends a STATUS every this many ticks. A replica that missed every message of a batch learns of it
  /// from the answers.
  static constexpr std::uint64_t idle_status_ticks = 4;

  /// `keys` signs as `self` and outlives the core.
  replica_core(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// Takes over the promises and the knowledge of the last run. Called before all other functions.
  void restore(const recovered_replica& past);

  /// The first messages of a replica: a STATUS that shows which messages it lacks, and votes that it can send after a
  /// restart.
  [[nodiscard]] replica_effects on_start();

  /// The batcher has cut a batch to be proposed in `view`. The batch is dropped if that view is over.
  [[nodiscard]] replica_effects on_batch(view_number view, std::shared_ptr<const batch> content);

  /// A PRE-PREPARE, PREPARE, COMMIT or STATUS arrived from `sender`.
  [[nodiscard]] replica_effects on_message(principal sender, const message& value);

  /// All requests of an unproven batch of this view (`replica_effects::unproven`) are authentic.
  [[nodiscard]] replica_effects on_authentic(view_number view, sequence_number sequence, const digest& value);

  /// A verified NEW-VIEW that came on the link of `sender`.
  [[nodiscard]] replica_effects on_new_view(principal sender, const planned_new_view& opened);

  /// §4.4: leaves the present view for `to`. Does nothing if `to` is not a later view, or while this replica may not
  /// leave its view. In the second case the caller asks again later.
  [[nodiscard]] replica_effects on_change_view(view_number to);

  /// This replica has built the NEW-VIEW `opened` as the new primary, from a quorum of VIEW-CHANGEs.
  [[nodiscard]] replica_effects on_new_view_built(const planned_new_view& opened);

  /// §4.3: a quorum certified the state after a sequence number.
  [[nodiscard]] replica_effects on_stable(std::shared_ptr<const checkpoint_certificate> certificate);

  /// The executor has the state after `sequence`, which ends a checkpoint period.
  [[nodiscard]] replica_effects on_taken(sequence_number sequence);

  /// The state of `proof`, after `sequence`, is installed and on disk. If it replaces a diverged state, the batches
  /// after it are handed to the executor again.
  [[nodiscard]] replica_effects on_installed(sequence_number sequence,
                                             std::shared_ptr<const checkpoint_certificate> proof);

  /// The state of this replica after `sequence` differs from the certified state. The replica sends nothing until a
  /// certified state is installed (attack 27).
  void on_diverged(sequence_number sequence) { status_.diverge(sequence); }

  /// The group has agreed on these moves with the batch `at`. The primaries of the views in `stepped_down` step down.
  /// If this replica is the primary, the effects contain the null requests that a readmission or a hand-over needs, and
  /// it proposes nothing after the planned end of its view (`planned_end_of`).
  [[nodiscard]] replica_effects on_moves(const agreed_moves& moves, const std::vector<view_number>& stepped_down,
                                         sequence_number at);

  /// The wall clock of this node shows `now`. The caller gives a reading before each event. It affects only for which
  /// proposed times this replica vouches, and the measured lateness of proposals (§4.6).
  void on_wall_clock(wall_time now) { times_.on_wall_clock(now); }

  /// The status period has passed.
  [[nodiscard]] replica_effects on_tick();

  [[nodiscard]] view_number view() const { return status_.view(); }
  /// Whether the replica has entered `view()`. False while it waits for the NEW-VIEW of that view.
  [[nodiscard]] bool is_active() const { return status_.has_entered(); }
  [[nodiscard]] replica_id primary() const { return group_.primary_of(view()); }
  [[nodiscard]] bool is_primary() const { return primary() == self_; }
  /// All sequence numbers up to this one are committed in this view, or stable.
  [[nodiscard]] sequence_number last_decided() const { return last_decided_; }
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  [[nodiscard]] const watermarks& marks() const { return log_.marks(); }
  /// How many times a diverged state was replaced. Messages that arrived while the state was wrong were dropped.
  [[nodiscard]] std::uint64_t repairs() const { return status_.repairs(); }

 private:
  // §4.2, in the order of the phases.
  void propose(std::shared_ptr<const batch> body, replica_effects& out);
  [[nodiscard]] bool has_next_sequence() const;
  void propose_waiting(replica_effects& out);
  void propose_null_requests(replica_effects& out);
  void accept(replica_id from, const message& value, std::optional<duration> lateness, replica_effects& out);
  void accept(replica_id from, const pre_prepare& proposal, std::optional<duration> lateness, replica_effects& out);
  void fill(const signed_statement& header, std::shared_ptr<const batch> body, frame_ptr raw, replica_effects& out);
  void prepare_slot(sequence_number sequence, replica_effects& out);
  [[nodiscard]] bool vouches_for(const slot& of) const;
  void ask_authentic(slot& of, replica_effects& out) const;
  [[nodiscard]] std::optional<duration> lateness_of(const message& value) const;
  void take_vote(message_kind kind, const signed_statement& vote, replica_effects& out);
  void advance(sequence_number sequence, replica_effects& out);
  void execute_ready(replica_effects& out);
  [[nodiscard]] bool has_hole() const;
  [[nodiscard]] bool is_decided(sequence_number sequence) const;

  /// Whether a certificate proves a state that this replica does not have.
  [[nodiscard]] bool lacks_state() const { return ahead_ != nullptr && ahead_->sequence() > last_executed_; }
  [[nodiscard]] bool may_prepare() const { return rights_.may_prepare(log_.marks().low()); }
  void end_probation(replica_effects& out);
  void report_prepared(replica_effects& out) const;
  void decide_first_start(replica_effects& out);
  void wish(replica_effects& out) const;
  void catch_up(replica_effects& out);
  void hear_status(const status& value, replica_effects& out);

  void restore_view(const recovered_replica& past);

  // §4.4.
  void adopt_plan(const planned_new_view& opened);
  void learn_checkpoint(replica_effects& out) const;
  void change_view(view_number to, replica_effects& out);
  void leave_view(view_number to);
  void enter_view(const planned_new_view& opened, replica_effects& out);
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

  replica_status status_;
  signing_rights rights_;
  slot_log log_;
  prepared_set prepared_;
  body_store bodies_;
  future_messages early_;

  /// The last sequence number that was handed to the executor, in order.
  sequence_number last_executed_;
  /// The largest sequence number for which this replica has sent a COMMIT, in any view and any run. It never falls: a
  /// slot that was prepared in an earlier view is executed with what a later view decides, perhaps the null request.
  sequence_number prepared_through_;
  /// The last checkpoint whose state the executor is known to have. It may be behind `last_executed_`, by a window at
  /// most.
  sequence_number taken_;
  sequence_number last_decided_;
  /// The last sequence number that is used: the primary proposes after it.
  sequence_number last_proposed_;
  /// Sequence numbers up to this one must be ordered, even if no client sends a request.
  sequence_number advance_through_;

  /// The proof of h, which is sent to replicas that lag.
  std::shared_ptr<const checkpoint_certificate> stable_;
  /// The newest certificate above h whose state this replica does not have yet, or does not know to have.
  std::shared_ptr<const checkpoint_certificate> ahead_;
  stall_watch stall_;
  time_check times_;
  /// Whether a PREPARE was withheld since the last tick, because of the time of its batch.
  bool withholds_ = false;
  std::uint64_t ticks_ = 0;
  /// Replicas whose STATUS was answered since the last tick.
  std::set<replica_id> answered_;
};

}  // namespace hypermesh::protocol
