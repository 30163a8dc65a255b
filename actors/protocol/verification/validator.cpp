#include "actors/protocol/verification/validator.hpp"

#include <algorithm>
#include <set>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

bool validator::is_member(principal who) const {
  return who.number < (who.is_replica() ? cluster_.replicas : cluster_.clients);
}

std::optional<rejection> validator::check(principal sender, const message& value) const {
  // Cheap checks come first: a wrong sender or kind costs no signature check (attack 33).
  if (!is_member(sender)) return rejection::not_a_member;
  if (const auto bad = check_kind(sender, kind_of(value))) return bad;
  return check_content(sender, value);
}

std::optional<rejection> validator::check_frame(principal sender, const frame_ptr& frame) const {
  const auto decoded = decode(frame);
  if (!decoded) return decoded.error();
  return check(sender, *decoded);
}

std::optional<rejection> validator::check_kind(principal sender, message_kind kind) const {
  switch (kind) {
    // Clients send these too. An operator sends RELEASE and HAND-OVER on a client link; the replica's signature inside
    // counts.
    case message_kind::request:
    case message_kind::node_query:
    case message_kind::release:
    case message_kind::hand_over:
      return std::nullopt;
    case message_kind::query:
    case message_kind::receipt_query:
      return sender.is_client() ? std::nullopt : std::optional{rejection::kind_not_allowed_from_sender};
    case message_kind::pre_prepare:
    case message_kind::prepare:
    case message_kind::commit:
    case message_kind::checkpoint:
    case message_kind::status:
    case message_kind::checkpoint_proof:
    case message_kind::state_request:
    case message_kind::state_chunk:
    case message_kind::suspicion:
    case message_kind::view_change:
    case message_kind::new_view:
    case message_kind::complaint:
    case message_kind::evidence:
    case message_kind::readmission:
    case message_kind::vouch:
    // A system request proves itself, so any replica may send it. Clients may not, because only replicas have a limit
    // for messages that cost so many signature checks (attack 33).
    case message_kind::system_request:
      return sender.is_replica() ? std::nullopt : std::optional{rejection::kind_not_allowed_from_sender};
    // Only clients and tools receive these.
    case message_kind::reply:
    case message_kind::query_reply:
    case message_kind::node_report:
    case message_kind::receipt_reply:
      return rejection::kind_not_allowed_from_sender;
  }
  return rejection::unknown_kind;
}

std::optional<rejection> validator::check_content(principal sender, const message& value) const {
  if (const auto* it = std::get_if<request>(&value)) return check_request(sender, *it);
  if (const auto* it = std::get_if<system_request>(&value)) return check_system_request(*it);
  if (const auto* it = std::get_if<pre_prepare>(&value)) return check_pre_prepare(*it);
  if (const auto* it = std::get_if<prepare>(&value)) return check_vote(sender, message_kind::prepare, it->vote);
  if (const auto* it = std::get_if<commit>(&value)) return check_vote(sender, message_kind::commit, it->vote);
  if (const auto* it = std::get_if<checkpoint>(&value)) return check_checkpoint(sender, *it);
  if (const auto* it = std::get_if<status>(&value)) return check_status(sender, *it);
  // A CHECKPOINT-PROOF and a NEW-VIEW prove themselves, so any replica may send them again. A VIEW-CHANGE comes from
  // its signer only.
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) {
    return proves_checkpoint(it->certificate) ? std::nullopt : std::optional{rejection::bad_certificate};
  }
  if (const auto* it = std::get_if<suspicion>(&value)) return check_suspicion(sender, *it);
  if (const auto* it = std::get_if<view_change>(&value)) {
    return sender == principal::of(it->replica) ? check_view_change(*it, own_signature::unchecked)
                                                : std::optional{rejection::sender_is_not_signer};
  }
  if (const auto* it = std::get_if<new_view>(&value)) {
    const auto plan = check_new_view(*it, own_signature::unchecked);
    return plan ? std::nullopt : std::optional{plan.error()};
  }
  if (const auto* it = std::get_if<complaint>(&value)) return check_group_request(message_kind::complaint, it->vote);
  if (const auto* it = std::get_if<release>(&value)) return check_group_request(message_kind::release, it->vote);
  if (const auto* it = std::get_if<readmission>(&value))
    return check_group_request(message_kind::readmission, it->vote);
  if (const auto* it = std::get_if<hand_over>(&value)) return check_group_request(message_kind::hand_over, it->vote);
  // The equivocation detector verifies an item if it conflicts with another message.
  if (const auto* it = std::get_if<evidence>(&value)) {
    return it->items.size() > items_per_misbehaviour_max ? std::optional{rejection::too_many_items} : std::nullopt;
  }
  if (std::holds_alternative<vouch>(value) && cluster_.requests_by == request_authentication::signature) {
    return rejection::kind_not_allowed_from_sender;
  }
  if (const auto* it = std::get_if<query>(&value)) {
    return principal::of(it->id.client) == sender ? std::nullopt : std::optional{rejection::sender_is_not_signer};
  }
  if (const auto* it = std::get_if<receipt_query>(&value)) {
    return principal::of(it->id.client) == sender ? std::nullopt : std::optional{rejection::sender_is_not_signer};
  }
  // The other kinds are requests for information, which need no proof, and chunks, which state transfer verifies
  // against a certified root.
  return std::nullopt;
}

std::optional<rejection> validator::check_request(principal sender, const request& value) const {
  const auto signer = principal::of(value.id.client);
  if (!is_member(signer)) return rejection::not_a_member;
  // §4.1: backups relay requests to the primary, so a replica may send a request that a client signed; a client sends
  // only its own.
  if (sender.is_client() && sender != signer) return rejection::sender_is_not_signer;
  if (cluster_.requests_by == request_authentication::signature) return check_signature(value);
  // Nothing proves here that the client sent the request: the link does if the client is the sender, and otherwise the
  // VOUCHes of other replicas (attack 45).
  const auto sum = request_checksum(cluster_.signing, value.signed_bytes());
  return value.client_signature == sum ? std::nullopt : std::optional{rejection::wrong_digest};
}

std::optional<rejection> validator::check_signature(const request& value) const {
  const auto input = signing_input(cluster_.signing, message_kind::request, value.signed_bytes());
  const bool is_signed = keys_->verify(principal::of(value.id.client), input, value.client_signature);
  return is_signed ? std::nullopt : std::optional{rejection::bad_signature};
}

// --- The guard -------------------------------------------------------------------

std::optional<rejection> validator::check_system_request(const system_request& value) const {
  // The sender, a replica, need not be the one that found the evidence: the request proves itself, and equal cases have
  // equal names.
  const auto about = claim_in(value, cluster_);
  return about && proves(*about, *value.shown) ? std::nullopt : std::optional{rejection::unproven};
}

std::optional<rejection> validator::check_group_request(message_kind kind, const signed_statement& vote) const {
  // The sender need not be the voter, because operators send votes of replicas on client links.
  if (!group_request_of(kind, vote.content, cluster_)) return rejection::number_out_of_range;
  return check_statement(kind, vote);
}

bool validator::is_authentic(const evidence_item& claimed) const {
  if (const auto* said = std::get_if<signed_statement>(&claimed.content)) return !check_statement(claimed.kind, *said);
  const auto raw = document_of(claimed).view;
  if (const auto* change = document_in<view_change>(claimed)) {
    return !check_document(change->replica, message_kind::view_change, raw, change->by);
  }
  if (const auto* opened = document_in<new_view>(claimed)) {
    return !check_document(opened->replica, message_kind::new_view, raw, opened->by);
  }
  // Only a signature proves to others that the client sent a REQUEST.
  const auto& asked = *document_in<request>(claimed);
  return is_member(principal::of(asked.id.client)) && !check_signature(asked);
}

std::optional<authentic_item> validator::authenticate(evidence_item claimed) const {
  if (!is_authentic(claimed)) return std::nullopt;
  return authentic_item{std::move(claimed)};
}

bool validator::proves(const evidence& shown) const {
  const auto about = claim_in(shown, cluster_);
  return about && proves(*about, shown);
}

bool validator::proves(const system_claim& about, const evidence& shown) const {
  for (const auto& each : shown.items) {
    if (!is_authentic(each)) return false;
  }
  const auto* accused = std::get_if<misbehaviour>(&about);
  // A group request needs no more than its votes, whose number `claim_in` has checked.
  if (accused == nullptr) return true;
  // For these two kinds the document itself is the misbehaviour: no correct replica signs a VIEW-CHANGE or a NEW-VIEW
  // that fails its check.
  const bool is_lone =
      accused->what == misbehaviour_kind::unlawful_view_change || accused->what == misbehaviour_kind::unlawful_new_view;
  return !is_lone || is_unlawful(shown.items.front());
}

/// Whether a VIEW-CHANGE or NEW-VIEW with a genuine signature fails its check.
bool validator::is_unlawful(const evidence_item& document) const {
  if (const auto* change = document_in<view_change>(document)) {
    return check_view_change(*change, own_signature::genuine).has_value();
  }
  return !check_new_view(*document_in<new_view>(document), own_signature::genuine);
}

std::optional<rejection> validator::check_statement(message_kind kind, const signed_statement& value) const {
  const auto& content = value.content;
  if (!cluster_.group().contains(content.replica)) return rejection::not_a_member;
  // A vote of another membership counts in no certificate of this one (attack 2).
  if (content.epoch != cluster_.signing.epoch) return rejection::wrong_epoch;
  const auto input = signing_input(cluster_.signing, kind, statement_bytes(content));
  if (!keys_->verify(principal::of(content.replica), input, value.by)) return rejection::bad_signature;
  return std::nullopt;
}

std::optional<rejection> validator::check_pre_prepare(const pre_prepare& value) const {
  const auto& content = value.header.content;
  // The sender may be another replica than the primary: a backup sends a PRE-PREPARE again to a replica that lost it,
  // and the signature of the primary proves it.
  if (content.replica != cluster_.group().primary_of(content.view)) return rejection::not_from_primary;
  if (const auto bad = check_statement(message_kind::pre_prepare, value.header)) return bad;
  // §4.2: "the signatures in the request and the pre-prepare message are correct and d is the digest for m".
  if (digest_of_batch(*value.body) != content.value) return rejection::wrong_digest;
  // An empty batch is the null request of §4.4 and always passes: a backup may learn later than the primary which null
  // requests a readmission needs. A primary that proposes nothing else serves no client and is judged by that
  // (attack 16).
  // The primary must not invent requests, so each client signature and each system request is verified again by every
  // backup (I3).
  for (const auto& each : value.body->system_requests) {
    if (const auto bad = check_system_request(each)) return bad;
  }
  for (const auto& each : value.body->requests) {
    if (const auto bad = check_request(principal::of(content.replica), each)) return bad;
  }
  return std::nullopt;
}

std::optional<rejection> validator::check_vote(principal sender, message_kind kind,
                                               const signed_statement& vote) const {
  // A vote is accepted on the link of its signer only: no replica votes in the name of another (attack 1).
  if (sender != principal::of(vote.content.replica)) return rejection::sender_is_not_signer;
  // §4.2: PREPAREs come from backups; the PRE-PREPARE is the primary's.
  if (kind == message_kind::prepare && vote.content.replica == cluster_.group().primary_of(vote.content.view)) {
    return rejection::primary_voted_prepare;
  }
  return check_statement(kind, vote);
}

std::optional<rejection> validator::check_checkpoint(principal sender, const checkpoint& value) const {
  const auto& content = value.vote.content;
  // §4.3: checkpoints are at multiples of K; any other is an attempt to fill memory (attack 28). A checkpoint belongs
  // to no view, so its view is 0.
  if (content.view != view_number{0} || content.sequence == sequence_number{0} ||
      !cluster_.is_checkpoint(content.sequence)) {
    return rejection::number_out_of_range;
  }
  return check_vote(sender, message_kind::checkpoint, value.vote);
}

std::optional<rejection> validator::check_status(principal sender, const status& value) const {
  if (sender != principal::of(value.replica)) return rejection::sender_is_not_signer;
  return check_document(value.replica, message_kind::status, value.raw.view, value.by);
}

/// Verifies the signature of a document. A document is signed as a whole: in `raw` the signature follows the signed
/// buffer.
std::optional<rejection> validator::check_document(replica_id signer, message_kind kind, byte_span raw,
                                                   const signature& by) const {
  const auto input = signing_input(cluster_.signing, kind, raw.first(raw.size() - signature::size));
  if (!keys_->verify(principal::of(signer), input, by)) return rejection::bad_signature;
  return std::nullopt;
}

// --- View change -----------------------------------------------------------------

std::optional<rejection> validator::check_suspicion(principal sender, const suspicion& value) const {
  const auto& content = value.vote.content;
  // There is one form only, so two SUSPICIONs of one replica for one view never conflict.
  if (content.sequence != sequence_number{0} || content.value != digest{}) return rejection::number_out_of_range;
  return check_vote(sender, message_kind::suspicion, value.vote);
}

std::optional<rejection> validator::check_view_change(principal sender, const view_change& value,
                                                      const std::optional<authentic_item>& own) const {
  if (!is_member(sender)) return rejection::not_a_member;
  if (const auto bad = check_kind(sender, message_kind::view_change)) return bad;
  if (sender != principal::of(value.replica)) return rejection::sender_is_not_signer;
  return check_view_change(value, verdict_on(own, value.raw));
}

or_rejection<planned_new_view> validator::verify_new_view(principal sender, std::shared_ptr<const new_view> value,
                                                          const std::optional<authentic_item>& own) const {
  if (!is_member(sender)) return rejected(rejection::not_a_member);
  if (const auto bad = check_kind(sender, message_kind::new_view)) return rejected(*bad);
  auto plan = check_new_view(*value, verdict_on(own, value->raw));
  if (!plan) return failure_of(plan);
  return planned_new_view{std::move(value), std::move(*plan)};
}

authentic_item validator::view_change_in(const planned_new_view& verified, std::size_t index) {
  // The VIEW-CHANGE is copied, because a pointer into the NEW-VIEW would keep up to 12 MiB in memory.
  return authentic_item{item_of(std::make_shared<const view_change>(verified.message().view_changes.at(index)))};
}

/// A verified signature counts only for the same document (attack 2), so `own` must contain exactly these bytes.
validator::own_signature validator::verdict_on(const std::optional<authentic_item>& own, const blob& raw) {
  // The address and the size name the bytes. The bytes are not compared, because a NEW-VIEW has megabytes.
  const auto is_same = [&raw](byte_span own_bytes) {
    return own_bytes.data() == raw.view.data() && own_bytes.size() == raw.view.size();
  };
  const bool is_own = own && !own->item().is_statement() && is_same(document_of(own->item()).view);
  return is_own ? own_signature::genuine : own_signature::forged;
}

std::optional<rejection> validator::check_view_change(const view_change& value, own_signature own) const {
  if (!cluster_.group().contains(value.replica)) return rejection::not_a_member;
  // No VIEW-CHANGE is for view 0, because no view comes before it.
  if (value.new_view == view_number{0}) return rejection::number_out_of_range;
  // The largest VIEW-CHANGE with this many certificates has this size. More bytes are padding, which could make a
  // correct NEW-VIEW too large for its frame (attack 13).
  if (value.raw.view.size() > view_change_bytes_of(cluster_.group(), value.prepared.size())) {
    return rejection::inconsistent_sizes;
  }
  if (own == own_signature::forged) return rejection::bad_signature;
  if (own == own_signature::unchecked) {
    if (const auto bad = check_document(value.replica, message_kind::view_change, value.raw.view, value.by)) return bad;
  }
  // §4.4: "n is the sequence number of the last stable checkpoint s known to i, C is a set of 2f + 1 valid
  // checkpoint messages proving the correctness of s".
  const bool initial = value.stable_sequence == sequence_number{0};
  if (value.stable_proof.sequence() != value.stable_sequence) return rejection::bad_certificate;
  // The initial state is known to all replicas and has no certificate.
  if (initial ? !value.stable_proof.votes.empty() : !proves_checkpoint(value.stable_proof)) {
    return rejection::bad_certificate;
  }
  // "P is a set containing a set Pm for each request m that prepared at i with a sequence number higher than n": one
  // certificate for each sequence number, in ascending order, inside the window that starts at n, and of views before
  // the new one (attack 11).
  auto last = value.stable_sequence;
  for (const auto& certificate : value.prepared) {
    const auto& header = certificate.pre_prepare.content;
    if (header.sequence <= last || header.sequence > value.stable_sequence.plus(cluster_.watermark_window) ||
        header.view >= value.new_view || !proves_prepared(certificate)) {
      return rejection::bad_certificate;
    }
    last = header.sequence;
  }
  return std::nullopt;
}

/// §4.4: "Each set Pm contains a valid pre-prepare message (without the corresponding client message) and 2f
/// matching, valid prepare messages signed by different backups with the same view, sequence number, and the digest of
/// m."
bool validator::proves_prepared(const prepared_certificate& certificate) const {
  const auto& header = certificate.pre_prepare.content;
  const auto primary = cluster_.group().primary_of(header.view);
  // A certificate has exactly a quorum of votes, including the header as the vote of the primary. More votes would only
  // make the VIEW-CHANGE larger.
  if (header.replica != primary || certificate.prepares.size() + 1 != cluster_.group().quorum()) return false;
  // The primary is in the set from the start, so a PREPARE of the primary counts as a repeated signer (attack 3).
  std::set<replica_id> signers{primary};
  for (const auto& vote : certificate.prepares) {
    const auto& content = vote.content;
    const bool same = content.view == header.view && content.sequence == header.sequence &&
                      content.value == header.value && content.epoch == header.epoch;
    if (!same || !signers.insert(content.replica).second) return false;
  }
  // Signatures come last, because they cost most.
  if (check_statement(message_kind::pre_prepare, certificate.pre_prepare)) return false;
  return std::ranges::none_of(
      certificate.prepares, [&](const auto& vote) { return check_statement(message_kind::prepare, vote).has_value(); });
}

or_rejection<new_view_plan> validator::check_new_view(const new_view& value, own_signature own) const {
  // The sender may be another replica than the primary: a NEW-VIEW is sent again to a replica that lost it, and proves
  // itself.
  const auto primary = cluster_.group().primary_of(value.view);
  if (value.replica != primary || value.view == view_number{0}) return rejected(rejection::not_from_primary);
  if (own == own_signature::forged) return rejected(rejection::bad_signature);
  if (own == own_signature::unchecked) {
    if (const auto bad = check_document(value.replica, message_kind::new_view, value.raw.view, value.by))
      return rejected(*bad);
  }
  // §4.4: "A backup accepts a new-view message for view v+1 if it is signed properly, if the view-change messages it
  // contains are valid for view v + 1, and if the set O is correct; it verifies the correctness of O by performing a
  // computation similar to the one used by the primary to create O."
  std::set<replica_id> senders;
  for (const auto& each : value.view_changes) {
    if (each.new_view != value.view || !senders.insert(each.replica).second)
      return rejected(rejection::bad_certificate);
  }
  // Fewer VIEW-CHANGEs may lack the certificate of a committed batch (attack 13).
  if (senders.size() < cluster_.group().quorum()) return rejected(rejection::bad_certificate);
  for (const auto& each : value.view_changes) {
    if (check_view_change(each, own_signature::unchecked)) return rejected(rejection::bad_certificate);
  }
  // O follows from V alone, so this replica computes it and accepts no other content. The signatures of O are checked
  // after that, because they go into slots and later certificates.
  //
  // This is the only computation of the plan at a backup: `replica_core` adopts the plan that is returned here. This is
  // safe because `plan_of` is a function of V, and V was checked above: a decoded NEW-VIEW never changes, and
  // `planned_new_view` binds the plan to it. A second computation could only give the same plan.
  auto plan = plan_of(value.view_changes);
  const auto expected = reproposals_of(plan, value.view, primary, cluster_.signing.epoch);
  const auto is_as_expected = [](const signed_statement& given, const statement& wanted) {
    return given.content == wanted;
  };
  if (!std::ranges::equal(value.reproposals, expected, is_as_expected)) return rejected(rejection::bad_certificate);
  for (const auto& each : value.reproposals) {
    if (check_statement(message_kind::pre_prepare, each)) return rejected(rejection::bad_certificate);
  }
  return plan;
}

bool validator::proves_checkpoint(const checkpoint_certificate& certificate) const {
  // A certificate has exactly a quorum of votes, so that certificates and the messages that contain them are bounded
  // (I6).
  if (certificate.votes.size() != cluster_.group().quorum()) return false;
  const auto& first = certificate.votes.front().content;
  if (first.view != view_number{0} || first.sequence == sequence_number{0} || !cluster_.is_checkpoint(first.sequence)) {
    return false;
  }
  std::set<replica_id> signers;
  for (const auto& vote : certificate.votes) {
    const auto& content = vote.content;
    // All votes must agree in these fields, because votes for different content do not form a quorum (attack 23).
    const bool same = content.view == first.view && content.sequence == first.sequence &&
                      content.value == first.value && content.epoch == first.epoch;
    if (!same || !signers.insert(content.replica).second) return false;
    if (check_statement(message_kind::checkpoint, vote)) return false;
  }
  return true;
}

}  // namespace hypermesh::protocol
