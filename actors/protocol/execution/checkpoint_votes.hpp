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

namespace hypermesh::protocol {

/// The effects of one step of `checkpoint_votes`, in this order: persist, send, report.
struct checkpoint_effects {
  std::vector<storage_record> records;
  std::vector<outgoing_message> sends;
  /// No certificate contradicts the state that was taken, so it may be written to disk and may move h.
  bool keeps_taken = false;
  /// The new stable checkpoint, unless the root of this replica contradicts it.
  std::shared_ptr<const checkpoint_certificate> stable;
  /// The root of this replica after this sequence number differs from the certified root.
  std::optional<sequence_number> disproven;
  /// The certificate of the state that has to replace the state of this replica.
  std::shared_ptr<const checkpoint_certificate> fetch;
  std::vector<observation> observations;
};

/// CHECKPOINT votes and their proof (§4.3). Pure; the only class that signs CHECKPOINTs. All messages must have been
/// verified before. Memory: n votes for each multiple of K within two windows above the stable checkpoint.
///
/// When a quorum certifies another root than that of this replica, this class disowns its own roots: it no longer signs
/// or sends them, and asks for the certified state until the executor has installed it (attack 27). After that it votes
/// again, but never twice for one sequence number, because two roots for one sequence number are evidence against their
/// signer (attack 28).
///
/// This class does not know whether the present state is wrong. The executor decides that (`replicated_state`), and it
/// is informed later than this class, because it still has batches to execute. Therefore this class passes on neither a
/// certificate that contradicts a root of this replica nor any state that is taken after that. So h cannot move to a
/// state that differs from the certified one (attack 15).
class checkpoint_votes {
 public:
  checkpoint_votes(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// Takes over the stable checkpoint and the votes of the last run.
  void restore(std::shared_ptr<const checkpoint_certificate> stable, const std::vector<signed_statement>& own);

  /// This replica lost its disk and does not know how it voted before, so it does not vote until `on_voting_allowed`.
  void abstain() { abstains_ = true; }
  /// The replica has never voted for a sequence number above this one, so from now on it votes for later sequence
  /// numbers.
  void on_voting_allowed(sequence_number above);

  /// This replica took its state after `sequence`, which ends a checkpoint period.
  [[nodiscard]] checkpoint_effects on_taken(sequence_number sequence, const digest& root);
  /// The certified state after `sequence` was installed, so the present state is not known to be wrong. This replica
  /// does not vote for the installed state, because a quorum has voted for it.
  [[nodiscard]] checkpoint_effects on_installed(sequence_number sequence, const digest& root);
  [[nodiscard]] checkpoint_effects on_vote(const signed_statement& vote);
  /// A verified proof from a peer, or of the stable checkpoint min-s of a NEW-VIEW.
  [[nodiscard]] checkpoint_effects on_proof(std::shared_ptr<const checkpoint_certificate> certificate);
  /// Repeats the votes of this replica for checkpoints that are not stable. While its roots are disowned, asks for the
  /// certified state again.
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
  /// A certificate has contradicted a root of this replica, and no certified state was installed since then.
  bool awaits_certified_state_ = false;
  /// The highest sequence that this replica has voted for, or may have voted for before it lost its disk.
  sequence_number voted_;
  /// Own votes up to this sequence number were cast before a certificate contradicted a root of this replica. They may
  /// be wrong, so they are not repeated.
  sequence_number disowned_;
  bool abstains_ = false;
};

}  // namespace hypermesh::protocol
