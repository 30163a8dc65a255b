#pragma once

#include <set>
#include <string>
#include <vector>

#include "actors/protocol/verification/validator.hpp"
#include "runtime/audit/audit_event.hpp"

namespace hypermesh::audit {

/// Checks whether entries prove their claims: members, quorums and signatures of the statements in them. Pure.
class audit_entry_validator {
 public:
  /// `keys` must outlive this object.
  audit_entry_validator(const cluster_parameters& cluster, replica_id owner, const authenticator& keys)
      : cluster_(cluster), owner_(owner), validator_(cluster, keys) {}

  /// Returns the reason why the entry is not valid. A claim of the node that contains no signature is always valid.
  [[nodiscard]] or_reason<void> check(const audit_event& event);

  /// Number of signatures checked so far. A CHECKPOINT-PROOF, VIEW-CHANGE or NEW-VIEW counts as one.
  [[nodiscard]] std::uint64_t signatures() const { return signatures_; }

 private:
  [[nodiscard]] or_reason<void> check_statement(message_kind kind, const signed_statement& value);
  [[nodiscard]] or_reason<void> check_prepared(const prepared_certificate& certificate);
  [[nodiscard]] or_reason<void> check_committed(const commit_certificate& certificate);
  /// The votes must come from different replicas that are not among `signers`, and must form a quorum together with
  /// them.
  [[nodiscard]] or_reason<void> check_votes(message_kind kind, const std::vector<signed_statement>& votes,
                                            std::set<replica_id> signers);
  [[nodiscard]] or_reason<void> check_proof(const proof_noted& proof);
  [[nodiscard]] or_reason<void> check_evidence(const guard_noted& noted);

  cluster_parameters cluster_;
  replica_id owner_;
  validator validator_;
  std::uint64_t signatures_ = 0;
};

}  // namespace hypermesh::audit
