#pragma once

#include <optional>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// The one entry point of inbound messages after decoding (R11): membership, who may send what,
/// who signed, and whether digests bind what they name. What passes is true of the bytes; whether
/// it fits the protocol's state is for the cores. Pure; holds no state, so that any number of
/// workers may share one.
class validator {
 public:
  /// `keys` verifies signatures and outlives the validator.
  validator(cluster_parameters cluster, const authenticator& keys) : cluster_(cluster), keys_(&keys) {}

  /// Checks a message that arrived on the authenticated link of `sender` at a replica.
  [[nodiscard]] std::optional<rejection> check(principal sender, const message& value) const;

  /// The same of bytes that may be anything.
  [[nodiscard]] std::optional<rejection> check_frame(principal sender, const frame_ptr& frame) const;

  /// Whether `certificate` proves a stable checkpoint: a quorum of CHECKPOINTs of distinct replicas
  /// for one sequence and digest (attacks 3, 23).
  [[nodiscard]] bool proves_checkpoint(const checkpoint_certificate& certificate) const;

  /// Whether the exhibits make a case, and all that it rests on was signed by whom they name (attack 39): what a
  /// REQUEST of the guard shows.
  [[nodiscard]] bool proves(const exhibits& shown) const;

  /// Whether the exhibit was signed by whom it names; of a document the signature alone is checked.
  [[nodiscard]] bool holds(const exhibit& shown) const;

  /// Whether the statement is of this epoch, its signer a replica, and the signature over `kind`.
  [[nodiscard]] std::optional<rejection> check_statement(message_kind kind, const signed_statement& value) const;

 private:
  [[nodiscard]] std::optional<rejection> check_kind(principal sender, message_kind kind) const;
  [[nodiscard]] std::optional<rejection> check_content(principal sender, const message& value) const;
  [[nodiscard]] std::optional<rejection> check_request(principal sender, const request& value) const;
  [[nodiscard]] std::optional<rejection> check_guard_request(const request& value) const;
  [[nodiscard]] std::optional<rejection> check_ballot(message_kind kind, const signed_statement& vote) const;
  [[nodiscard]] std::optional<rejection> check_pre_prepare(const pre_prepare& value) const;
  [[nodiscard]] std::optional<rejection> check_vote(principal sender, message_kind kind,
                                                    const signed_statement& vote) const;
  [[nodiscard]] std::optional<rejection> check_checkpoint(principal sender, const checkpoint& value) const;
  [[nodiscard]] std::optional<rejection> check_status(principal sender, const status& value) const;
  [[nodiscard]] std::optional<rejection> check_suspicion(principal sender, const suspicion& value) const;
  [[nodiscard]] std::optional<rejection> check_view_change(const view_change& value) const;
  [[nodiscard]] std::optional<rejection> check_new_view(const new_view& value) const;
  [[nodiscard]] std::optional<rejection> check_document(replica_id signer, message_kind kind, byte_span raw,
                                                        const signature& by) const;
  [[nodiscard]] bool proves_prepared(const prepared_certificate& certificate) const;
  [[nodiscard]] bool is_member(principal who) const;

  cluster_parameters cluster_;
  const authenticator* keys_;
};

}  // namespace hypermesh
