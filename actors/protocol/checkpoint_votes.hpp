#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/slot_log.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// What one step of `checkpoint_votes` wants: persist, send, then tell the replica.
struct checkpoint_effects {
  std::vector<storage_record> records;
  std::vector<outgoing_message> sends;
  std::shared_ptr<const checkpoint_certificate> stable;
  /// The own state after this sequence is not the certified one.
  std::optional<sequence_number> diverged;
  /// The state that is to replace it.
  std::shared_ptr<const checkpoint_certificate> fetch;
  std::vector<observation> observations;
};

/// CHECKPOINT votes and their proof (§4.3). Pure; the single writer of checkpoint votes. Given messages
/// are verified. Memory: n votes for each multiple of K within two windows above the stable checkpoint.
///
/// When a quorum certifies another state than the own one, nothing of the own state is signed or sent again, and the
/// certified state is wanted until it is installed (attack 27). After that this replica votes again, but never a second
/// time for a sequence: who has told two roots for one sequence looks like a liar to others (attack 28).
class checkpoint_votes {
 public:
  checkpoint_votes(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// What the last run of this replica knew to be stable, and what it said beyond.
  void restore(std::shared_ptr<const checkpoint_certificate> stable, const std::vector<signed_statement>& own);

  /// This replica lost its disk and may have voted for anything: it says nothing until it is allowed to.
  void abstain() { abstains_ = true; }
  /// What it may have voted for is not above this sequence.
  void on_voting_allowed(sequence_number above);

  /// This replica has executed up to `sequence`, which ends a checkpoint period.
  [[nodiscard]] checkpoint_effects on_taken(sequence_number sequence, const digest& root);
  /// The certified state after `sequence` was put in place. Others have voted for it.
  void on_installed(sequence_number sequence, const digest& root);
  [[nodiscard]] checkpoint_effects on_vote(const signed_statement& vote);
  /// A verified proof from a peer, or of the state that is being installed.
  [[nodiscard]] checkpoint_effects on_proof(std::shared_ptr<const checkpoint_certificate> certificate);
  /// Sends again the own votes that did not become stable. A diverged replica asks again for the certified state.
  [[nodiscard]] checkpoint_effects on_tick() const;

  [[nodiscard]] sequence_number stable() const { return stable_ ? stable_->sequence() : sequence_number{0}; }

 private:
  void settle(sequence_number sequence, checkpoint_effects& out);
  void adopt(std::shared_ptr<const checkpoint_certificate> certificate, checkpoint_effects& out);
  void compare_with_own(checkpoint_effects& out);
  void diverge(sequence_number sequence, checkpoint_effects& out);

  cluster_parameters cluster_;
  replica_id self_;
  const authenticator* keys_;
  std::shared_ptr<const checkpoint_certificate> stable_;
  std::map<sequence_number, vote_set> votes_;
  /// Roots of this replica's own states, from the stable checkpoint on.
  std::map<sequence_number, digest> own_roots_;
  std::optional<sequence_number> diverged_at_;
  /// The highest sequence that this replica has voted for, and the highest whose vote is known to be wrong or in doubt.
  sequence_number voted_;
  sequence_number disowned_;
  bool abstains_ = false;
};

}  // namespace hypermesh
