#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/system_request_kinds.hpp"
#include "actors/protocol/views/new_view.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A statement or document with a verified signature of the principal that it names as its signer. Only the validator
/// creates such an object, so code that has one need not verify the signature again.
class authentic_item {
 public:
  [[nodiscard]] const evidence_item& item() const { return item_; }

 private:
  friend class validator;

  explicit authentic_item(evidence_item item) : item_(std::move(item)) {}

  evidence_item item_;
};

/// Checks every inbound message after it was decoded (R11): whether the sender is a member and may send this kind, the
/// signatures, and whether digests match the content. A message that passes is genuine. The cores then check whether
/// the message fits the state of the protocol. Pure. The validator has no state, so several threads may share it.
class validator {
 public:
  /// `keys` verifies signatures and outlives the validator.
  validator(cluster_parameters cluster, const authenticator& keys) : cluster_(cluster), keys_(&keys) {}

  /// Checks a message that arrived on the authenticated link of `sender` at a replica. Returns the reason to refuse it;
  /// nothing if the message is genuine.
  [[nodiscard]] std::optional<rejection> check(principal sender, const message& value) const;

  /// Verifies the signature of one piece of evidence or of a received document. Returns nothing if the named principal
  /// did not sign it. Certificates inside a document are not checked.
  [[nodiscard]] std::optional<authentic_item> authenticate(evidence_item claimed) const;

  /// Like `check`, for a VIEW-CHANGE whose signature was verified before. `own` is the result of `authenticate` for
  /// this VIEW-CHANGE.
  [[nodiscard]] std::optional<rejection> check_view_change(principal sender, const view_change& value,
                                                           const std::optional<authentic_item>& own) const;

  /// Like `check_view_change`, for a NEW-VIEW. Returns the message with the plan against which its O was checked.
  [[nodiscard]] or_rejection<planned_new_view> verify_new_view(principal sender, std::shared_ptr<const new_view> value,
                                                               const std::optional<authentic_item>& own) const;

  /// Decodes a frame, whose bytes may be anything, and checks its message. Returns the reason to refuse the frame;
  /// nothing if the message is genuine.
  [[nodiscard]] std::optional<rejection> check_frame(principal sender, const frame_ptr& frame) const;

  /// The VIEW-CHANGE number `index` of a verified NEW-VIEW. Its signature was verified together with the NEW-VIEW.
  [[nodiscard]] static authentic_item view_change_in(const planned_new_view& verified, std::size_t index);

  /// Whether `certificate` proves a stable checkpoint: a quorum of CHECKPOINTs of distinct replicas for one sequence
  /// number and digest (attacks 3 and 23).
  [[nodiscard]] bool proves_checkpoint(const checkpoint_certificate& certificate) const;

  /// Whether the evidence of a system request proves its claim, with every message in it signed by the principal that
  /// the message names (attack 39).
  [[nodiscard]] bool proves(const evidence& shown) const;

  /// Returns nothing if the statement has the right epoch, its signer is a replica, and the signature is valid for the
  /// statement and `kind`.
  [[nodiscard]] std::optional<rejection> check_statement(message_kind kind, const signed_statement& value) const;

 private:
  /// Whether the signature of a document was verified before, and with which result.
  enum class own_signature { unchecked, genuine, forged };

  [[nodiscard]] static own_signature verdict_on(const std::optional<authentic_item>& own, const blob& raw);
  [[nodiscard]] bool is_authentic(const evidence_item& claimed) const;
  [[nodiscard]] bool proves(const system_claim& about, const evidence& shown) const;
  [[nodiscard]] std::optional<rejection> check_kind(principal sender, message_kind kind) const;
  [[nodiscard]] std::optional<rejection> check_content(principal sender, const message& value) const;
  [[nodiscard]] std::optional<rejection> check_request(principal sender, const request& value) const;
  [[nodiscard]] std::optional<rejection> check_signature(const request& value) const;
  [[nodiscard]] std::optional<rejection> check_system_request(const system_request& value) const;
  [[nodiscard]] std::optional<rejection> check_group_request(message_kind kind, const signed_statement& vote) const;
  [[nodiscard]] std::optional<rejection> check_pre_prepare(const pre_prepare& value) const;
  [[nodiscard]] std::optional<rejection> check_vote(principal sender, message_kind kind,
                                                    const signed_statement& vote) const;
  [[nodiscard]] std::optional<rejection> check_checkpoint(principal sender, const checkpoint& value) const;
  [[nodiscard]] std::optional<rejection> check_status(principal sender, const status& value) const;
  [[nodiscard]] std::optional<rejection> check_suspicion(principal sender, const suspicion& value) const;
  [[nodiscard]] std::optional<rejection> check_view_change(const view_change& value, own_signature own) const;
  [[nodiscard]] or_rejection<new_view_plan> check_new_view(const new_view& value, own_signature own) const;
  [[nodiscard]] bool is_unlawful(const evidence_item& document) const;
  [[nodiscard]] std::optional<rejection> check_document(replica_id signer, message_kind kind, byte_span raw,
                                                        const signature& by) const;
  [[nodiscard]] bool proves_prepared(const prepared_certificate& certificate) const;
  [[nodiscard]] bool is_member(principal who) const;

  cluster_parameters cluster_;
  const authenticator* keys_;
};

}  // namespace hypermesh::protocol
