#include "actors/protocol/reputation/system_request.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "messages/codec.hpp"
#include "messages/digest.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

bool is_vote(message_kind kind) {
  return kind == message_kind::pre_prepare || kind == message_kind::prepare || kind == message_kind::commit;
}

/// The case of a single vote that no correct replica signs, whatever it received before.
std::optional<system_claim> lone_vote(message_kind kind, const statement& content, const cluster_parameters& cluster) {
  const auto primary = cluster.group().primary_of(content.view);
  const bool is_lawful = [&] {
    switch (kind) {
      // §4.2: only the primary proposes, and only backups prepare.
      case message_kind::pre_prepare:
        return content.replica == primary;
      case message_kind::prepare:
        return content.replica != primary;
      // §4.3: a CHECKPOINT belongs to no view and to the end of a checkpoint period.
      case message_kind::checkpoint:
        return content.view == view_number{0} && content.sequence != sequence_number{0} &&
               cluster.is_checkpoint(content.sequence);
      // Every replica may send a COMMIT for each (v, n).
      default:
        return true;
    }
  }();
  if (is_lawful) return std::nullopt;
  return misbehaviour{principal::of(content.replica), misbehaviour_kind::unlawful_vote, content.view, content.sequence};
}

std::optional<system_claim> two_votes(const evidence_item& first, const evidence_item& second) {
  require(first.is_statement() && second.is_statement(), "two statements are compared");
  const auto& one = std::get<signed_statement>(first.content).content;
  const auto& other = std::get<signed_statement>(second.content).content;
  // Two signatures over one digest are not a conflict, because a replica sends its votes again after a loss.
  if (one.replica != other.replica || one.epoch != other.epoch || one.sequence != other.sequence ||
      one.value == other.value) {
    return std::nullopt;
  }
  const auto accused = principal::of(one.replica);
  // §4.2: a backup accepts one PRE-PREPARE for (v, n), and all that it signs for (v, n) has the digest of that
  // PRE-PREPARE. Votes of two views may differ, because a new view may order another batch at n.
  if (is_vote(first.kind) && is_vote(second.kind) && one.view == other.view) {
    return misbehaviour{accused, misbehaviour_kind::conflicting_votes, one.view, one.sequence};
  }
  // §4.3: one order leads to one state. A replica whose state was wrong signs no second root for a sequence number that
  // it has voted for (`checkpoint_votes`), so it is not convicted.
  if (first.kind == message_kind::checkpoint && second.kind == message_kind::checkpoint) {
    return misbehaviour{accused, misbehaviour_kind::conflicting_checkpoints, view_number{0}, one.sequence};
  }
  return std::nullopt;
}

std::optional<system_claim> vote_and_document(const evidence_item& vote, const evidence_item& document) {
  const auto& said = std::get<signed_statement>(vote.content).content;
  require(vote.is_statement() && !document.is_statement(), "a statement comes before a document");
  const auto* change = document_in<view_change>(document);
  // Only a COMMIT promises that later VIEW-CHANGEs contain the certificate. A PREPARE promises nothing, because its
  // signer may never have had the batch prepared.
  if (vote.kind != message_kind::commit || change == nullptr || change->replica != said.replica) return std::nullopt;
  if (!conceals(*change, said)) return std::nullopt;
  return misbehaviour{principal::of(said.replica), misbehaviour_kind::hidden_certificate, change->new_view,
                      said.sequence};
}

/// Whether two documents have the same content. The signature at the end of each is left out, because two signatures of
/// one content are no conflict.
bool is_same_content(byte_span left, byte_span right) {
  return std::ranges::equal(left.first(left.size() - signature::size), right.first(right.size() - signature::size));
}

bool is_same_document(const evidence_item& one, const evidence_item& other) {
  return is_same_content(document_of(one).view, document_of(other).view);
}

std::optional<system_claim> two_documents(const evidence_item& first, const evidence_item& second) {
  require(!first.is_statement() && !second.is_statement(), "two documents are compared");
  if (first.kind != second.kind || is_same_document(first, second)) return std::nullopt;
  if (const auto* one = document_in<view_change>(first), *other = document_in<view_change>(second); one && other) {
    // A correct replica signs one VIEW-CHANGE for a view. After a restart it continues with the same one (attack 21).
    if (one->replica != other->replica || one->new_view != other->new_view) return std::nullopt;
    return misbehaviour{principal::of(one->replica), misbehaviour_kind::conflicting_view_changes, one->new_view, {}};
  }
  if (const auto* one = document_in<new_view>(first), *other = document_in<new_view>(second); one && other) {
    // Two NEW-VIEWs of one view could give backups different batches at one sequence (attack 13).
    if (one->replica != other->replica || one->view != other->view) return std::nullopt;
    return misbehaviour{principal::of(one->replica), misbehaviour_kind::conflicting_new_views, one->view, {}};
  }
  const auto* one = document_in<request>(first);
  const auto* other = document_in<request>(second);
  if (!one || !other || one->id != other->id) return std::nullopt;
  // Two processes of one client may choose one session number by accident. They open it with different nonces, so their
  // openings differ.
  if (one->id.opens_session()) return std::nullopt;
  return misbehaviour{principal::of(one->id.client),
                      misbehaviour_kind::conflicting_requests,
                      {},
                      sequence_number{one->id.when.value},
                      one->id.session};
}

/// The case that a single document makes if it is invalid. `validator::proves` checks the document as a whole, so a
/// valid VIEW-CHANGE or NEW-VIEW never convicts its signer.
std::optional<system_claim> lone_document(const evidence_item& shown) {
  // The size is bounded, because the validator verifies each signature in the document (attack 33).
  if (document_of(shown).view.size() > limits::lone_evidence_item_bytes_max) return std::nullopt;
  if (const auto* change = document_in<view_change>(shown)) {
    return misbehaviour{principal::of(change->replica), misbehaviour_kind::unlawful_view_change, change->new_view, {}};
  }
  if (const auto* opened = document_in<new_view>(shown)) {
    return misbehaviour{principal::of(opened->replica), misbehaviour_kind::unlawful_new_view, opened->view, {}};
  }
  return std::nullopt;
}

/// The group request for which all items are votes; nothing if they differ.
std::optional<system_claim> vote_of_many(const evidence& shown, const cluster_parameters& cluster) {
  require(!shown.items.empty(), "evidence shows something");
  const auto kind = shown.items.front().kind;
  std::optional<group_request> same;
  std::set<replica_id> voters;
  for (const auto& each : shown.items) {
    const auto* said = std::get_if<signed_statement>(&each.content);
    if (each.kind != kind || said == nullptr) return std::nullopt;
    const auto wanted = group_request_of(kind, said->content, cluster);
    if (!wanted || (same && *same != *wanted) || !voters.insert(said->content.replica).second) return std::nullopt;
    same = wanted;
  }
  // Exactly the needed number of votes is accepted: f + 1 votes include a correct voter, and more votes would only cost
  // more checks.
  require(same.has_value() && voters.size() == shown.items.size(), "each item is a vote of another replica");
  if (voters.size() != voters_of(*same, cluster.group())) return std::nullopt;
  return *same;
}

bool is_group_request(message_kind kind) {
  return kind == message_kind::complaint || kind == message_kind::release || kind == message_kind::readmission ||
         kind == message_kind::hand_over;
}

/// Votes of group requests use the layout of other votes. The digest field begins with the reason or cause. In a
/// HAND-OVER the number of the replica follows, 4 bytes in big-endian order.
constexpr std::size_t reason_at = 0;
constexpr std::size_t about_at = 1;

std::optional<group_request> hand_over_in(const statement& content, group_size group) {
  std::uint32_t about = 0;
  for (std::size_t index = 0; index < sizeof(about); ++index)
    about = (about << 8U) | std::to_integer<std::uint32_t>(content.value.bytes[about_at + index]);
  const auto cause = std::to_integer<std::uint8_t>(content.value.bytes[reason_at]);
  // View 0 has no view before it that a hand-over could end.
  if (cause == 0 || cause > hand_over_cause_last || content.view == view_number{0}) return std::nullopt;
  group_request value{message_kind::hand_over, replica_id{about}, complaint_reason::garbage, {}, content.view};
  value.cause = static_cast<hand_over_cause>(cause);
  if (!group.contains(value.about)) return std::nullopt;
  // The view determines `about`: it is the primary of the new view, or the primary that steps down from the view before
  // it. So equal requests have equal statements.
  if (value.cause == hand_over_cause::operators && value.about != group.primary_of(value.to)) return std::nullopt;
  const view_number left{value.to.value - 1};
  // A primary alone may only step down from its own view. Without this check any replica could end the view of another
  // primary.
  const bool is_own = value.about == content.replica && content.replica == group.primary_of(left);
  if (value.cause == hand_over_cause::step_down && !is_own) return std::nullopt;
  // Every bit of the statement is determined by the request, so the votes for one request differ only in their signers.
  if (content != hand_over_of(content.replica, value.about, value.to, value.cause, content.epoch)) return std::nullopt;
  return value;
}

}  // namespace

bool is_same_request(const request& one, const request& other) { return is_same_content(one.raw.view, other.raw.view); }

// §4.4: P has a set "for each request m that prepared at i with a sequence number higher than n", and the certificate
// of the highest view counts. Example: replica 1 signed COMMIT v=2 n=5 A. Its VIEW-CHANGE for view 4 with a stable
// checkpoint below 5 must contain a certificate for n=5: of view 2 with A, or of view 3 with any digest, because view 3
// may have ordered another batch at n=5.
bool conceals(const view_change& change, const statement& said) {
  // A COMMIT of the new view or a later one may be signed after the VIEW-CHANGE. P has no certificate at or below the
  // stable checkpoint, because the checkpoint covers these sequences.
  if (said.view >= change.new_view || said.sequence <= change.stable_sequence) return false;
  const auto found = std::ranges::find(change.prepared, said.sequence,
                                       [](const auto& each) { return each.pre_prepare.content.sequence; });
  if (found == change.prepared.end()) return true;
  const auto& shown = found->pre_prepare.content;
  require(shown.sequence == said.sequence, "the certificate is for the sequence of the COMMIT");
  return shown.view < said.view || (shown.view == said.view && shown.value != said.value);
}

std::uint32_t voters_of(const group_request& wanted, group_size group) {
  // A primary that wants to stop could also be mute until it is replaced, so it needs no other voter (attack 41).
  const bool alone = wanted.kind == message_kind::hand_over && wanted.cause == hand_over_cause::step_down;
  return alone ? 1 : group.weak_quorum();
}

std::optional<group_request> group_request_of(message_kind kind, const statement& content,
                                              const cluster_parameters& cluster) {
  const auto group = cluster.group();
  if (kind == message_kind::hand_over) return hand_over_in(content, group);
  // In these three kinds the view field contains the number of the replica.
  if (!is_group_request(kind) || content.view.value >= group.replicas() || content.sequence == sequence_number{0}) {
    return std::nullopt;
  }
  group_request value{kind, replica_id{static_cast<std::uint32_t>(content.view.value)}, complaint_reason::garbage,
                      content.sequence};
  // All other bytes of the digest field are 0, so that equal requests have equal statements.
  auto expected = content;
  expected.value = {};
  if (kind == message_kind::complaint) {
    const auto reason = std::to_integer<std::uint8_t>(content.value.bytes[reason_at]);
    if (reason == 0 || reason > complaint_reason_last || value.about == content.replica ||
        !cluster.is_checkpoint(content.sequence)) {
      return std::nullopt;
    }
    value.why = static_cast<complaint_reason>(reason);
    expected.value.bytes[reason_at] = content.value.bytes[reason_at];
  }
  if (expected != content) return std::nullopt;
  return value;
}

std::optional<system_claim> claim_in(const evidence& shown, const cluster_parameters& cluster) {
  if (shown.items.empty()) return std::nullopt;
  const auto& first = shown.items.front();
  if (is_group_request(first.kind)) return vote_of_many(shown, cluster);
  // `decode_evidence` puts statements before documents: if the first item is a document, so are all others.
  const bool stated = first.is_statement();
  if (shown.items.size() == 1) {
    return stated ? lone_vote(first.kind, std::get<signed_statement>(first.content).content, cluster)
                  : lone_document(first);
  }
  if (shown.items.size() != 2) return std::nullopt;
  const auto& second = shown.items.back();
  if (!stated) return two_documents(first, second);
  return second.is_statement() ? two_votes(first, second) : vote_and_document(first, second);
}

std::optional<system_claim> claim_in(const system_request& value, const cluster_parameters& cluster) {
  require(value.shown != nullptr, "a system request holds its evidence");
  auto about = claim_in(*value.shown, cluster);
  // The name follows from the case. If the sender could choose it, one case could be ordered under many names.
  if (!about || case_name_of(*about) != value.name) return std::nullopt;
  return about;
}

// The evidence is not hashed. Two replicas that saw different pairs of messages for one misbehaviour report one case.
case_name case_name_of(const system_claim& about) {
  hasher of{"guard case"};
  of.add(about.index());
  if (const auto* accused = std::get_if<misbehaviour>(&about)) {
    // Replica 3 and client 3 are different principals with one number.
    of.add(accused->accused.is_replica() ? 1 : 2).add(accused->accused.number);
    of.add(static_cast<std::uint64_t>(accused->what)).add(accused->view.value).add(accused->sequence.value);
    // Timestamps count inside a session, so conflicts in two sessions are two cases.
    of.add(accused->session.value);
  } else {
    const auto& wanted = std::get<group_request>(about);
    of.add(static_cast<std::uint64_t>(wanted.kind)).add(wanted.about.value);
    of.add(static_cast<std::uint64_t>(wanted.why)).add(wanted.sequence.value);
    of.add(wanted.to.value).add(static_cast<std::uint64_t>(wanted.cause));
  }
  const auto whole = of.finish();
  std::uint64_t number = 0;
  for (std::size_t index = 0; index < sizeof(number); ++index)
    number = (number << 8U) | std::to_integer<std::uint64_t>(whole.bytes[index]);
  return case_name{number};
}

system_request system_request_for(const system_claim& about, std::shared_ptr<const evidence> shown) {
  return encode_system_request(case_name_of(about), std::move(shown));
}

statement complaint_of(replica_id self, replica_id about, complaint_reason why, sequence_number period,
                       epoch_number epoch) {
  statement content{view_number{about.value}, period, {}, self, epoch};
  content.value.bytes[reason_at] = static_cast<std::byte>(why);
  return content;
}

statement release_of(replica_id self, replica_id about, sequence_number convicted_at, epoch_number epoch) {
  return {view_number{about.value}, convicted_at, {}, self, epoch};
}

statement readmission_of(replica_id self, replica_id about, sequence_number floor, epoch_number epoch) {
  return {view_number{about.value}, floor, {}, self, epoch};
}

statement hand_over_of(replica_id self, replica_id about, view_number to, hand_over_cause why, epoch_number epoch) {
  statement content{to, {}, {}, self, epoch};
  content.value.bytes[reason_at] = static_cast<std::byte>(why);
  for (std::size_t index = 0; index < sizeof(about.value); ++index)
    content.value.bytes[about_at + index] = static_cast<std::byte>(about.value >> (8U * (3U - index)));
  return content;
}

}  // namespace hypermesh::protocol
