#pragma once

#include <optional>
#include <string>

#include "actors/protocol/validator.hpp"
#include "runtime/audit/audit_event.hpp"

namespace hypermesh {

/// Whether entries prove what they say: members, quorums and signatures of the statements in them. Pure.
class entry_checks {
 public:
  /// `keys` outlives the object.
  entry_checks(const cluster_parameters& cluster, replica_id owner, const authenticator& keys)
      : cluster_(cluster), owner_(owner), validator_(cluster, keys) {}

  /// What is wrong; nothing when all holds or when the entry is only the node's own word.
  [[nodiscard]] std::optional<std::string> objection_to(const audit_event& event);

  /// Signatures that were checked so far; those in a NEW-VIEW or VIEW-CHANGE count as one.
  [[nodiscard]] std::uint64_t signatures() const { return signatures_; }

 private:
  [[nodiscard]] std::optional<std::string> objection_to_statement(message_kind kind, const signed_statement& value);
  [[nodiscard]] std::optional<std::string> objection_to_prepared(const prepared_certificate& certificate);
  [[nodiscard]] std::optional<std::string> objection_to_committed(const commit_certificate& certificate);
  [[nodiscard]] std::optional<std::string> objection_to_proof(const proof_noted& proof);
  [[nodiscard]] std::optional<std::string> objection_to_evidence(const guard_noted& noted);

  cluster_parameters cluster_;
  replica_id owner_;
  validator validator_;
  std::uint64_t signatures_ = 0;
};

}  // namespace hypermesh
