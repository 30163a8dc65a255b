#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/slot_log.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A replica of PBFT in the normal case (§4.2) with the water marks of §4.3 and the
/// retransmission of TOCS '02 §5.2. Pure: `event → effects`; what it is given was verified. The
/// single writer of view, slots, h, H and last executed.
/// Memory: L slots (see `slot_log`) and the batches that wait for a sequence inside the window, which
/// the batcher bounds by its pipeline depth.
class replica_core {
 public:
  /// `keys` signs as `self` and outlives the core.
  replica_core(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// The batcher has cut a batch; this replica is the primary of its view.
  [[nodiscard]] replica_effects on_batch(std::shared_ptr<const batch> content);

  /// PRE-PREPARE, PREPARE, COMMIT or STATUS of `sender`.
  [[nodiscard]] replica_effects on_message(principal sender, const message& value);

  /// §4.3: a quorum proved the state after a sequence.
  [[nodiscard]] replica_effects on_stable(std::shared_ptr<const checkpoint_certificate> certificate);

  /// The verified state after `sequence` is in place, or execution was ahead of it.
  [[nodiscard]] replica_effects on_installed(sequence_number sequence);

  /// This replica's state is not the certified one: it stops voting for good (attack 27).
  [[nodiscard]] replica_effects on_diverged(sequence_number sequence);

  /// The status period has passed.
  [[nodiscard]] replica_effects on_tick();

  [[nodiscard]] view_number view() const { return view_; }
  [[nodiscard]] replica_id primary() const { return group_.primary_of(view_); }
  [[nodiscard]] bool is_primary() const { return primary() == self_; }
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  [[nodiscard]] const watermarks& marks() const { return log_.marks(); }

 private:
  // §4.2, in the order of the phases.
  void propose_waiting(replica_effects& out);
  void accept(replica_id from, const pre_prepare& proposal, replica_effects& out);
  void take_vote(message_kind kind, const signed_statement& vote, replica_effects& out);
  void advance(sequence_number sequence, replica_effects& out);
  void execute_ready(replica_effects& out);

  // §4.3 and TOCS '02 §5.2.
  void adopt_stable(replica_effects& out);
  void cut_log(sequence_number stable, replica_effects& out);
  void answer_status(const status& value, replica_effects& out);
  std::size_t send_again(replica_id to, sequence_number sequence, slot_progress has, replica_effects& out) const;
  void send_status(replica_effects& out) const;
  [[nodiscard]] slot_progress progress_of(sequence_number sequence) const;
  [[nodiscard]] bool relays(sequence_number sequence) const;

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
  slot_log log_;
  sequence_number last_executed_;
  /// The primary's last sequence.
  sequence_number last_proposed_;
  std::deque<std::shared_ptr<const batch>> waiting_;
  bool halted_ = false;

  /// Proof of h; sent to who lags.
  std::shared_ptr<const checkpoint_certificate> stable_;
  /// A proof beyond what this replica has executed.
  std::shared_ptr<const checkpoint_certificate> ahead_;
  /// Execution at the last tick, and for how many ticks `ahead_` was out of reach.
  sequence_number executed_at_tick_;
  unsigned ticks_behind_ = 0;
  std::uint64_t ticks_ = 0;
  /// Replicas whose STATUS was answered since the last tick.
  std::set<replica_id> answered_;
};

}  // namespace hypermesh
