// The way of a replica from view to view (§4.4), its probation, and the way back into its view after a restart. The
// rest of the class is in replica_core.cpp.
#include <algorithm>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/views/new_view.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Ticks after which a replica on probation asks the others to come into the view in which it waits alone.
constexpr std::uint64_t alone_ticks = 8;

}  // namespace

// --- §4.4, view changes ------------------------------------------------------------

replica_effects replica_core::on_change_view(view_number to) {
  replica_effects out;
  if (!divergence_.exists() && to > view_) change_view(to, out);
  return out;
}

void replica_core::change_view(view_number to, replica_effects& out) {
  // A forgotten VIEW-CHANGE for the same view could contradict this one (attack 9).
  if (probation_ && !probation_->may_commit(to, log_.marks().low())) return;
  leave_view(to);
  // §4.4: "multicasts a ⟨VIEW-CHANGE, v + 1, n, C, P, i⟩σi message to all replicas". View and status changed before P
  // is read, in one step. So a batch for which this replica has sent COMMIT is in P, and no COMMIT of the old view can
  // follow (attack 10).
  auto own = std::make_shared<view_change>();
  own->new_view = view_;
  own->stable_sequence = log_.marks().low();
  if (stable_ != nullptr) own->stable_proof = *stable_;
  own->prepared = prepared_.certificates();
  own->replica = self_;
  require(own->stable_proof.sequence() == own->stable_sequence, "h is proven");
  auto buffer = view_change_buffer(*own);
  own->by = keys_->sign(signing_input(cluster_.signing, message_kind::view_change, buffer));
  view_proof_ = seal(message_kind::view_change, std::move(buffer), own->by);
  own->raw = {view_proof_, body_of(*view_proof_)};
  out.records.push_back({record_kind::view_change, view_, own->stable_sequence, view_proof_});
  out.sends.push_back({std::nullopt, view_proof_});
  out.view_left = std::move(own);
  report_progress(out);
}

void replica_core::leave_view(view_number to) {
  require(to > view_, "views only grow");
  // P and the bodies are collected before the slots are cleared (attack 10).
  prepared_.collect(log_);
  bodies_.collect(log_);
  log_.start_view();
  view_ = to;
  active_ = false;
  view_left_at_tick_ = ticks_;
  // The new view decides everything above h again.
  last_decided_ = log_.marks().low();
  waiting_.clear();
  null_requests_.clear();
  reproposals_.clear();
  unanswered_.clear();
}

replica_effects replica_core::on_new_view_built(const new_view& opened) {
  require(opened.replica == self_ && group_.primary_of(opened.view) == self_, "the primary opens its own view");
  replica_effects out;
  // This replica may have gone on to a later view. Then it never sends this NEW-VIEW.
  if (divergence_.exists() || opened.view != view_ || active_) return out;
  enter_view(opened, out);
  // The NEW-VIEW goes first, because a replica that has not entered the view refuses what is sent in it.
  out.sends.insert(out.sends.begin(), {std::nullopt, view_proof_});
  ask_for_bodies(out);
  return out;
}

void replica_core::enter_view(const new_view& opened, replica_effects& out) {
  if (opened.view > view_) leave_view(opened.view);
  require(!active_ && opened.view == view_, "a view is entered once");
  adopt_plan(opened);
  out.records.push_back({record_kind::new_view, view_, min_s_, view_proof_});
  out.view_entered = view_;
  out.observations.emplace_back(view_was_entered{view_});
  // §4.4: a replica that lacks the checkpoint of min-s "also inserts the proof of stability for this checkpoint in its
  // log"; it has to compare its own state with it, or to fetch the state, before h moves (attack 15).
  learn_checkpoint(out);
  end_probation(out);
  repropose(out);
  take_early(out);
  propose_null_requests(out);
  report_progress(out);
}

bool replica_core::lacks_body() const {
  return std::ranges::any_of(reproposals_, [this](const auto& each) {
    const auto* slot = log_.find(each.first);
    return log_.marks().contains(each.first) && (slot == nullptr || !slot->proposal);
  });
}

/// Nothing after a missing body is executed, so this replica does not wait for the next tick. Only a replica that has
/// entered the view can answer, so the STATUS follows the NEW-VIEW.
void replica_core::ask_for_bodies(replica_effects& out) const {
  if (lacks_body()) send_status(out);
}

void replica_core::learn_checkpoint(replica_effects& out) const {
  if (active_ && min_s_ > log_.marks().low()) out.learned = min_s_proof_;
}

void replica_core::adopt_plan(const new_view& opened) {
  const auto plan = plan_of(opened.view_changes);
  require(plan.digests.size() == opened.reproposals.size(), "a verified NEW-VIEW follows its plan");
  active_ = true;
  // A STATUS in the new view is another question than one in the old view.
  answered_.clear();
  view_proof_ = frame_of(message_kind::new_view, opened.raw);
  min_s_ = plan.min_s;
  min_s_proof_ = std::make_shared<const checkpoint_certificate>(plan.proof);
  for (const auto& each : opened.reproposals) {
    // The own stable checkpoint covers the others.
    if (each.content.sequence > log_.marks().low()) reproposals_.emplace(each.content.sequence, each);
  }
  // A sequence number that is executed here, or that O names, must not be proposed with another batch.
  last_proposed_ = std::max({plan.max_s(), log_.marks().low(), last_executed_});
}

/// §4.4: replicas "redo the protocol for messages between min-s and max-s but they avoid re-executing client requests".
/// A body that is not held comes from any replica that holds it, by STATUS (attack 17).
void replica_core::repropose(replica_effects& out) {
  if (!active_) return;
  std::vector<signed_statement> ready;
  for (const auto& [sequence, header] : reproposals_) {
    const auto* slot = log_.find(sequence);
    if (log_.marks().contains(sequence) && (slot == nullptr || !slot->proposal)) ready.push_back(header);
  }
  for (const auto& header : ready) {
    const auto sequence = header.content.sequence;
    // Filling one slot may execute it and move h above the next one.
    if (!log_.marks().contains(sequence)) continue;
    if (auto body = bodies_.find(sequence, header.content.value)) fill(header, std::move(body), nullptr, out);
  }
}

void replica_core::take_early(replica_effects& out) {
  if (!active_) return;
  for (const auto& each : early_.drain(view_, log_.marks()))
    accept(each.sender, each.value, out);
}

// --- After the loss of the disk ---------------------------------------------------

bool replica_core::may_prepare() const { return !probation_ || probation_->may_prepare(log_.marks().low()); }

/// The end of the probation: from here on the disk holds everything that binds this replica. h is at or above every
/// sequence number for which it may have voted, and it cannot have sent a VIEW-CHANGE for the view that it has entered
/// or a later one. The record is durable before anything that the replica signs next.
void replica_core::end_probation(replica_effects& out) {
  if (!probation_ || !active_ || !probation_->may_commit(view_, log_.marks().low())) return wish(out);
  out.records.push_back({record_kind::readmission, view_, sequence_number{0}, std::make_shared<const byte_vector>()});
  out.observations.emplace_back(probation_changed{*probation_->floor(), probation_->first_view(), true});
  out.readmitted = true;
  probation_.reset();
  catch_up(out);
}

/// Handles again the slots that had to wait for the end of the probation, or for a restart.
void replica_core::catch_up(replica_effects& out) {
  for (auto sequence = last_decided_.next(); active_ && sequence <= log_.last(); sequence = sequence.next()) {
    if (log_.find(sequence) == nullptr) continue;
    prepare_slot(sequence, out);
    advance(sequence, out);
  }
}

/// The view in which this replica may commit and into which it asks the others. It never asks for a view that it leads,
/// because a liar would choose itself (`evidence_pool`). A replica that waits in a view alone cannot go back to the
/// others, so it asks them to come.
std::optional<view_number> replica_core::view_to_ask_for() const {
  const auto first = probation_->first_view();
  if (view_ < first) return group_.primary_of(first) == self_ ? first.next() : first;
  const bool is_alone = !active_ && ticks_ >= view_left_at_tick_ + alone_ticks;
  if (!is_alone) return std::nullopt;
  return group_.primary_of(view_) == self_ ? view_.next() : view_;
}

/// The floor or the view that this replica needs next: first the floor, then the view.
void replica_core::wish(replica_effects& out) const {
  if (!probation_ || !probation_->floor()) return;
  readmission_wish wanted;
  if (!may_prepare()) {
    wanted.floor = probation_->floor();
  } else if (const auto wanted_view = view_to_ask_for()) {
    wanted.view = wanted_view;
  }
  if (wanted.floor || wanted.view) out.wish = wanted;
}

void replica_core::hear_status(const status& value, replica_effects& out) {
  if (!probation_) return;
  const auto floor = probation_->floor();
  const auto first_view = probation_->first_view();
  // The reported view and h are not proven, so `probation` uses only what a quorum reports.
  probation_->on_status(value.replica, value.view, value.low_watermark, log_.marks().low());
  if (!probation_->floor() || (floor == probation_->floor() && first_view == probation_->first_view())) return;
  out.voting_above = probation_->floor();
  out.observations.emplace_back(probation_changed{*probation_->floor(), probation_->first_view(), false});
  end_probation(out);
}

// --- Restart -------------------------------------------------------------------

void replica_core::restore(const recovered_replica& past) {
  require(view_ == view_number{0} && last_executed_ == sequence_number{0} && log_.size() == 0, "a restart comes first");
  if (past.on_probation) probation_.emplace(cluster_);
  stable_ = past.stable;
  if (stable_ != nullptr) log_.cut_through(stable_->sequence());
  // The restart executed the batches on disk again, so the executor has this state.
  last_executed_ = past.last_executed;
  taken_ = last_executed_;
  last_decided_ = log_.marks().low();
  last_proposed_ = last_executed_;
  require(last_executed_ >= log_.marks().low(), "a stable checkpoint was executed");
  for (const auto& each : past.proposals)
    bodies_.keep(each.header.content.sequence, each.header.content.value, each.body);
  for (const auto& each : past.prepared)
    prepared_.restore(each);
  restore_view(past);
  if (active_) restore_slots(past);
}

void replica_core::restore_view(const recovered_replica& past) {
  view_ = past.view;
  active_ = past.active;
  if (past.opened != nullptr) adopt_plan(*past.opened);
  if (past.own_change != nullptr) view_proof_ = frame_of(message_kind::view_change, past.own_change->raw);
  require(view_ == view_number{0} || view_proof_ != nullptr, "a later view has its proof");
}

/// The statements of this replica in this view stand in their slots again, so it can only repeat them (attack 9).
void replica_core::restore_slots(const recovered_replica& past) {
  const auto is_here = [this](const statement& content) {
    return content.view == view_ && log_.marks().contains(content.sequence);
  };
  for (const auto& each : past.proposals) {
    const auto& content = each.header.content;
    if (!is_here(content)) continue;
    log_.at(content.sequence).proposal = each;
    // A primary goes on after its last proposal and proposes nothing twice.
    if (is_primary()) last_proposed_ = std::max(last_proposed_, content.sequence);
  }
  for (const auto& vote : past.own_prepares) {
    if (!is_here(vote.content)) continue;
    auto& slot = log_.at(vote.content.sequence);
    slot.prepare_sent = true;
    (void)slot.prepares.add(vote);
    // A batch that the NEW-VIEW names was recorded in the view that proposed it first.
    const auto named = reproposals_.find(vote.content.sequence);
    if (slot.proposal || named == reproposals_.end()) continue;
    auto body = bodies_.find(vote.content.sequence, vote.content.value);
    if (body != nullptr) slot.proposal = pre_prepare{named->second, std::move(body), nullptr};
  }
  for (const auto& certificate : past.prepared) {
    if (!is_here(certificate.pre_prepare.content)) continue;
    auto& slot = log_.at(certificate.pre_prepare.content.sequence);
    for (const auto& vote : certificate.prepares) {
      (void)slot.prepares.add(vote);
      // The certificate with the own PREPARE proves that it was sent.
      slot.prepare_sent = slot.prepare_sent || vote.content.replica == self_;
    }
  }
  for (const auto& vote : past.own_commits) {
    if (!is_here(vote.content)) continue;
    auto& slot = log_.at(vote.content.sequence);
    slot.commit_sent = true;
    (void)slot.commits.add(vote);
  }
  for (const auto& certificate : past.committed) {
    if (!is_here(certificate.commits.front().content)) continue;
    for (const auto& vote : certificate.commits)
      (void)log_.at(vote.content.sequence).commits.add(vote);
  }
  while (is_decided(last_decided_.next()))
    last_decided_ = last_decided_.next();
}

replica_effects replica_core::on_start() {
  replica_effects out;
  learn_checkpoint(out);
  repropose(out);
  // The write of a proposal and its vote may have been torn.
  catch_up(out);
  if (active_) out.view_entered = view_;
  if (probation_) out.observations.emplace_back(probation_changed{});
  const bool is_new = view_ == view_number{0} && last_executed_ == sequence_number{0} && log_.size() == 0;
  // A replica of a new group lacks nothing. A replica that lost its disk asks, and the others answer with what they can
  // prove.
  if (is_new && !probation_) return out;
  send_status(out);
  report_progress(out);
  out.observations.emplace_back(watermarks_moved{log_.marks().low(), log_.marks().high()});
  return out;
}

}  // namespace hypermesh
