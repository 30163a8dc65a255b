#include "actors/protocol/guard/equivocation_detector.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

// The indices of the two signatures in a vote_claim.
constexpr std::size_t prepare_at = 0;
constexpr std::size_t commit_at = 1;

std::size_t place_of(message_kind kind) { return kind == message_kind::commit ? commit_at : prepare_at; }
message_kind kind_at(std::size_t place) { return place == commit_at ? message_kind::commit : message_kind::prepare; }

}  // namespace

equivocation_detector::equivocation_detector(const cluster_parameters& cluster, const validator& checks)
    : cluster_(cluster), checks_(&checks), replicas_(cluster.replicas), proposals_(cluster.watermark_window) {
  // h = 0 and H = L are used until the replica publishes its position.
  at_.high = sequence_number{cluster.watermark_window};
  require(cluster.watermark_window > 0, "each sequence of the window has a place of its own");
  require(cluster.checkpoint_period > 0, "each checkpoint of the window has a place of its own");
}

equivocation_detector::findings equivocation_detector::on_message(replica_id sender, const message& value) {
  findings out;
  const auto is_own = [&](const signed_statement& said) { return said.content.replica == sender; };
  // A proposal may come on any link, because backups send it again to replicas that lack it. A vote is remembered only
  // from the link of its signer, because a faulty replica 3 could otherwise use up the place of replica 1 with a forged
  // vote.
  if (const auto* it = std::get_if<pre_prepare>(&value)) note_proposal(it->header, out);
  if (const auto* it = std::get_if<prepare>(&value); it != nullptr && is_own(it->vote)) {
    note_vote(message_kind::prepare, it->vote, out);
  }
  if (const auto* it = std::get_if<commit>(&value); it != nullptr && is_own(it->vote)) {
    note_vote(message_kind::commit, it->vote, out);
  }
  if (const auto* it = std::get_if<checkpoint>(&value); it != nullptr && is_own(it->vote)) {
    note_checkpoint(it->vote, out);
  }
  const auto* shown = std::get_if<evidence>(&value);
  // The validator refuses EVIDENCE with more items than a misbehaviour can have, so it is ignored here.
  if (shown == nullptr || shown->items.size() > items_per_misbehaviour_max) return out;
  for (const auto& each : shown->items) {
    const auto* said = std::get_if<signed_statement>(&each.content);
    if (said == nullptr) continue;
    if (each.kind == message_kind::pre_prepare) note_proposal(*said, out);
  }
  return out;
}

bool equivocation_detector::compares(const evidence_item& document) const {
  const auto* change = document_in<view_change>(document);
  const auto* opened = document_in<new_view>(document);
  if (change == nullptr && opened == nullptr) return false;
  // Two documents have to fit one system request; larger ones cannot become evidence and are not remembered.
  if (document_of(document).view.size() > limits::evidence_item_bytes_max) return false;
  if (change != nullptr && is_avoided_as_primary(change->replica)) return false;
  return cluster_.group().contains(change != nullptr ? change->replica : opened->replica);
}

equivocation_detector::findings equivocation_detector::on_document(const authentic_item& document) {
  findings out;
  if (compares(document.item())) note_document(document, out);
  return out;
}

equivocation_detector::findings equivocation_detector::on_verified(const message& value) {
  findings out;
  // The certificates are verified, so their votes count although they came on a link of another replica. Example:
  // replica 1 voted for A on the link to this replica, and its PREPARE for B is in a certificate of replica 2.
  if (const auto* it = std::get_if<view_change>(&value)) note_certificates(*it, out);
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) {
    for (const auto& each : it->certificate.votes)
      note_checkpoint(each, out);
  }
  return out;
}

equivocation_detector::findings equivocation_detector::on_opened(const planned_new_view& verified) {
  findings out;
  const auto& changes = verified.message().view_changes;
  for (std::size_t index = 0; index < changes.size(); ++index) {
    const auto& each = changes[index];
    // A VIEW-CHANGE that the detector would not compare is not copied.
    const bool is_small = each.raw.view.size() <= limits::evidence_item_bytes_max;
    if (is_small && !is_avoided_as_primary(each.replica)) {
      note_document(validator::view_change_in(verified, index), out);
    }
    note_certificates(each, out);
  }
  for (const auto& each : verified.message().reproposals)
    note_proposal(each, out);
  return out;
}

equivocation_detector::findings equivocation_detector::on_refused(const message& value, rejection why) {
  findings out;
  // The validator gives these reasons before it verifies the signature, so it is verified here.
  const bool unlawful_vote = why == rejection::not_from_primary || why == rejection::primary_voted_prepare ||
                             why == rejection::number_out_of_range;
  if (const auto* it = std::get_if<pre_prepare>(&value); it != nullptr && unlawful_vote) {
    prove_alone({message_kind::pre_prepare, it->header}, out);
  }
  if (const auto* it = std::get_if<prepare>(&value); it != nullptr && unlawful_vote) {
    prove_alone({message_kind::prepare, it->vote}, out);
  }
  if (const auto* it = std::get_if<checkpoint>(&value); it != nullptr && unlawful_vote) {
    prove_alone({message_kind::checkpoint, it->vote}, out);
  }
  return out;
}

equivocation_detector::findings equivocation_detector::on_refused(const authentic_item& document, rejection why) {
  findings out;
  // The signer is responsible for a fault in a document with a genuine signature. The validator has just found the
  // fault, and the same check accepts the evidence at every other replica. The validator also refuses documents for
  // reasons that are not the fault of the signer, for example because they came on the link of another replica (attack
  // 39).
  const bool is_its_content = why == rejection::number_out_of_range || why == rejection::inconsistent_sizes ||
                              why == rejection::bad_certificate || why == rejection::not_from_primary;
  if (!is_its_content) return out;
  // `claim_in` finds no case in a larger document: it costs more signature checks than a judgement may (attack 33).
  // Such a document is refused and does not convict.
  evidence shown{{document.item()}};
  if (is_worth_proving(shown)) out.proofs.push_back(std::move(shown));
  return out;
}

/// Whether this node still needs the case that the evidence would prove. Decided before any signature is checked.
bool equivocation_detector::is_worth_proving(const evidence& shown) const {
  require(!shown.items.empty(), "evidence shows something");
  require(shown.items.size() <= items_per_misbehaviour_max, "two signed messages convict, and not more");
  const auto about = claim_in(shown, cluster_);
  const auto* accused = about ? std::get_if<misbehaviour>(&*about) : nullptr;
  // A replica that is avoided already is not proven faulty again, because it could make evidence against itself without
  // end (attack 33).
  return accused != nullptr &&
         !(accused->accused.is_replica() && is_avoided_as_primary(replica_id{accused->accused.number}));
}

void equivocation_detector::prove_alone(evidence_item claimed, findings& out) {
  evidence shown{{std::move(claimed)}};
  if (is_worth_proving(shown) && authenticate(shown.items.front())) out.proofs.push_back(std::move(shown));
}

bool equivocation_detector::prove(const evidence_item& remembered, const authentic_item& said, findings& out) {
  evidence shown{{remembered, said.item()}};
  if (!is_worth_proving(shown) || !authenticate(remembered)) return false;
  out.proofs.push_back(std::move(shown));
  return true;
}

/// Adds the two messages to `out` if they prove a misbehaviour; returns whether they do. Both signatures were verified
/// before, so this costs no check.
bool equivocation_detector::prove(const authentic_item& before, const authentic_item& said, findings& out) const {
  evidence shown{{before.item(), said.item()}};
  if (!is_worth_proving(shown)) return false;
  out.proofs.push_back(std::move(shown));
  return true;
}

// --- Votes -----------------------------------------------------------------------

bool equivocation_detector::is_near(const statement& content) const {
  // Each sequence number inside the window has its own place, and so have the present and the next view. A statement
  // outside could replace one that a replica signed for the present view and window.
  return content.sequence > at_.stable && content.sequence <= at_.high && content.view <= at_.view.next() &&
         content.epoch == cluster_.signing.epoch && cluster_.group().contains(content.replica);
}

equivocation_detector::replica_record* equivocation_detector::record_of(replica_id replica) {
  if (!cluster_.group().contains(replica)) return nullptr;
  // The record is allocated with the first message of the replica, so that silent replicas cost no memory.
  auto& known = replicas_[replica.value];
  if (known == nullptr) {
    known = std::make_unique<replica_record>();
    known->votes.resize(cluster_.watermark_window);
    known->checkpoints.resize(cluster_.watermark_window / cluster_.checkpoint_period + 2);
  }
  require(known->votes.size() == cluster_.watermark_window, "each sequence of the window has a place of its own");
  return known.get();
}

/// The place of the votes of one (v, n); null if the place holds votes of a later view.
equivocation_detector::vote_claim* equivocation_detector::claim_of(const statement& content) {
  if (!is_near(content)) return nullptr;
  auto& slot = record_of(content.replica)->votes[content.sequence.value % cluster_.watermark_window];
  // The sequence that had this place before is at or below h, because the window holds L sequences. Its votes are no
  // longer needed.
  if (slot.sequence != content.sequence) slot = {content.sequence, {}};
  auto& claim = slot.of_view[content.view.value % 2];
  if (claim.view > content.view) return nullptr;
  if (claim.view < content.view) claim = {};
  claim.view = content.view;
  require(slot.sequence == content.sequence, "the place is that of the sequence");
  require(content.view <= at_.view.next(), "the place is that of this view or the next one");
  return &claim;
}

/// The remembered proposal of (v, n); null if there is none.
equivocation_detector::proposal_claim* equivocation_detector::proposal_of(view_number view, sequence_number sequence) {
  auto& claim = proposals_[sequence.value % cluster_.watermark_window][view.value % 2];
  return claim.header && claim.view == view && claim.sequence == sequence ? &claim : nullptr;
}

bool equivocation_detector::is_avoided_as_primary(replica_id replica) const {
  return std::ranges::binary_search(avoided_as_primary_, replica);
}

std::optional<authentic_item> equivocation_detector::authenticate(evidence_item claimed) {
  ++checks_made_;
  return checks_->authenticate(std::move(claimed));
}

/// §4.2: a backup accepts one PRE-PREPARE for (v, n), so its PREPARE and its COMMIT carry one digest.
void equivocation_detector::note_vote(message_kind kind, const signed_statement& said, findings& out) {
  const auto& content = said.content;
  auto* claim = is_avoided_as_primary(content.replica) ? nullptr : claim_of(content);
  if (claim == nullptr) return;
  show_proposal(content, out);
  const auto place = place_of(kind);
  // Contains `said` after its signature was verified. A forged vote never counts as a conflict.
  std::optional<authentic_item> genuine;
  const bool is_first = !claim->said[prepare_at] && !claim->said[commit_at];
  if (is_first || claim->value == content.value) {
    claim->value = content.value;
    if (claim->said[place] && is_other_copy(claim->by[place], said)) {
      genuine = authenticate({kind, said});
      if (!genuine) return;
    }
    if (!claim->said[place] || genuine) claim->by[place] = said.by;
    claim->said[place] = true;
  } else if (!claim->is_closed) {
    // The new vote is verified before the remembered ones, because a forged vote must not replace a genuine one.
    genuine = authenticate({kind, said});
    if (!genuine) return;
    claim->is_closed = prove_against(*claim, said, *genuine, out);
    // The new vote is genuine and the pair proves nothing, so the remembered signatures are forged. The new vote
    // replaces them. Otherwise a replica could hide its votes behind bad copies that it sends first.
    if (!claim->is_closed) {
      *claim = {content.view, content.value, {}, {}, false};
      claim->by[place] = said.by;
      claim->said[place] = true;
    }
  }
  require(claim->view == content.view, "a vote is remembered in its view");
  require(claim->is_closed || (claim->said[place] && claim->value == content.value),
          "a vote is remembered, or its place has convicted its signer");
  // The primary casts no PREPARE, but its COMMIT may conflict with its own proposal.
  auto* proposal = proposal_of(content.view, content.sequence);
  if (proposal == nullptr || proposal->is_closed || proposal->header->content.replica != content.replica ||
      proposal->header->content.value == content.value) {
    return;
  }
  if (!genuine) genuine = authenticate({kind, said});
  proposal->is_closed = genuine && prove({message_kind::pre_prepare, *proposal->header}, *genuine, out);
}

/// Whether the new vote and one of the two remembered votes prove a misbehaviour. Tries the remembered PREPARE and the
/// remembered COMMIT, because one of the two may be forged.
bool equivocation_detector::prove_against(const vote_claim& claim, const signed_statement& said,
                                          const authentic_item& genuine, findings& out) {
  require(claim.said[prepare_at] || claim.said[commit_at], "a vote conflicts with a remembered one");
  require(claim.value != said.content.value, "equal votes do not conflict");
  for (const auto known : {prepare_at, commit_at}) {
    if (!claim.said[known]) continue;
    auto before = said;
    before.content.value = claim.value;
    before.by = claim.by[known];
    if (prove({kind_at(known), before}, genuine, out)) return true;
  }
  return false;
}

/// Whether `said` could replace a remembered signature of the same content. Ed25519 is deterministic, so a correct
/// replica never makes two signatures of one content: a different signature means that one of the two is forged, and
/// only in this case a check is worth its cost.
bool equivocation_detector::is_other_copy(const signature& known, const signed_statement& said) {
  return known != said.by;
}

/// Sends the proposal to a voter that voted for another digest. The voter holds the other proposal, so both replicas
/// have the evidence against the primary one message later (attack 8).
void equivocation_detector::show_proposal(const statement& vote, findings& out) {
  auto* proposal = proposal_of(vote.view, vote.sequence);
  if (proposal == nullptr || proposal->header->content.value == vote.value) return;
  proposal->shown_to.resize(cluster_.replicas);
  require(cluster_.group().contains(vote.replica), "the voter is a replica");
  require(proposal->header->content.view == vote.view && proposal->header->content.sequence == vote.sequence,
          "the vote is for the place of the proposal");
  // The proposal is sent once to each voter, because otherwise a flood of votes would cause a flood of EVIDENCE. A
  // forged header is never sent.
  if (proposal->shown_to[vote.replica.value]) return;
  const auto genuine = authenticate({message_kind::pre_prepare, *proposal->header});
  if (!genuine) return;
  proposal->shown_to[vote.replica.value] = true;
  out.shows.push_back({vote.replica, {{genuine->item()}}});
}

void equivocation_detector::note_proposal(const signed_statement& header, findings& out) {
  const auto& content = header.content;
  // A PRE-PREPARE of another replica than the primary is not remembered. The validator refuses it, and `on_refused`
  // handles it.
  if (!is_near(content) || content.replica != cluster_.group().primary_of(content.view)) return;
  auto& claim = proposals_[content.sequence.value % cluster_.watermark_window][content.view.value % 2];
  const bool is_other = !claim.header || claim.sequence != content.sequence || claim.view != content.view;
  if (is_other && claim.header && claim.sequence == content.sequence && claim.view > content.view) return;
  // Contains `header` after its signature was verified. A forged header never counts as a conflict.
  std::optional<authentic_item> genuine;
  if (is_other) {
    claim = {content.view, content.sequence, header, false, {}};
    show_to_voters(content, out);
  } else if (claim.header->content.value == content.value) {
    if (is_other_copy(claim.header->by, header)) {
      genuine = authenticate({message_kind::pre_prepare, header});
      if (!genuine) return;
      claim.header = header;
      show_to_voters(content, out);
    }
  } else if (!claim.is_closed && !is_avoided_as_primary(content.replica)) {
    // Two headers for one (v, n). If the new one is genuine and the pair proves nothing, the remembered one is forged,
    // and the new one replaces it.
    genuine = authenticate({message_kind::pre_prepare, header});
    if (!genuine) return;
    claim.is_closed = prove({message_kind::pre_prepare, *claim.header}, *genuine, out);
    if (!claim.is_closed) claim.header = header;
  }
  require(claim.header.has_value(), "a proposal of the primary fills its place");
  require(claim.sequence == content.sequence && claim.view == content.view, "the place is that of the proposal");
  // The proposal may arrive after a COMMIT of the primary for another digest.
  auto* votes = claim_of(content);
  if (votes == nullptr || votes->is_closed || !votes->said[commit_at] || votes->value == content.value ||
      is_avoided_as_primary(content.replica)) {
    return;
  }
  if (!genuine) genuine = authenticate({message_kind::pre_prepare, header});
  auto before = header;
  before.content.value = votes->value;
  before.by = votes->by[commit_at];
  votes->is_closed = genuine && prove({message_kind::commit, before}, *genuine, out);
}

/// Sends the proposal to the replicas that voted for another digest before the proposal arrived.
void equivocation_detector::show_to_voters(const statement& proposed, findings& out) {
  require(replicas_.size() == cluster_.replicas, "each replica has a record");
  require(is_near(proposed), "only a proposal inside the window is shown");
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
    // No message of this replica is remembered, so there is no vote to compare.
    if (replicas_[number] == nullptr) continue;
    auto said = proposed;
    said.replica = replica_id{number};
    const auto& slot = replicas_[number]->votes[proposed.sequence.value % cluster_.watermark_window];
    const auto& vote = slot.of_view[proposed.view.value % 2];
    const bool same_place = slot.sequence == proposed.sequence && vote.view == proposed.view;
    if (!same_place || !(vote.said[prepare_at] || vote.said[commit_at])) continue;
    said.value = vote.value;
    show_proposal(said, out);
  }
}

void equivocation_detector::note_checkpoint(const signed_statement& said, findings& out) {
  const auto& content = said.content;
  // §4.3: one order of batches leads to one state, so a replica signs one digest for each checkpoint. `on_refused`
  // handles CHECKPOINTs that are not at the end of a period.
  const bool is_due = content.view == view_number{0} && content.sequence != sequence_number{0} &&
                      cluster_.is_checkpoint(content.sequence);
  if (!is_due || content.sequence < at_.stable || content.sequence > at_.high || is_avoided_as_primary(content.replica))
    return;
  auto* known = record_of(content.replica);
  if (known == nullptr) return;
  auto& ring = known->checkpoints;
  require(ring.size() > cluster_.watermark_window / cluster_.checkpoint_period + 1,
          "the checkpoints of a window and the stable one have a place each");
  // The stable checkpoint counts too, so up to L / K + 1 checkpoints are compared at a time; the ring has L / K + 2
  // places.
  auto& claim = ring[content.sequence.value / cluster_.checkpoint_period % ring.size()];
  if (!claim.said || claim.said->content.sequence != content.sequence) {
    claim = {said, false};
    return;
  }
  require(claim.said->content.replica == content.replica, "a record is that of one replica");
  if (claim.is_closed) return;
  if (claim.said->content.value == content.value) {
    if (is_other_copy(claim.said->by, said) && authenticate({message_kind::checkpoint, said})) claim.said = said;
    return;
  }
  const auto genuine = authenticate({message_kind::checkpoint, said});
  if (!genuine) return;
  claim.is_closed = prove({message_kind::checkpoint, *claim.said}, *genuine, out);
  // The new CHECKPOINT is genuine and the pair proves nothing, so the remembered one is forged.
  if (!claim.is_closed) claim.said = said;
}

// --- Documents -------------------------------------------------------------------

void equivocation_detector::note_document(const authentic_item& said, findings& out) {
  if (const auto* opened = document_in<new_view>(said.item())) {
    return note_document(record_of(opened->replica)->new_view, opened->view, said, out);
  }
  const auto* change = document_in<view_change>(said.item());
  auto* known = change == nullptr ? nullptr : record_of(change->replica);
  if (known == nullptr) return;
  look_for_hidden(*change, said, out);
  note_document(known->view_change, change->new_view, said, out);
}

void equivocation_detector::note_document(document_claim& known, view_number view, const authentic_item& said,
                                          findings& out) {
  // A document for a view that is far ahead is ignored, because it would prevent documents for all earlier views from
  // being remembered.
  if (view.value > at_.view.value + cluster_.replicas || (known.said && known.view > view)) return;
  // The newest document replaces the older one, because memory is bounded by one document of each kind (I12).
  if (!known.said || known.view < view) {
    known = {view, said, false};
    return;
  }
  require(known.view == view, "a place is that of one view");
  require(known.said->item().kind == said.item().kind, "documents of one kind are compared");
  // A second document for one view. Equal content is no evidence, so a retransmission proves nothing.
  if (!known.is_closed) known.is_closed = prove(*known.said, said, out);
}

/// A COMMIT promises that every later VIEW-CHANGE of its signer contains the prepared certificate (attack 10). Example:
/// replica 1 sent COMMIT v=0 n=5, and its VIEW-CHANGE for view 1 has h=0 and no certificate for n=5.
void equivocation_detector::look_for_hidden(const messages::view_change& value, const authentic_item& document,
                                            findings& out) {
  require(document_in<messages::view_change>(document.item()) == &value, "the document is the VIEW-CHANGE");
  auto* record = record_of(value.replica);
  require(record != nullptr, "a VIEW-CHANGE that is compared is that of a replica");
  for (auto& slot : record->votes) {
    if (slot.sequence <= at_.stable) continue;
    for (auto& claim : slot.of_view) {
      if (!claim.said[commit_at] || claim.is_closed) continue;
      const signed_statement said{{claim.view, slot.sequence, claim.value, value.replica, cluster_.signing.epoch},
                                  claim.by[commit_at]};
      if (!conceals(value, said.content)) continue;
      // The COMMIT was remembered unverified. If it turns out to be forged, it is removed.
      const auto genuine = authenticate({message_kind::commit, said});
      claim.said[commit_at] = genuine.has_value();
      if (!genuine) continue;
      claim.is_closed = prove(*genuine, document, out);
      // One proof is enough to convict.
      if (claim.is_closed) return;
    }
  }
}

void equivocation_detector::note_certificates(const messages::view_change& value, findings& out) {
  for (const auto& each : value.stable_proof.votes)
    note_checkpoint(each, out);
  for (const auto& each : value.prepared) {
    note_proposal(each.pre_prepare, out);
    for (const auto& vote : each.prepares)
      note_vote(message_kind::prepare, vote, out);
  }
}

}  // namespace hypermesh::protocol
