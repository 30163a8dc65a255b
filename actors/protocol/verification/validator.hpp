#pragma once

#include <optional>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// The one entry point of inbound messages after decoding (R11). It checks membership, which kinds a sender may send,
/// signatures, and that digests bind the content that they name. A message that passes is genuine; whether it fits the
/// state of the protocol is for the cores. Pure; holds no state, so any number of workers may share one.
class validator {
 public:
  /// `keys` verifies signatures and outlives the validator.
  validator(cluster_parameters cluster, const authenticator& keys) : cluster_(cluster), keys_(&keys) {}

  /// Checks a message that arrived on the authenticated link of `sender` at a replica.
  [[nodiscard]] std::optional<rejection> check(principal sender, const message& value) const;

  /// Decodes a frame, whose bytes may be anything, and checks its message.
  [[nodiscard]] std::optional<rejection> check_frame(principal sender, const frame_ptr& frame) const;

  /// Whether `certificate` proves a stable checkpoint: a quorum of CHECKPOINTs of distinct replicas for one sequence
  /// number and digest (attacks 3 and 23).
  [[nodiscard]] bool proves_checkpoint(const checkpoint_certificate& certificate) const;

  /// Whether the evidence, which a system request holds, makes a case, and every message in it was signed by the
  /// principal that it names (attack 39).
  [[nodiscard]] bool proves(const evidence& shown) const;

  /// Whether the message in this piece of evidence was signed by the principal that it names. Of a VIEW-CHANGE or
  /// NEW-VIEW the signature alone is checked.
  [[nodiscard]] bool holds(const evidence_item& shown) const;

  /// Nothing if the statement is of this epoch, its signer is a replica, and the signature covers it together with
  /// `kind`.
  [[nodiscard]] std::optional<rejection> check_statement(message_kind kind, const signed_statement& value) const;

 private:
  [[nodiscard]] std::optional<rejection> check_kind(principal sender, message_kind kind) const;
  [[nodiscard]] std::optional<rejection> check_content(principal sender, const message& value) const;
  [[nodiscard]] std::optional<rejection> check_request(principal sender, const request& value) const;
  [[nodiscard]] std::optional<rejection> check_system_request_frame(const request& value) const;
  [[nodiscard]] std::optional<rejection> check_group_request(message_kind kind, const signed_statement& vote) const;
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
