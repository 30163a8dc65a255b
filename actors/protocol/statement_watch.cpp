#include "actors/protocol/statement_watch.hpp"

#include <algorithm>

namespace hypermesh {

namespace {

constexpr std::size_t prepare_at = 0;
constexpr std::size_t commit_at = 1;

std::size_t place_of(message_kind kind) { return kind == message_kind::commit ? commit_at : prepare_at; }
message_kind kind_at(std::size_t place) { return place == commit_at ? message_kind::commit : message_kind::prepare; }

exhibits pair_of(message_kind one, const signed_statement& first, message_kind other, const signed_statement& second) {
  return {{exhibit{one, first}, exhibit{other, second}}};
}

blob copy_of(const blob& raw) {
  auto owner = std::make_shared<const byte_vector>(raw.view.begin(), raw.view.end());
  const byte_span view{*owner};
  return {std::move(owner), view};
}

}  // namespace

statement_watch::statement_watch(const cluster_parameters& cluster, const validator& checks)
    : cluster_(cluster), checks_(&checks), replicas_(cluster.replicas), proposals_(cluster.watermark_window) {
  at_.high = sequence_number{cluster.watermark_window};
}

statement_watch::findings statement_watch::on_message(replica_id sender, const message& value) {
  findings out;
  const auto is_own = [&](const signed_statement& said) { return said.content.replica == sender; };
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
  if (const auto* it = std::get_if<view_change>(&value)) note_view_change(*it, false, out);
  if (const auto* it = std::get_if<new_view>(&value)) {
    auto* known = record_of(it->replica);
    const bool fits = it->raw.view.size() <= limits::exhibit_bytes_max;
    const exhibit said{message_kind::new_view, it->raw};
    if (known != nullptr && fits && checks_->holds(said)) note_document(known->new_view, it->view, said, out);
  }
  const auto* shown = std::get_if<exhibits>(&value);
  // More words than make a case are refused later.
  if (shown == nullptr || shown->items.size() > words_shown_max) return out;
  for (const auto& each : shown->items) {
    const auto* said = std::get_if<signed_statement>(&each.content);
    if (said == nullptr) continue;
    if (each.kind == message_kind::pre_prepare) note_proposal(*said, out);
  }
  return out;
}

statement_watch::findings statement_watch::on_verified(const message& value) {
  findings out;
  if (const auto* it = std::get_if<view_change>(&value)) note_certificates(*it, out);
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) {
    for (const auto& each : it->certificate.votes)
      note_checkpoint(each, out);
  }
  const auto* opened = std::get_if<new_view>(&value);
  if (opened == nullptr) return out;
  for (const auto& each : opened->view_changes) {
    note_view_change(each, true, out);
    note_certificates(each, out);
  }
  for (const auto& each : opened->reproposals)
    note_proposal(each, out);
  return out;
}

statement_watch::findings statement_watch::on_refused(const message& value, rejection why) {
  findings out;
  const bool unlawful_vote = why == rejection::not_from_primary || why == rejection::primary_voted_prepare ||
                             why == rejection::number_out_of_range;
  if (const auto* it = std::get_if<pre_prepare>(&value); it != nullptr && unlawful_vote) {
    prove({{exhibit{message_kind::pre_prepare, it->header}}}, out);
  }
  if (const auto* it = std::get_if<prepare>(&value); it != nullptr && unlawful_vote) {
    prove({{exhibit{message_kind::prepare, it->vote}}}, out);
  }
  if (const auto* it = std::get_if<checkpoint>(&value); it != nullptr && unlawful_vote) {
    prove({{exhibit{message_kind::checkpoint, it->vote}}}, out);
  }
  const auto* change = std::get_if<view_change>(&value);
  const auto* opened = std::get_if<new_view>(&value);
  if (change == nullptr && opened == nullptr) return out;
  // A bad signature is nobody's deed; everything else in a signed document is its signer's.
  if (why == rejection::bad_signature || why == rejection::sender_is_not_signer) return out;
  const auto& raw = change != nullptr ? change->raw : opened->raw;
  if (raw.view.size() > limits::lone_exhibit_bytes_max) return out;
  prove({{exhibit{kind_of(value), raw}}}, out);
  return out;
}

bool statement_watch::prove(exhibits shown, findings& out) {
  const auto about = case_of(shown, cluster_);
  const auto* accused = about ? std::get_if<accusation>(&*about) : nullptr;
  if (accused != nullptr && accused->accused.is_replica() && is_shunned(replica_id{accused->accused.number}))
    return false;
  checks_made_ += shown.items.size();
  if (!checks_->proves(shown)) return false;
  out.proofs.push_back(std::move(shown));
  return true;
}

// --- Votes -----------------------------------------------------------------------

bool statement_watch::is_near(const statement& content) const {
  // Inside the window each sequence has a place of its own, and so have the present view and the next one.
  return content.sequence > at_.stable && content.sequence <= at_.high && content.view <= at_.view.next() &&
         content.epoch == cluster_.signing.epoch && cluster_.group().contains(content.replica);
}

statement_watch::replica_record* statement_watch::record_of(replica_id replica) {
  if (!cluster_.group().contains(replica)) return nullptr;
  auto& known = replicas_[replica.value];
  if (known == nullptr) {
    known = std::make_unique<replica_record>();
    known->votes.resize(cluster_.watermark_window);
    known->checkpoints.resize(cluster_.watermark_window / cluster_.checkpoint_period + 2);
  }
  return known.get();
}

/// Null where something later stands.
statement_watch::vote_claim* statement_watch::claim_of(const statement& content) {
  if (!is_near(content)) return nullptr;
  auto& slot = record_of(content.replica)->votes[content.sequence.value % cluster_.watermark_window];
  if (slot.sequence != content.sequence) slot = {content.sequence, {}};
  auto& claim = slot.of_view[content.view.value % 2];
  if (claim.view > content.view) return nullptr;
  if (claim.view < content.view) claim = {};
  claim.view = content.view;
  return &claim;
}

statement_watch::proposal_claim* statement_watch::proposal_of(view_number view, sequence_number sequence) {
  auto& claim = proposals_[sequence.value % cluster_.watermark_window][view.value % 2];
  return claim.header && claim.view == view && claim.sequence == sequence ? &claim : nullptr;
}

bool statement_watch::is_shunned(replica_id replica) const { return std::ranges::binary_search(shunned_, replica); }

bool statement_watch::is_known_word(message_kind kind, const signed_statement& said) {
  ++checks_made_;
  return !checks_->check_statement(kind, said);
}

void statement_watch::note_vote(message_kind kind, const signed_statement& said, findings& out) {
  const auto& content = said.content;
  auto* claim = is_shunned(content.replica) ? nullptr : claim_of(content);
  if (claim == nullptr) return;
  show_proposal(content, out);
  const auto place = place_of(kind);
  const bool is_first = !claim->said[prepare_at] && !claim->said[commit_at];
  if (is_first || claim->value == content.value) {
    claim->value = content.value;
    if (!claim->said[place] || is_better_word(kind, claim->by[place], said)) claim->by[place] = said.by;
    claim->said[place] = true;
  } else if (!claim->is_closed && is_known_word(kind, said)) {
    claim->is_closed = prove_against(*claim, kind, said, out);
    // Nobody said what was remembered.
    if (!claim->is_closed) {
      *claim = {content.view, content.value, {}, {}, false};
      claim->by[place] = said.by;
      claim->said[place] = true;
    }
  }
  // The primary's own COMMIT against its proposal.
  auto* proposal = proposal_of(content.view, content.sequence);
  if (proposal == nullptr || proposal->is_closed || proposal->header->content.replica != content.replica ||
      proposal->header->content.value == content.value) {
    return;
  }
  proposal->is_closed = prove(pair_of(message_kind::pre_prepare, *proposal->header, kind, said), out);
}

/// One of the two that were said before may be forged.
bool statement_watch::prove_against(const vote_claim& claim, message_kind kind, const signed_statement& said,
                                    findings& out) {
  for (const auto known : {prepare_at, commit_at}) {
    if (!claim.said[known]) continue;
    auto before = said;
    before.content.value = claim.value;
    before.by = claim.by[known];
    if (prove(pair_of(kind_at(known), before, kind, said), out)) return true;
  }
  return false;
}

/// Whether it is genuine where what is remembered of the same content need not be: the first signature stays, unless
/// it is another one, which is so of no correct replica's.
bool statement_watch::is_better_word(message_kind kind, const signature& known, const signed_statement& said) {
  return known != said.by && is_known_word(kind, said);
}

void statement_watch::show_proposal(const statement& vote, findings& out) {
  auto* proposal = proposal_of(vote.view, vote.sequence);
  if (proposal == nullptr || proposal->header->content.value == vote.value) return;
  proposal->shown_to.resize(cluster_.replicas);
  if (proposal->shown_to[vote.replica.value] || !is_known_word(message_kind::pre_prepare, *proposal->header)) return;
  proposal->shown_to[vote.replica.value] = true;
  out.shows.push_back({vote.replica, {{exhibit{message_kind::pre_prepare, *proposal->header}}}});
}

void statement_watch::note_proposal(const signed_statement& header, findings& out) {
  const auto& content = header.content;
  if (!is_near(content) || content.replica != cluster_.group().primary_of(content.view)) return;
  auto& claim = proposals_[content.sequence.value % cluster_.watermark_window][content.view.value % 2];
  const bool is_other = !claim.header || claim.sequence != content.sequence || claim.view != content.view;
  if (is_other && claim.header && claim.sequence == content.sequence && claim.view > content.view) return;
  if (is_other) {
    claim = {content.view, content.sequence, header, false, {}};
    show_to_voters(content, out);
  } else if (claim.header->content.value == content.value) {
    if (is_better_word(message_kind::pre_prepare, claim.header->by, header)) {
      claim.header = header;
      show_to_voters(content, out);
    }
  } else if (!claim.is_closed && !is_shunned(content.replica)) {
    claim.is_closed = prove(pair_of(message_kind::pre_prepare, *claim.header, message_kind::pre_prepare, header), out);
    if (!claim.is_closed && is_known_word(message_kind::pre_prepare, header)) claim.header = header;
  }
  // What the primary itself said of it before.
  auto* votes = claim_of(content);
  if (votes == nullptr || votes->is_closed || !votes->said[commit_at] || votes->value == content.value) return;
  auto before = header;
  before.content.value = votes->value;
  before.by = votes->by[commit_at];
  votes->is_closed = prove(pair_of(message_kind::commit, before, message_kind::pre_prepare, header), out);
}

/// Whoever voted for something else before the proposal came.
void statement_watch::show_to_voters(const statement& proposed, findings& out) {
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
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

void statement_watch::note_checkpoint(const signed_statement& said, findings& out) {
  const auto& content = said.content;
  const bool is_due = content.view == view_number{0} && content.sequence != sequence_number{0} &&
                      cluster_.is_checkpoint(content.sequence);
  if (!is_due || content.sequence < at_.stable || content.sequence > at_.high || is_shunned(content.replica)) return;
  auto* known = record_of(content.replica);
  if (known == nullptr) return;
  auto& ring = known->checkpoints;
  auto& claim = ring[content.sequence.value / cluster_.checkpoint_period % ring.size()];
  if (!claim.said || claim.said->content.sequence != content.sequence) {
    claim = {said, false};
    return;
  }
  if (claim.is_closed) return;
  if (claim.said->content.value == content.value) {
    if (is_better_word(message_kind::checkpoint, claim.said->by, said)) claim.said = said;
    return;
  }
  if (!is_known_word(message_kind::checkpoint, said)) return;
  claim.is_closed = prove(pair_of(message_kind::checkpoint, *claim.said, message_kind::checkpoint, said), out);
  if (!claim.is_closed) claim.said = said;
}

// --- Documents -------------------------------------------------------------------

void statement_watch::note_document(document_claim& known, view_number view, exhibit shown, findings& out) {
  // One far ahead would hide all that comes before it.
  if (view.value > at_.view.value + cluster_.replicas || (known.said && known.view > view)) return;
  if (!known.said || known.view < view) {
    known = {view, std::move(shown), false};
    return;
  }
  if (!known.is_closed) known.is_closed = prove({{*known.said, std::move(shown)}}, out);
}

void statement_watch::note_view_change(const hypermesh::view_change& value, bool is_verified, findings& out) {
  auto* known = is_shunned(value.replica) ? nullptr : record_of(value.replica);
  if (known == nullptr || value.raw.view.size() > limits::exhibit_bytes_max) return;
  // One inside a NEW-VIEW shares the memory of the whole.
  const exhibit shown{message_kind::view_change, is_verified ? copy_of(value.raw) : value.raw};
  if (!is_verified && !checks_->holds(shown)) return;
  look_for_hidden(value, shown, out);
  note_document(known->view_change, value.new_view, shown, out);
}

void statement_watch::look_for_hidden(const hypermesh::view_change& value, const exhibit& shown, findings& out) {
  for (auto& slot : record_of(value.replica)->votes) {
    if (slot.sequence <= at_.stable) continue;
    for (auto& claim : slot.of_view) {
      if (!claim.said[commit_at] || claim.is_closed) continue;
      const signed_statement said{{claim.view, slot.sequence, claim.value, value.replica, cluster_.signing.epoch},
                                  claim.by[commit_at]};
      if (!conceals(value, said.content)) continue;
      claim.said[commit_at] = is_known_word(message_kind::commit, said);
      if (!claim.said[commit_at]) continue;
      claim.is_closed = prove({{exhibit{message_kind::commit, said}, shown}}, out);
      // One is enough.
      if (claim.is_closed) return;
    }
  }
}

void statement_watch::note_certificates(const hypermesh::view_change& value, findings& out) {
  for (const auto& each : value.stable_proof.votes)
    note_checkpoint(each, out);
  for (const auto& each : value.prepared) {
    note_proposal(each.pre_prepare, out);
    for (const auto& vote : each.prepares)
      note_vote(message_kind::prepare, vote, out);
  }
}

}  // namespace hypermesh
