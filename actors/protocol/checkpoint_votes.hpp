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
  std::optional<sequence_number> diverged;
  std::vector<observation> observations;
};

/// CHECKPOINT votes and their proof (§4.3). Pure; the single writer of checkpoint votes. Given messages
/// are verified. Memory: n votes for each multiple of K within two windows above the stable checkpoint.
class checkpoint_votes {
 public:
  checkpoint_votes(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// What the last run of this replica knew to be stable, and what it said beyond.
  void restore(std::shared_ptr<const checkpoint_certificate> stable, const std::vector<signed_statement>& own);

  /// This replica has the state after `sequence`, which ends a checkpoint period.
  [[nodiscard]] checkpoint_effects on_taken(sequence_number sequence, const digest& root);
  [[nodiscard]] checkpoint_effects on_vote(const signed_statement& vote);
  /// A verified proof from a peer, or of the state that is being installed.
  [[nodiscard]] checkpoint_effects on_proof(std::shared_ptr<const checkpoint_certificate> certificate);
  /// Sends again the own votes that did not become stable.
  [[nodiscard]] checkpoint_effects on_tick() const;

  [[nodiscard]] sequence_number stable() const { return stable_ ? stable_->sequence() : sequence_number{0}; }

 private:
  void settle(sequence_number sequence, checkpoint_effects& out);
  void adopt(std::shared_ptr<const checkpoint_certificate> certificate, checkpoint_effects& out);
  void compare_with_own(checkpoint_effects& out);

  cluster_parameters cluster_;
  replica_id self_;
  const authenticator* keys_;
  std::shared_ptr<const checkpoint_certificate> stable_;
  std::map<sequence_number, vote_set> votes_;
  /// Roots of this replica's own states, from the stable checkpoint on.
  std::map<sequence_number, digest> own_roots_;
  bool diverged_ = false;
};

}  // namespace hypermesh
