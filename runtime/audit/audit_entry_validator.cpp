#include "runtime/audit/audit_entry_validator.hpp"

#include <fmt/format.h>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"

namespace hypermesh::audit {

namespace {

std::string unsigned_text(message_kind kind, const statement& content, rejection reason) {
  return fmt::format("the {} of replica {} for view {}, sequence {} is invalid: {}", to_string(kind),
                     content.replica.value, content.view.value, content.sequence.value, to_string(reason));
}

}  // namespace

or_reason<void> audit_entry_validator::check_statement(message_kind kind, const signed_statement& value) {
  ++signatures_;
  if (const auto bad = validator_.check_statement(kind, value))
    return invalid(unsigned_text(kind, value.content, *bad));
  return {};
}

/// §4.2: the PRE-PREPARE of the primary and the PREPAREs of different backups must form a quorum together.
or_reason<void> audit_entry_validator::check_prepared(const prepared_certificate& certificate) {
  const auto& header = certificate.pre_prepare.content;
  if (header.replica != cluster_.group().primary_of(header.view)) {
    return invalid(fmt::format("the PRE-PREPARE is signed by replica {}, which is not the primary of view {}",
                               header.replica.value, header.view.value));
  }
  if (auto done = check_statement(message_kind::pre_prepare, certificate.pre_prepare); !done) return done;
  return check_votes(message_kind::prepare, certificate.prepares, {header.replica});
}

/// §4.2: a certificate needs COMMITs of a quorum of different replicas.
or_reason<void> audit_entry_validator::check_committed(const commit_certificate& certificate) {
  return check_votes(message_kind::commit, certificate.commits, {});
}

or_reason<void> audit_entry_validator::check_votes(message_kind kind, const std::vector<signed_statement>& votes,
                                                   std::set<replica_id> signers) {
  for (const auto& each : votes) {
    if (!signers.insert(each.content.replica).second) return invalid("the certificate has two votes of one replica");
    if (auto done = check_statement(kind, each); !done) return done;
  }
  if (signers.size() < cluster_.group().quorum()) return invalid("the certificate has fewer votes than a quorum");
  return {};
}

or_reason<void> audit_entry_validator::check_proof(const proof_noted& proof) {
  ++signatures_;
  const auto decoded = decode(proof.frame);
  if (!decoded) return invalid("the entry's message cannot be decoded");
  const auto& value = *decoded;
  if (const auto* it = std::get_if<checkpoint_proof>(&value); it != nullptr) {
    const bool holds = proof.kind == audit_kind::checkpoint_stable && validator_.proves_checkpoint(it->certificate);
    if (!holds) return invalid("the checkpoint is not signed by a quorum");
    return {};
  }
  // The validator checks a message as if its signer had sent it: the owner of the trail for a VIEW-CHANGE, the primary
  // of the new view for a NEW-VIEW.
  std::optional<rejection> bad = rejection::kind_not_allowed_from_sender;
  const auto* change = std::get_if<view_change>(&value);
  if (change != nullptr && proof.kind == audit_kind::view_change && change->replica == owner_) {
    bad = validator_.check(principal::of(owner_), value);
  }
  const auto* opened = std::get_if<new_view>(&value);
  if (opened != nullptr && proof.kind == audit_kind::view_entered) {
    bad = validator_.check(principal::of(cluster_.group().primary_of(opened->view)), value);
  }
  if (!bad) return {};
  return invalid(fmt::format("the entry's message does not prove the entry: {}", to_string(*bad)));
}

/// Evidence proves itself: the keys of the genesis file suffice to decide whether it proves a misbehaviour or is
/// invalid.
or_reason<void> audit_entry_validator::check_evidence(const guard_noted& noted) {
  if (noted.proof.empty()) return invalid("the entry has no evidence");
  const auto decoded = decode_evidence(noted.proof);
  if (!decoded) return invalid("the entry's evidence cannot be decoded");
  signatures_ += decoded->items.size();
  if (!validator_.proves(*decoded)) return invalid("the entry's evidence does not prove any misbehaviour");
  const auto about = claim_in(*decoded, cluster_);
  const auto* accused = std::get_if<misbehaviour>(&*about);
  const bool is_it =
      accused != nullptr && accused->accused == noted.about && to_string(accused->what) == noted.misbehaviour_kind;
  if (!is_it) return invalid("the entry's evidence proves another misbehaviour than the entry names");
  return {};
}

or_reason<void> audit_entry_validator::check(const audit_event& event) {
  if (const auto* it = std::get_if<proposal_noted>(&event)) {
    const auto& content = it->header.content;
    if (content.replica != cluster_.group().primary_of(content.view))
      return invalid("the proposal is not signed by the primary");
    return check_statement(message_kind::pre_prepare, it->header);
  }
  if (const auto* it = std::get_if<vote_noted>(&event)) {
    if (it->vote.content.replica != owner_) return invalid("the vote is signed by another replica");
    return check_statement(it->kind, it->vote);
  }
  if (const auto* it = std::get_if<batch_was_prepared>(&event)) return check_prepared(it->certificate);
  if (const auto* it = std::get_if<batch_was_committed>(&event)) return check_committed(it->certificate);
  if (const auto* it = std::get_if<proof_noted>(&event)) return check_proof(*it);
  const auto* noted = std::get_if<guard_noted>(&event);
  if (noted != nullptr && noted->kind == audit_kind::evidence) return check_evidence(*noted);
  return {};
}

}  // namespace hypermesh::audit
