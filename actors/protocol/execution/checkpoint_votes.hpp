#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/base/vote_set.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// The effects of one step of `checkpoint_votes`, in this order: persist, send, report.
struct checkpoint_effects {
  std::vector<storage_record> records;
  std::vector<outgoing_message> sends;
  /// Nothing contradicts the own state that was taken, so it may go to disk and move h.
  bool keeps_taken = false;
  /// The new stable checkpoint, unless the own state contradicts it.
  std::shared_ptr<const checkpoint_certificate> stable;
  /// The own root after this sequence is not the certified one.
  std::optional<sequence_number> disproven;
  /// The certificate of the state that is to replace the own one.
  std::shared_ptr<const checkpoint_certificate> fetch;
  std::vector<observation> observations;
};

/// CHECKPOINT votes and their proof (§4.3). Pure; the only class that signs CHECKPOINTs. The messages that it is given
/// are verified. Memory: n votes for each multiple of K within two windows above the stable checkpoint.
///
/// When a quorum certifies another root than the own one, this class disowns its own roots: it neither signs nor sends
/// one, and asks for the certified state until the executor has installed it (attack 27). After that it votes again,
/// but never a second time for a sequence, because two roots for one sequence are evidence against their signer (attack
/// 28).
///
/// Whether the state in place is wrong is not known here: the executor owns that fact (`replicated_state`) and learns
/// of it later than this class, behind the batches that it has still to execute. Therefore neither a certificate that
/// contradicts the own root nor a state that was taken from then on is passed on, so h cannot move to a state that is
/// not the certified one (attack 15).
class checkpoint_votes {
 public:
  checkpoint_votes(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// The stable checkpoint that the last run of this replica knew, and the own votes of that run.
  void restore(std::shared_ptr<const checkpoint_certificate> stable, const std::vector<signed_statement>& own);

  /// This replica lost its disk and may have voted for anything, so it does not vote until `on_voting_allowed`.
  void abstain() { abstains_ = true; }
  /// The replica never voted for a sequence above this one, so it votes there from now on.
  void on_voting_allowed(sequence_number above);

  /// This replica took its state after `sequence`, which ends a checkpoint period.
  [[nodiscard]] checkpoint_effects on_taken(sequence_number sequence, const digest& root);
  /// The certified state after `sequence` was installed; the executor installs none that leaves a wrong state in place.
  /// This replica does not vote for it, because a quorum did.
  [[nodiscard]] checkpoint_effects on_installed(sequence_number sequence, const digest& root);
  [[nodiscard]] checkpoint_effects on_vote(const signed_statement& vote);
  /// A verified proof from a peer, or of the stable checkpoint min-s of a NEW-VIEW.
  [[nodiscard]] checkpoint_effects on_proof(std::shared_ptr<const checkpoint_certificate> certificate);
  /// Sends the own votes again that did not become stable. While the own roots are disowned, asks for the certified
  /// state again.
  [[nodiscard]] checkpoint_effects on_tick() const;

  [[nodiscard]] sequence_number stable() const { return stable_ ? stable_->sequence() : sequence_number{0}; }

 private:
  void vote_for(sequence_number sequence, const digest& root, checkpoint_effects& out);
  void settle(sequence_number sequence, checkpoint_effects& out);
  void adopt(std::shared_ptr<const checkpoint_certificate> certificate, checkpoint_effects& out);
  void compare_with_own(checkpoint_effects& out);
  void disown(sequence_number sequence, checkpoint_effects& out);

  cluster_parameters cluster_;
  replica_id self_;
  const authenticator* keys_;
  std::shared_ptr<const checkpoint_certificate> stable_;
  std::map<sequence_number, vote_set> votes_;
  /// Roots of this replica's own states, from the stable checkpoint on.
  std::map<sequence_number, digest> own_roots_;
  /// The own root was disproven, and no certified state was installed since then.
  bool awaits_certified_state_ = false;
  /// The highest sequence that this replica has voted for, or may have voted for before it lost its disk.
  sequence_number voted_;
  /// Own votes through this sequence were cast before the own root was disproven. They may be wrong and are not
  /// repeated.
  sequence_number disowned_;
  bool abstains_ = false;
};

}  // namespace hypermesh
