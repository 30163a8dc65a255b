#include "actors/protocol/ordering/replica_core.hpp"

#include <algorithm>
#include <utility>

#include "actors/protocol/ordering/retransmission.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The most null requests for a readmission or a hand-over that are proposed and not executed, in addition to the
/// batches of clients. As many must be executed in a time-out (`primary_monitor::advance_min`), so a correct primary is
/// fast enough if a batch is executed within a time-out. The number is small, so that a batch behind them is not late.
constexpr std::size_t null_requests_in_flight_max = primary_monitor::advance_min;

record_kind record_of(message_kind kind) {
  return kind == message_kind::prepare ? record_kind::prepare : record_kind::commit;
}

/// The statement of an ordering message, which names its view and sequence number.
const statement& content_of(const message& value) {
  if (const auto* proposal = std::get_if<pre_prepare>(&value)) return proposal->header.content;
  if (const auto* preparing = std::get_if<prepare>(&value)) return preparing->vote.content;
  return std::get<commit>(value).vote.content;
}

}  // namespace

replica_core::replica_core(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : cluster_(cluster),
      group_(cluster.group()),
      self_(self),
      keys_(&keys),
      rights_(cluster, self),
      log_(cluster),
      prepared_(cluster.group()),
      early_(cluster.replicas, cluster.watermark_window),
      times_(cluster) {
  require(cluster.is_valid(), "the cluster parameters form a group");
  require(group_.contains(self) && keys.self() == principal::of(self), "a replica signs as itself");
}

// --- §4.2, normal case ---------------------------------------------------------

replica_effects replica_core::on_batch(view_number view, std::shared_ptr<const batch> content) {
  require(content != nullptr && !content->is_null(), "a proposed batch has requests");
  require(group_.primary_of(view) == self_, "only the primary of a view is given batches for it");
  replica_effects out;
  // The batcher keeps the requests until they are executed, and cuts them again in the next view.
  if (view != this->view() || !status_.hold(std::move(content))) return out;
  propose_waiting(out);
  return out;
}

/// Whether the primary may use the next sequence number: it is inside the window, and a planned end of the view is not
/// reached.
bool replica_core::has_next_sequence() const {
  const auto next = last_proposed_.next();
  const auto* here = status_.active();
  const bool is_over = here != nullptr && here->last_sequence && next > *here->last_sequence;
  return !is_over && log_.marks().contains(next);
}

void replica_core::propose_waiting(replica_effects& out) {
  // §4.2: "the primary … assigns a sequence number, n, to the request"; batches beyond H wait for a stable checkpoint,
  // so no primary can exhaust the space of sequence numbers (attack 28).
  auto* here = status_.active();
  if (here == nullptr || !may_prepare()) return;
  while (!here->waiting.empty() && has_next_sequence()) {
    auto body = std::move(here->waiting.front());
    here->waiting.pop_front();
    propose(std::move(body), out);
  }
  propose_null_requests(out);
}

void replica_core::propose(std::shared_ptr<const batch> body, replica_effects& out) {
  last_proposed_ = last_proposed_.next();
  const auto header = sign(message_kind::pre_prepare, last_proposed_, digest_of_batch(*body));
  auto& slot = log_.at(last_proposed_);
  require(!slot.proposal, "the primary proposes once for a sequence");
  const auto frame = encode_pre_prepare(header, *body);
  slot.proposal = pre_prepare{header, std::move(body), frame};
  // The record comes first: after a crash this primary must not propose another batch here (attack 9).
  out.records.push_back({record_kind::pre_prepare, view(), last_proposed_, frame});
  out.sends.push_back({std::nullopt, frame});
  advance(last_proposed_, out);
}

/// TOCS '02 §4.3.2: while a recovery is under way the primary proposes null requests, so that the checkpoint that
/// completes the recovery is reached even if no client sends a request. A hand-over reaches its checkpoint in the same
/// way.
void replica_core::propose_null_requests(replica_effects& out) {
  static const auto null_request = std::make_shared<const batch>();
  auto* here = status_.active();
  if (here == nullptr || !is_primary() || !may_prepare()) return;
  while (!here->null_requests.empty() && here->null_requests.front() <= last_executed_)
    here->null_requests.pop_front();
  while (here->waiting.empty() && last_proposed_ < advance_through_ && has_next_sequence() &&
         here->null_requests.size() < null_requests_in_flight_max) {
    here->null_requests.push_back(last_proposed_.next());
    propose(null_request, out);
  }
}

replica_effects replica_core::on_moves(const agreed_moves& moves, const std::vector<view_number>& stepped_down,
                                       sequence_number at) {
  replica_effects out;
  // The first end counts, as for the decision to leave (`view_changer::on_moves`).
  auto* here = status_.active();
  if (here != nullptr && !here->last_sequence)
    here->last_sequence = planned_end_of(view(), moves, stepped_down, at, cluster_);
  // A smaller value replaces a larger one, because the larger value may come from a diverged state that was replaced.
  advance_through_ = moves.advance_through;
  propose_null_requests(out);
  return out;
}

replica_effects replica_core::on_message(principal sender, const message& value) {
  require(sender.is_replica(), "the replica core gets messages of replicas only");
  replica_effects out;
  // A replica whose state is wrong takes no part until it is repaired (attack 27).
  if (status_.is_diverged()) return out;
  const replica_id from{sender.number};
  switch (kind_of(value)) {
    case message_kind::pre_prepare:
    case message_kind::prepare:
    case message_kind::commit:
      accept(from, value, lateness_of(value), out);
      break;
    case message_kind::status:
      hear_status(std::get<status>(value), out);
      answer_status(std::get<status>(value), out);
      break;
    default:
      require(false, "ingress routes only ordering messages and STATUS to the replica");
  }
  return out;
}

void replica_core::accept(replica_id from, const message& value, std::optional<duration> lateness,
                          replica_effects& out) {
  const auto& content = content_of(value);
  // Only another process with the same key can send votes of this replica, and this replica has its own votes already.
  if (kind_of(value) != message_kind::pre_prepare && from == self_) return reject(from, rejection::unsolicited, out);
  // §4.4: a replica that has left its view "accepts no messages (other than checkpoint, view-change, and new-view
  // messages)" of that view; messages of the view that it waits for are early.
  const bool later_view = content.view > view() || (content.view == view() && status_.changing() != nullptr);
  const bool above = content.view == view() && content.sequence > log_.marks().high() &&
                     content.sequence <= log_.marks().high().plus(cluster_.watermark_window);
  if (later_view || above) {
    if (early_.hold(from, content, value, lateness)) return;
    return reject(from, later_view ? rejection::other_view : rejection::outside_watermarks, out);
  }
  if (const auto bad = check_place(content)) return reject(from, *bad, out);
  if (const auto* proposal = std::get_if<pre_prepare>(&value)) return accept(from, *proposal, lateness, out);
  const auto kind = kind_of(value);
  take_vote(kind, kind == message_kind::prepare ? std::get<prepare>(value).vote : std::get<commit>(value).vote, out);
}

std::optional<rejection> replica_core::check_place(const statement& content) const {
  // §4.2: "it is in view v" and "the sequence number … is between a low water mark, h, and a high water mark, H".
  if (content.view != view()) return rejection::other_view;
  if (!log_.marks().contains(content.sequence)) return rejection::outside_watermarks;
  return std::nullopt;
}

void replica_core::accept(replica_id from, const pre_prepare& proposal, std::optional<duration> lateness,
                          replica_effects& out) {
  const auto& content = proposal.header.content;
  require(content.replica == primary(), "a verified PRE-PREPARE of this view is the primary's");
  // §4.4: V fixes the beginning of the new view: nothing is proposed at or below its stable checkpoint, and above it O
  // fixes the digests.
  auto* here = status_.active();
  require(here != nullptr, "a proposal of a view that is not entered is early");
  if (content.sequence <= here->min_s) return reject(from, rejection::outside_watermarks, out);
  const auto named = here->reproposals.find(content.sequence);
  const bool is_named = named != here->reproposals.end();
  if (is_named && named->second.content != content) return reject(primary(), rejection::conflicting_statement, out);
  auto& slot = log_.at(content.sequence);
  // §4.2: "it has not accepted a pre-prepare message for view v and sequence number n containing a different digest".
  // The second one is never prepared; both are signed and become evidence (attack 8).
  if (slot.proposal) {
    if (slot.proposal->header.content.value == content.value) return reject(from, rejection::duplicate, out);
    return reject(content.replica, rejection::conflicting_statement, out);
  }
  // A PRE-PREPARE that this primary did not make, but that has its signature, comes from another process with the same
  // key. A primary on probation may have made it before it lost its disk, and learns it again from this message.
  if (is_primary() && !is_named && rights_.is_full()) return reject(from, rejection::unsolicited, out);
  // A batch that the NEW-VIEW names has the time of an earlier primary, and a primary does not judge itself.
  if (!is_named && !is_primary()) slot.lateness = lateness;
  out.records.push_back({record_kind::pre_prepare, view(), content.sequence, proposal.raw});
  fill(proposal.header, proposal.body, proposal.raw, out);
  if (here->unanswered.empty() || lacks_body()) return;
  const retransmission repair{log_, group_, self_, std::nullopt};
  for (const auto& [asker, asked] : std::exchange(here->unanswered, {}))
    repair.answer(asked, out.sends);
}

/// Gives the slot its proposal: an accepted one, or one that the NEW-VIEW names and whose body is known from an earlier
/// view.
void replica_core::fill(const signed_statement& header, std::shared_ptr<const batch> body, frame_ptr raw,
                        replica_effects& out) {
  const auto& content = header.content;
  auto& slot = log_.at(content.sequence);
  require(!slot.proposal, "a slot has one proposal");
  slot.proposal = pre_prepare{header, std::move(body), std::move(raw)};
  prepare_slot(content.sequence, out);
  advance(content.sequence, out);
}

/// After a restart a slot may have the vote without the body, or the body without the vote.
void replica_core::prepare_slot(sequence_number sequence, replica_effects& out) {
  auto& slot = log_.at(sequence);
  if (!slot.proposal || slot.prepare_sent || is_primary() || !may_prepare()) return;
  ask_authentic(slot, out);
  if (!vouches_for(slot)) {
    // The slot is looked at again with the next PREPARE and with the next tick.
    withholds_ = true;
    return;
  }
  // §4.2: "enters the prepare phase by multicasting a ⟨PREPARE, v, n, d, i⟩σi message to all other replicas and adds
  // both messages to its log".
  const auto own = sign(message_kind::prepare, sequence, slot.proposal->header.content.value);
  slot.prepare_sent = true;
  require(slot.prepares.add(own) == vote_set::outcome::added, "the own PREPARE is the first of this replica");
  vote(message_kind::prepare, own, out);
}

/// §5.2: a backup checks that the requests of a batch are authentic before it prepares the batch. Signatures
/// were verified before. Without signatures the batcher knows which requests are authentic.
void replica_core::ask_authentic(slot& of, replica_effects& out) const {
  const auto& content = of.proposal->header.content;
  const auto& body = of.proposal->body;
  if (cluster_.requests_by == request_authentication::signature || body->requests.empty()) of.is_authentic = true;
  if (of.is_authentic || std::exchange(of.asked_authentic, true)) return;
  out.unproven.push_back({content.view, content.sequence, content.value, body});
}

replica_effects replica_core::on_authentic(view_number view, sequence_number sequence, const digest& value) {
  replica_effects out;
  const auto* known = log_.find(sequence);
  if (view != this->view() || known == nullptr || !known->proposal) return out;
  if (known->proposal->header.content.value != value) return out;
  log_.at(sequence).is_authentic = true;
  // A replica whose state is wrong looks at the slot again after its repair.
  if (status_.active() == nullptr) return out;
  prepare_slot(sequence, out);
  advance(sequence, out);
  return out;
}

/// §4.6: "a faulty primary might send the same, incorrect, value to all replicas". So a backup withholds its PREPARE
/// from a batch whose time is too far ahead of its own wall clock (attack 42), and from one with a request of which it
/// does not know that a client sent it (attack 45).
bool replica_core::vouches_for(const slot& of) const {
  const auto& content = of.proposal->header.content;
  // A batch that the NEW-VIEW names was prepared in an earlier view. Its time and its requests were judged there, and
  // the plan of the new view must not depend on clocks (attack 13).
  const auto* here = status_.active();
  if (here != nullptr && here->reproposals.contains(content.sequence)) return true;
  if (of.is_authentic && times_.vouches_for(of.proposal->body->proposed_time)) return true;
  // §5.2: a PREPARE vouches for the requests of its batch. One of f + 1 voters is correct: either the primary,
  // whose own clock shows this time, or a backup that judged the batch. So a backup whose clock is wrong follows the
  // others, and does not count as one more faulty replica. The proposal counts as the vote of the primary.
  return of.prepares.count_for(content.value) + 1 >= group_.weak_quorum();
}

/// How late a message is that arrives now; nothing for a vote.
std::optional<duration> replica_core::lateness_of(const message& value) const {
  const auto* proposal = std::get_if<pre_prepare>(&value);
  return proposal == nullptr ? std::nullopt : times_.lateness_of(*proposal);
}

void replica_core::take_vote(message_kind kind, const signed_statement& vote, replica_effects& out) {
  const auto sender = vote.content.replica;
  auto& slot = log_.at(vote.content.sequence);
  auto& votes = kind == message_kind::prepare ? slot.prepares : slot.commits;
  switch (votes.add(vote)) {
    case vote_set::outcome::added:
      if (kind == message_kind::prepare) prepare_slot(vote.content.sequence, out);
      return advance(vote.content.sequence, out);
    case vote_set::outcome::duplicate:
      return reject(sender, rejection::duplicate, out);
    case vote_set::outcome::conflicting:
      return reject(sender, rejection::conflicting_statement, out);
  }
}

void replica_core::advance(sequence_number sequence, replica_effects& out) {
  auto& slot = log_.at(sequence);
  // §4.2: "Replica i multicasts a ⟨COMMIT, v, n, D(m), i⟩σi to the other replicas when prepared(m, v, n, i) becomes
  // true." A replica on probation sends no COMMIT, because a forgotten VIEW-CHANGE may lack the certificate that the
  // COMMIT promises.
  if (!slot.commit_sent && slot.is_prepared(group_) && rights_.is_full()) {
    const auto own = sign(message_kind::commit, sequence, slot.proposal->header.content.value);
    slot.commit_sent = true;
    require(slot.commits.add(own) == vote_set::outcome::added, "the own COMMIT is the first of this replica");
    // A COMMIT promises that every later VIEW-CHANGE of this replica proves the batch prepared, so the proof must
    // outlive a crash as the vote does (attack 9).
    const auto proof = certificate_of(slot, group_);
    out.records.push_back({record_kind::prepared, view(), sequence, encode_statements(proof)});
    vote(message_kind::commit, own, out);
    // TOCS '02 §5.1.3: a linearizable read must wait for this slot, because others may already have executed it.
    prepared_through_ = std::max(prepared_through_, sequence);
    report_prepared(out);
  }
  while (is_decided(last_decided_.next()))
    last_decided_ = last_decided_.next();
  execute_ready(out);
}

bool replica_core::is_decided(sequence_number sequence) const {
  const auto* slot = log_.find(sequence);
  return slot != nullptr && slot->is_committed_local(group_);
}

void replica_core::execute_ready(replica_effects& out) {
  const auto before = last_executed_;
  // §4.2: "Each replica i executes the operation requested by m after committed-local(m, v, n, i) is true and i's
  // state reflects the sequential execution of all requests with lower sequence numbers."
  for (const auto* next = log_.find(last_executed_.next()); next != nullptr && next->is_committed_local(group_);
       next = log_.find(last_executed_.next())) {
    last_executed_ = last_executed_.next();
    const auto& value = next->proposal->header.content.value;
    auto certificate = std::make_shared<commit_certificate>();
    certificate->commits = next->commits.votes_for(value);
    require(certificate->commits.size() >= group_.quorum(), "a commit certificate holds a quorum");
    out.records.push_back({record_kind::committed, view(), last_executed_, encode_statements(certificate->commits)});
    const auto lateness = times_.lags_at(last_executed_) ? std::nullopt : next->lateness;
    committed_batch batch{view(), last_executed_, value, next->proposal->body, std::move(certificate), lateness};
    out.observations.emplace_back(slot_committed{batch});
    out.committed.push_back(std::move(batch));
  }
  if (last_executed_ == before) return;
  report_progress(out);
  adopt_stable(out);
  propose_null_requests(out);
}

// --- §4.3, garbage collection ----------------------------------------------------

replica_effects replica_core::on_stable(std::shared_ptr<const checkpoint_certificate> certificate) {
  require(certificate != nullptr && certificate->votes.size() >= group_.quorum(), "a stable checkpoint has a quorum");
  replica_effects out;
  if (certificate->sequence() <= log_.marks().low()) return out;
  if (ahead_ == nullptr || ahead_->sequence() < certificate->sequence()) ahead_ = std::move(certificate);
  if (!status_.is_diverged()) adopt_stable(out);
  return out;
}

void replica_core::adopt_stable(replica_effects& out) {
  // A certificate alone does not move h: this replica must have the state that it certifies (attack 15). `taken_` is
  // reported by the executor through the journal, so neither of them is ever more than a window behind. A transferred
  // state counts once it is on disk.
  if (ahead_ == nullptr || ahead_->sequence() > std::min(taken_, last_executed_)) return;
  move_low(std::move(ahead_), out);
}

void replica_core::move_low(std::shared_ptr<const checkpoint_certificate> proof, replica_effects& out) {
  stable_ = std::move(proof);
  if (ahead_ != nullptr && ahead_->sequence() <= stable_->sequence()) ahead_ = nullptr;
  stall_.end_wait();
  out.records.push_back(
      {record_kind::stable_checkpoint, view_number{0}, stable_->sequence(), encode(checkpoint_proof{*stable_})});
  cut_log(stable_->sequence(), out);
  end_probation(out);
  propose_waiting(out);
  repropose(out);
  take_early(out);
}

void replica_core::cut_log(sequence_number stable, replica_effects& out) {
  require(stable <= last_executed_, "only executed batches are cut from the log");
  log_.cut_through(stable);
  prepared_.cut_through(stable);
  bodies_.cut_through(stable);
  if (auto* here = status_.active())
    here->reproposals.erase(here->reproposals.begin(), here->reproposals.upper_bound(stable));
  last_decided_ = std::max(last_decided_, stable);
  out.forget_through = stable;
  out.observations.emplace_back(watermarks_moved{log_.marks().low(), log_.marks().high()});
}

replica_effects replica_core::on_taken(sequence_number sequence) {
  replica_effects out;
  if (status_.is_diverged()) return out;
  taken_ = std::max(taken_, sequence);
  adopt_stable(out);
  return out;
}

replica_effects replica_core::on_installed(sequence_number sequence,
                                           std::shared_ptr<const checkpoint_certificate> proof) {
  require(proof != nullptr && proof->sequence() <= sequence, "a state is installed under a certificate");
  replica_effects out;
  // A wrong state is replaced by a state that is not older than the divergence, a correct state only by a newer one.
  const bool repaired = status_.is_diverged();
  if (repaired ? !status_.repair(proof->sequence()) : sequence <= last_executed_) return out;
  last_executed_ = sequence;
  taken_ = proof->sequence();
  // A primary that lagged continues after the sequence numbers that it knows to be used.
  last_proposed_ = std::max(last_proposed_, sequence);
  // When a wrong state is repaired, h may be at this checkpoint already. A newer certificate may have arrived
  // meanwhile.
  if (proof->sequence() > log_.marks().low()) move_low(std::move(proof), out);
  adopt_stable(out);
  execute_ready(out);
  // The STATUS asks for the batches that the other replicas ordered meanwhile.
  send_status(out);
  if (repaired) propose_waiting(out);
  report_progress(out);
  return out;
}

// --- Helpers -----------------------------------------------------------------------

signed_statement replica_core::sign(message_kind kind, sequence_number sequence, const digest& value) const {
  const statement content{view(), sequence, value, self_, cluster_.signing.epoch};
  return {content, keys_->sign(signing_input(cluster_.signing, kind, statement_bytes(content)))};
}

void replica_core::vote(message_kind kind, const signed_statement& own, replica_effects& out) const {
  const auto frame = encode_vote(kind, own);
  // The record of a vote is written before the vote is sent (attack 9).
  out.records.push_back({record_of(kind), own.content.view, own.content.sequence, frame});
  out.sends.push_back({std::nullopt, frame});
}

void replica_core::reject(replica_id sender, rejection reason, replica_effects& out) const {
  out.observations.emplace_back(frame_rejected{principal::of(sender), reason});
}

/// Says up to which sequence number this replica may have sent a COMMIT. On probation it does not know, and says
/// nothing. At the end of the probation h is at the floor, which covers every forgotten vote (`probation`).
void replica_core::report_prepared(replica_effects& out) const {
  if (rights_.is_full()) out.prepared_through = std::max(prepared_through_, log_.marks().low());
}

void replica_core::report_progress(replica_effects& out) const {
  out.observations.emplace_back(
      replica_progress{view(), is_active(), last_proposed_, log_.size(), status_.is_diverged(), lacks_state()});
}

}  // namespace hypermesh::protocol
