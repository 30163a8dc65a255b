// The view change of a replica (§4.4), its probation, and its return into its view after a restart. The rest of the
// class is in replica_core.cpp.
#include <algorithm>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/ordering/restored_slots.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Ticks after which a replica on probation that waits alone in a view asks the other replicas to move to this view.
constexpr std::uint64_t alone_ticks = 8;

}  // namespace

// --- §4.4, view changes ------------------------------------------------------------

replica_effects replica_core::on_change_view(view_number to) {
  replica_effects out;
  if (!status_.is_diverged() && to > view()) change_view(to, out);
  return out;
}

void replica_core::change_view(view_number to, replica_effects& out) {
  // A forgotten VIEW-CHANGE for the same view could contradict this one (attack 9).
  if (!rights_.may_leave_for(to, log_.marks().low())) return;
  leave_view(to);
  // §4.4: "multicasts a ⟨VIEW-CHANGE, v + 1, n, C, P, i⟩σi message to all replicas". View and status changed before P
  // is read, in one step. So a batch for which this replica has sent COMMIT is in P, and no COMMIT of the old view can
  // follow (attack 10).
  auto own = std::make_shared<view_change>();
  own->new_view = view();
  own->stable_sequence = log_.marks().low();
  if (stable_ != nullptr) own->stable_proof = *stable_;
  own->prepared = prepared_.certificates();
  own->replica = self_;
  require(own->stable_proof.sequence() == own->stable_sequence, "h is proven");
  auto buffer = view_change_buffer(*own);
  own->by = keys_->sign(signing_input(cluster_.signing, message_kind::view_change, buffer));
  const auto frame = seal(message_kind::view_change, std::move(buffer), own->by);
  own->raw = {frame, body_of(*frame)};
  status_.keep_view_change(frame);
  out.records.push_back({record_kind::view_change, view(), own->stable_sequence, frame});
  out.sends.push_back({std::nullopt, frame});
  out.view_left = std::move(own);
  report_progress(out);
}

void replica_core::leave_view(view_number to) {
  // P and the bodies are collected before the slots are cleared (attack 10).
  prepared_.collect(log_);
  bodies_.collect(log_);
  log_.start_view();
  status_.leave(to, ticks_);
  times_.on_view();
  // The new view decides everything above h again.
  last_decided_ = log_.marks().low();
}

replica_effects replica_core::on_new_view(principal sender, const planned_new_view& opened) {
  require(sender.is_replica(), "the replica core gets messages of replicas only");
  replica_effects out;
  // A replica whose state is wrong takes no part until it is repaired (attack 27).
  if (status_.is_diverged()) return out;
  // The validator has computed O again (attack 13), so only the view is left to check.
  const auto to = opened.message().view;
  const bool is_new = to > view() || (to == view() && status_.changing() != nullptr);
  if (!is_new) {
    reject(replica_id{sender.number}, to == view() ? rejection::duplicate : rejection::other_view, out);
    return out;
  }
  enter_view(opened, out);
  ask_for_bodies(out);
  return out;
}

replica_effects replica_core::on_new_view_built(const planned_new_view& opened) {
  const auto& built = opened.message();
  require(built.replica == self_ && group_.primary_of(built.view) == self_, "the primary opens its own view");
  replica_effects out;
  // This replica may have moved to a later view meanwhile. In that case it does not send this NEW-VIEW.
  if (built.view != view() || status_.changing() == nullptr) return out;
  enter_view(opened, out);
  // The NEW-VIEW is sent first, because a replica that has not entered the view refuses messages of the view.
  out.sends.insert(out.sends.begin(), {std::nullopt, status_.active()->opened_by});
  ask_for_bodies(out);
  return out;
}

void replica_core::enter_view(const planned_new_view& opened, replica_effects& out) {
  const auto to = opened.message().view;
  if (to > view()) leave_view(to);
  require(to == view(), "a NEW-VIEW opens the view that is waited for");
  adopt_plan(opened);
  const auto* here = status_.active();
  out.records.push_back({record_kind::new_view, view(), here->min_s, here->opened_by});
  out.view_entered = view();
  out.observations.emplace_back(view_was_entered{view()});
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
  const auto* here = status_.active();
  return here != nullptr && std::ranges::any_of(here->reproposals, [this](const auto& each) {
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
  const auto* here = status_.active();
  if (here != nullptr && here->min_s > log_.marks().low()) out.learned = here->min_s_proof;
}

void replica_core::adopt_plan(const planned_new_view& opened) {
  // The plan was computed where V was checked or collected, and O was compared with it. V has not changed since then,
  // so the plan is not computed again (see `validator::check_new_view`).
  const auto& plan = opened.plan();
  const auto& verified = opened.message();
  require(plan.digests.size() == verified.reproposals.size(), "a verified NEW-VIEW follows its plan");
  // A STATUS in the new view is answered even if one in the old view was answered in this tick.
  answered_.clear();
  active_view entered;
  entered.opened_by = frame_of(message_kind::new_view, verified.raw);
  entered.min_s = plan.min_s;
  entered.min_s_proof = std::make_shared<const checkpoint_certificate>(plan.proof);
  for (const auto& each : verified.reproposals) {
    // This replica's stable checkpoint covers the other sequence numbers of O.
    if (each.content.sequence > log_.marks().low()) entered.reproposals.emplace(each.content.sequence, each);
  }
  // A sequence number that is executed here, or that O names, must not be proposed with another batch.
  last_proposed_ = std::max({plan.max_s(), log_.marks().low(), last_executed_});
  status_.enter(std::move(entered));
}

/// §4.4: replicas "redo the protocol for messages between min-s and max-s but they avoid re-executing client requests".
/// If a body is missing, any replica that has it sends it after a STATUS (attack 17).
void replica_core::repropose(replica_effects& out) {
  const auto* here = status_.active();
  if (here == nullptr) return;
  std::vector<signed_statement> ready;
  for (const auto& [sequence, header] : here->reproposals) {
    const auto* slot = log_.find(sequence);
    if (log_.marks().contains(sequence) && (slot == nullptr || !slot->proposal)) ready.push_back(header);
  }
  for (const auto& header : ready) {
    const auto sequence = header.content.sequence;
    // When a slot is filled, it may be executed, and h may move above the next slot.
    if (!log_.marks().contains(sequence)) continue;
    if (auto body = bodies_.find(sequence, header.content.value)) fill(header, std::move(body), nullptr, out);
  }
}

void replica_core::take_early(replica_effects& out) {
  if (status_.active() == nullptr) return;
  for (const auto& each : early_.drain(view(), log_.marks()))
    accept(each.sender, each.value, each.lateness, out);
}

// --- After the loss of the disk ---------------------------------------------------

/// At the end of the probation the disk contains all promises of this replica. The record is written before the replica
/// sends its next statement.
void replica_core::end_probation(replica_effects& out) {
  const bool is_active = status_.active() != nullptr;
  const auto ended = is_active ? rights_.end(view(), log_.marks().low()) : std::nullopt;
  if (!ended) return wish(out);
  out.records.push_back({record_kind::readmission, view(), sequence_number{0}, std::make_shared<const byte_vector>()});
  out.observations.emplace_back(*ended);
  out.readmitted = true;
  report_prepared(out);
  catch_up(out);
}

void replica_core::decide_first_start(replica_effects& out) {
  // A refuted start leaves the replica on probation, and the wishes of the probation begin.
  if (rights_.decide_first_start(view(), log_.marks().low()) != first_start::finding::proven) return;
  // The record comes before the first vote. After a crash this replica continues as a full member.
  out.records.push_back({record_kind::readmission, view(), sequence_number{0}, std::make_shared<const byte_vector>()});
  out.observations.emplace_back(probation_changed{sequence_number{0}, view_number{0}, true});
  out.voting_above = sequence_number{0};
  out.readmitted = true;
  report_prepared(out);
  // The others must hear that this replica has not begun, before it votes (see `first_start`).
  send_status(out);
  catch_up(out);
  propose_waiting(out);
}

/// Processes the slots again that had to wait for the end of the probation or for a restart.
void replica_core::catch_up(replica_effects& out) {
  for (auto sequence = last_decided_.next(); status_.active() != nullptr && sequence <= log_.last();
       sequence = sequence.next()) {
    if (log_.find(sequence) == nullptr) continue;
    prepare_slot(sequence, out);
    advance(sequence, out);
  }
}

void replica_core::wish(replica_effects& out) const {
  const auto* waiting = status_.changing();
  const bool is_alone = waiting != nullptr && ticks_ >= waiting->left_at_tick + alone_ticks;
  if (const auto wanted = rights_.wish(view(), log_.marks().low(), is_alone)) out.wish = wanted;
}

void replica_core::hear_status(const status& value, replica_effects& out) {
  out.observations.emplace_back(status_was_heard{value.replica, value.view, value.active, value.last_decided,
                                                 value.on_probation, value.low_watermark});
  if (value.view == view()) times_.on_status(value.replica, value.last_decided);
  const auto changed = rights_.on_status(value, log_.marks().low());
  decide_first_start(out);
  if (!changed || rights_.is_full()) return;
  out.voting_above = changed->floor;
  out.observations.emplace_back(*changed);
  end_probation(out);
}

// --- Restart -------------------------------------------------------------------

void replica_core::restore(const recovered_replica& past) {
  require(view() == view_number{0} && last_executed_ == sequence_number{0} && log_.size() == 0,
          "a restart comes first");
  if (past.on_probation) rights_.start_probation(past.may_be_new);
  stable_ = past.stable;
  if (stable_ != nullptr) log_.cut_through(stable_->sequence());
  // The restart executed the batches on disk again, so the executor has this state.
  last_executed_ = past.last_executed;
  // While the restart executed these batches, it computed the states at their checkpoints again. `taken_` does not
  // cover these states yet, because they may be wrong (attack 27): the executor hands them to the checkpointer again.
  // The checkpointer forwards a state that no certificate covers yet, without a comparison. h is safe nevertheless: a
  // certificate reaches this replica only after the checkpointer has compared it with the own root.
  taken_ = log_.marks().low();
  last_decided_ = log_.marks().low();
  last_proposed_ = last_executed_;
  require(last_executed_ >= log_.marks().low(), "a stable checkpoint was executed");
  for (const auto& each : past.proposals)
    bodies_.keep(each.header.content.sequence, each.header.content.value, each.body);
  for (const auto& each : past.prepared)
    prepared_.restore(each);
  // A COMMIT is durable before it is sent, so the records name every slot that this replica has prepared. Records at or
  // below h are gone, and the executor has that state.
  for (const auto& each : past.own_commits)
    prepared_through_ = std::max(prepared_through_, each.content.sequence);
  restore_view(past);
  const auto* here = status_.active();
  if (here == nullptr) return;
  restore_slots(past, self_, *here, bodies_, log_);
  // A primary continues after its last proposal, so it never proposes two batches for one sequence number.
  if (is_primary()) last_proposed_ = std::max(last_proposed_, last_proposal(log_));
  while (is_decided(last_decided_.next()))
    last_decided_ = last_decided_.next();
}

void replica_core::restore_view(const recovered_replica& past) {
  if (past.view == view_number{0}) return;
  require((past.opened != nullptr) != (past.own_change != nullptr), "a later view has one proof");
  status_.leave(past.view, ticks_);
  if (past.opened != nullptr) {
    adopt_plan(*past.opened);
  } else {
    status_.keep_view_change(frame_of(message_kind::view_change, past.own_change->raw));
  }
}

replica_effects replica_core::on_start() {
  replica_effects out;
  report_prepared(out);
  learn_checkpoint(out);
  repropose(out);
  // A crash may have separated the records of a proposal and of its vote, so missing votes are sent now.
  catch_up(out);
  if (is_active()) out.view_entered = view();
  if (!rights_.is_full()) out.observations.emplace_back(probation_changed{});
  const bool is_new = view() == view_number{0} && last_executed_ == sequence_number{0} && log_.size() == 0;
  // A replica of a new group lacks no messages, so it sends no STATUS. A replica that lost its disk sends one, and the
  // other replicas answer with messages that they can prove.
  if (is_new && rights_.is_full()) return out;
  send_status(out);
  report_progress(out);
  out.observations.emplace_back(watermarks_moved{log_.marks().low(), log_.marks().high()});
  return out;
}

}  // namespace hypermesh::protocol
