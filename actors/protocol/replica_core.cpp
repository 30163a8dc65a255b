#include "actors/protocol/replica_core.hpp"

#include <algorithm>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Slots for which one STATUS is answered: what fits one round trip without flooding the asker.
constexpr std::uint64_t slots_sent_again_max = 32;
/// Bytes after which the answer to one STATUS ends: with full batches the slots alone would let a small
/// frame cause one of 64 MiB, more than a link's outbound queue holds (attack 33).
constexpr std::size_t bytes_sent_again_max = 2 * limits::batch_bytes_max;
/// An idle replica sends a STATUS every so many ticks, so that who lost everything learns of it.
constexpr std::uint64_t idle_status_ticks = 4;
/// Ticks without execution after which a certified state is fetched instead of awaited.
constexpr unsigned ticks_behind_max = 2;

record_kind record_of(message_kind kind) {
  return kind == message_kind::prepare ? record_kind::prepare : record_kind::commit;
}

}  // namespace

replica_core::replica_core(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : cluster_(cluster), group_(cluster.group()), self_(self), keys_(&keys), log_(cluster) {
  require(cluster.is_valid(), "the cluster parameters form a group");
  require(group_.contains(self) && keys.self() == principal::of(self), "a replica signs as itself");
}

// --- §4.2, normal case ---------------------------------------------------------

replica_effects replica_core::on_batch(std::shared_ptr<const batch> content) {
  require(is_primary(), "only the primary is given batches");
  require(content != nullptr && !content->requests.empty(), "a proposed batch has requests");
  replica_effects out;
  if (halted_) return out;
  waiting_.push_back(std::move(content));
  propose_waiting(out);
  return out;
}

void replica_core::propose_waiting(replica_effects& out) {
  // §4.2: "the primary … assigns a sequence number, n, to the request"; sequences beyond H wait for a
  // stable checkpoint, so that no primary can exhaust the space of sequence numbers.
  while (!waiting_.empty() && log_.marks().contains(last_proposed_.next())) {
    last_proposed_ = last_proposed_.next();
    const auto body = std::move(waiting_.front());
    waiting_.pop_front();
    const auto header = sign(message_kind::pre_prepare, last_proposed_, digest_of_batch(*body));
    auto& slot = log_.at(last_proposed_);
    require(!slot.proposal, "the primary proposes once for a sequence");
    const auto frame = encode_pre_prepare(header, *body);
    slot.proposal = pre_prepare{header, body, frame};
    out.records.push_back({record_kind::pre_prepare, view_, last_proposed_, frame});
    out.sends.push_back({std::nullopt, frame});
    advance(last_proposed_, out);
  }
}

replica_effects replica_core::on_message(principal sender, const message& value) {
  require(sender.is_replica(), "the replica core hears replicas only");
  replica_effects out;
  if (halted_) return out;
  const replica_id from{sender.number};
  if (const auto* proposal = std::get_if<pre_prepare>(&value)) {
    if (const auto bad = check_place(proposal->header.content)) {
      reject(from, *bad, out);
    } else {
      accept(from, *proposal, out);
    }
  } else if (const auto* preparing = std::get_if<prepare>(&value)) {
    take_vote(message_kind::prepare, preparing->vote, out);
  } else if (const auto* committing = std::get_if<commit>(&value)) {
    take_vote(message_kind::commit, committing->vote, out);
  } else if (const auto* state = std::get_if<status>(&value)) {
    answer_status(*state, out);
  } else {
    require(false, "ingress routes only ordering messages and STATUS to the replica");
  }
  return out;
}

std::optional<rejection> replica_core::check_place(const statement& content) const {
  // §4.2: "it is in view v" and "the sequence number … is between a low water mark, h, and a high water mark, H".
  if (content.view != view_) return rejection::other_view;
  if (!log_.marks().contains(content.sequence)) return rejection::outside_watermarks;
  return std::nullopt;
}

void replica_core::accept(replica_id from, const pre_prepare& proposal, replica_effects& out) {
  const auto& content = proposal.header.content;
  require(content.replica == primary(), "a verified PRE-PREPARE of this view is the primary's");
  auto& slot = log_.at(content.sequence);
  // §4.2: "it has not accepted a pre-prepare message for view v and sequence number n containing a different digest".
  // The second one is never prepared; both are signed and become evidence (attack 8).
  if (slot.proposal) {
    if (slot.proposal->header.content.value == content.value) return reject(from, rejection::duplicate, out);
    return reject(content.replica, rejection::conflicting_statement, out);
  }
  // Only a holder of this replica's key could have signed it (twins): nothing to prepare.
  if (is_primary()) return reject(from, rejection::unsolicited, out);
  require(!slot.prepare_sent, "a PREPARE follows a proposal");
  slot.proposal = proposal;
  out.records.push_back({record_kind::pre_prepare, view_, content.sequence, proposal.raw});
  // §4.2: "enters the prepare phase by multicasting a ⟨PREPARE, v, n, d, i⟩σi message to all other replicas and
  // adds both messages to its log".
  const auto own = sign(message_kind::prepare, content.sequence, content.value);
  slot.prepare_sent = true;
  require(slot.prepares.add(own) == vote_set::outcome::added, "the own PREPARE is the first of this replica");
  vote(message_kind::prepare, own, out);
  advance(content.sequence, out);
}

void replica_core::take_vote(message_kind kind, const signed_statement& vote, replica_effects& out) {
  const auto sender = vote.content.replica;
  // A twin that holds the same key: its votes are this replica's, and this replica has cast its own.
  if (sender == self_) return reject(sender, rejection::unsolicited, out);
  if (const auto bad = check_place(vote.content)) return reject(sender, *bad, out);
  auto& slot = log_.at(vote.content.sequence);
  auto& votes = kind == message_kind::prepare ? slot.prepares : slot.commits;
  switch (votes.add(vote)) {
    case vote_set::outcome::added:
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
  // true."
  if (!slot.commit_sent && slot.is_prepared(group_)) {
    const auto own = sign(message_kind::commit, sequence, slot.proposal->header.content.value);
    slot.commit_sent = true;
    require(slot.commits.add(own) == vote_set::outcome::added, "the own COMMIT is the first of this replica");
    vote(message_kind::commit, own, out);
  }
  execute_ready(out);
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
    committed_batch batch{view_, last_executed_, value, next->proposal->body, std::move(certificate)};
    out.observations.emplace_back(slot_committed{batch});
    out.committed.push_back(std::move(batch));
  }
  if (last_executed_ == before) return;
  report_progress(out);
  adopt_stable(out);
}

// --- §4.3, garbage collection ----------------------------------------------------

replica_effects replica_core::on_stable(std::shared_ptr<const checkpoint_certificate> certificate) {
  require(certificate != nullptr && certificate->votes.size() >= group_.quorum(), "a stable checkpoint has a quorum");
  replica_effects out;
  if (halted_ || certificate->sequence() <= log_.marks().low()) return out;
  if (ahead_ == nullptr || ahead_->sequence() < certificate->sequence()) ahead_ = std::move(certificate);
  adopt_stable(out);
  return out;
}

void replica_core::adopt_stable(replica_effects& out) {
  // A certificate alone does not move h: this replica must have the state it certifies (attack 15).
  if (ahead_ == nullptr || ahead_->sequence() > last_executed_) return;
  stable_ = std::move(ahead_);
  ahead_ = nullptr;
  ticks_behind_ = 0;
  cut_log(stable_->sequence(), out);
  propose_waiting(out);
}

void replica_core::cut_log(sequence_number stable, replica_effects& out) {
  require(stable <= last_executed_, "the log is cut below what was executed");
  log_.cut_through(stable);
  out.forget_through = stable;
  out.observations.emplace_back(watermarks_moved{log_.marks().low(), log_.marks().high()});
}

replica_effects replica_core::on_installed(sequence_number sequence) {
  replica_effects out;
  if (halted_ || sequence <= last_executed_) return out;
  require(ahead_ != nullptr && ahead_->sequence() >= sequence, "a state is installed under a certificate");
  last_executed_ = sequence;
  // A primary that lagged continues after what it knows to be taken.
  last_proposed_ = std::max(last_proposed_, sequence);
  if (ahead_->sequence() > sequence) {
    // A newer certificate arrived meanwhile; what lies below the installed state is not needed.
    cut_log(sequence, out);
  }
  adopt_stable(out);
  execute_ready(out);
  report_progress(out);
  return out;
}

replica_effects replica_core::on_diverged(sequence_number sequence) {
  replica_effects out;
  halted_ = true;
  waiting_.clear();
  out.observations.emplace_back(divergence_found{sequence});
  return out;
}

// --- TOCS '02 §5.2, retransmission -------------------------------------------------

replica_effects replica_core::on_tick() {
  replica_effects out;
  if (halted_) return out;
  ++ticks_;
  answered_.clear();
  const bool stalled = last_executed_ == executed_at_tick_;
  executed_at_tick_ = last_executed_;
  if (ahead_ != nullptr && stalled && ++ticks_behind_ >= ticks_behind_max) out.fetch = ahead_;
  const bool open = log_.last() > last_executed_ || ahead_ != nullptr;
  if ((open && stalled) || ticks_ % idle_status_ticks == 0) send_status(out);
  return out;
}

void replica_core::send_status(replica_effects& out) const {
  status own{self_, view_, true, log_.marks().low(), last_executed_, {}, {}, {}};
  for (auto sequence = last_executed_.next(); sequence <= log_.last(); sequence = sequence.next()) {
    own.slots.push_back(progress_of(sequence));
  }
  auto buffer = status_buffer(own);
  const auto by = keys_->sign(signing_input(cluster_.signing, message_kind::status, buffer));
  out.sends.push_back({std::nullopt, seal(message_kind::status, std::move(buffer), by)});
}

slot_progress replica_core::progress_of(sequence_number sequence) const {
  const auto* slot = log_.find(sequence);
  if (slot == nullptr) return {};
  return {slot->proposal.has_value(), slot->is_prepared(group_), slot->is_committed_local(group_)};
}

void replica_core::answer_status(const status& value, replica_effects& out) {
  if (value.view != view_) return reject(value.replica, rejection::other_view, out);
  // One answer a tick: a STATUS is small and its answer is not.
  if (!answered_.insert(value.replica).second) return reject(value.replica, rejection::duplicate, out);
  if (stable_ != nullptr && value.low_watermark < stable_->sequence()) {
    out.sends.push_back({value.replica, encode(checkpoint_proof{*stable_})});
  }
  const auto first = std::max(value.last_executed, log_.marks().low()).next();
  const auto last = std::min(log_.last(), value.last_executed.plus(slots_sent_again_max));
  std::size_t bytes = 0;
  for (auto sequence = first; sequence <= last && bytes < bytes_sent_again_max; sequence = sequence.next()) {
    const auto index = sequence.value - value.last_executed.value - 1;
    const auto has = index < value.slots.size() ? value.slots[index] : slot_progress{};
    bytes += send_again(value.replica, sequence, has, out);
  }
}

/// Returns the bytes of what it sends.
std::size_t replica_core::send_again(replica_id to, sequence_number sequence, slot_progress has,
                                     replica_effects& out) const {
  const auto* slot = log_.find(sequence);
  if (slot == nullptr || has.committed) return 0;
  const auto before = out.sends.size();
  if (!has.has_pre_prepare && slot->proposal && relays(sequence)) out.sends.push_back({to, slot->proposal->raw});
  if (!has.prepared && slot->prepare_sent) {
    out.sends.push_back({to, encode_vote(message_kind::prepare, *slot->prepares.of(self_))});
  }
  if (slot->commit_sent) out.sends.push_back({to, encode_vote(message_kind::commit, *slot->commits.of(self_))});
  std::size_t bytes = 0;
  for (auto index = before; index < out.sends.size(); ++index)
    bytes += out.sends[index].frame->size();
  return bytes;
}

/// Bodies are large: besides the primary only one backup, another one each tick, sends one again.
bool replica_core::relays(sequence_number sequence) const {
  return is_primary() || (sequence.value + ticks_) % group_.replicas() == self_.value;
}

// --- Helpers -----------------------------------------------------------------------

signed_statement replica_core::sign(message_kind kind, sequence_number sequence, const digest& value) const {
  const statement content{view_, sequence, value, self_, cluster_.signing.epoch};
  return {content, keys_->sign(signing_input(cluster_.signing, kind, statement_bytes(content)))};
}

void replica_core::vote(message_kind kind, const signed_statement& own, replica_effects& out) const {
  const auto frame = encode_vote(kind, own);
  // A vote is durable before it leaves (attack 9).
  out.records.push_back({record_of(kind), own.content.view, own.content.sequence, frame});
  out.sends.push_back({std::nullopt, frame});
}

void replica_core::reject(replica_id sender, rejection reason, replica_effects& out) const {
  out.observations.emplace_back(frame_rejected{principal::of(sender), reason});
}

void replica_core::report_progress(replica_effects& out) const {
  out.observations.emplace_back(replica_progress{view_, last_proposed_, last_executed_, log_.size()});
}

}  // namespace hypermesh
