#include "actors/coordinator.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "actors/report_misbehaviour.hpp"
#include "actors/send_to_journal.hpp"

namespace hypermesh::actors {

namespace {

using coordinator_self = coordinator_actor::stateful_pointer<coordinator_state>;

void carry_out(coordinator_self self, view_change_effects effects) {
  const auto& with = *self->state.with;
  send_to_journal(self, with.journal, {}, std::move(effects.sends));
  if (effects.change_to) self->send(with.replica, change_view{*effects.change_to});
  if (effects.opened) self->send(with.replica, new_view_built{std::move(effects.opened)});
  for (auto& each : effects.observations) {
    tell_misbehaviour(self, with, each, self->state.identity.cluster.group());
    self->send(with.monitor, observed{std::move(each)});
  }
}

/// Asks the batcher, and starts the timer for the next question.
void ask(coordinator_self self) {
  auto& state = self->state;
  const auto wait = state.rests ? coordinator_state::rest_periods * state.period : state.period;
  self->delayed_send(self, wait, tick{++state.timer});
  self->send(state.with->batcher, service_wanted{state.rests});
}

/// Ends the rest if the news that came since gives a reason.
void end_rest(coordinator_self self) {
  auto& state = self->state;
  if (!state.rests || state.changes->may_rest(now_of(self))) return;
  state.rests = false;
  ask(self);
}

void receive(coordinator_self self, const verified_message& received) {
  auto& changes = *self->state.changes;
  if (const auto* vote = std::get_if<suspicion>(received.value.get())) {
    return carry_out(self, changes.on_suspicion(vote->vote, now_of(self)));
  }
  // The pointer shares the received message, so its certificates are not copied.
  std::shared_ptr<const view_change> change{received.value, &std::get<view_change>(*received.value)};
  carry_out(self, changes.on_view_change(std::move(change), now_of(self)));
}

}  // namespace

coordinator_actor::behavior_type coordinator(coordinator_self self, node_identity identity,
                                             view_change_settings settings, duration period,
                                             std::shared_ptr<const recovered_replica> past) {
  auto& state = self->state;
  state.changes = std::make_unique<view_changer>(identity.cluster, identity.self, *identity.keys, settings);
  state.changes->restore(past->view, past->own_change, past->stable ? past->stable->sequence() : sequence_number{});
  if (past->on_probation && past->own_change == nullptr) state.changes->abstain();
  state.identity = std::move(identity);
  state.period = period;
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, self->state.period, tick{++self->state.timer});
      },
      [self](const verified_message& received) {
        receive(self, received);
        end_rest(self);
      },
      [self](const view_left& left) {
        carry_out(self, self->state.changes->on_left(left.own, now_of(self)));
        end_rest(self);
      },
      [self](const view_entered& entered) {
        carry_out(self, self->state.changes->on_entered(entered.view, now_of(self)));
        end_rest(self);
      },
      [self](const service_measured& measured) {
        carry_out(self, self->state.changes->on_service(measured.report, now_of(self)));
        end_rest(self);
      },
      [self](const link_changed& changed) { self->state.changes->on_link_changed(changed.replica, changed.up); },
      [self](const trust_changed& changed) {
        carry_out(self, self->state.changes->on_trust(changed.now->avoided_as_primary, now_of(self)));
        end_rest(self);
      },
      [self](const moves_agreed& agreed) {
        carry_out(self, self->state.changes->on_moves(agreed.now, agreed.stepped_down, agreed.at, now_of(self)));
        end_rest(self);
      },
      [self](const low_watermark_moved& moved) {
        carry_out(self, self->state.changes->on_low_watermark(moved.low, now_of(self)));
      },
      [self](const readmitted&) { self->state.changes->on_readmitted(); },
      [self](const tick& due) {
        // The timer of a rest that has ended.
        if (due.generation != self->state.timer) return;
        self->state.rests = self->state.changes->may_rest(now_of(self));
        ask(self);
        carry_out(self, self->state.changes->on_tick(now_of(self)));
      },
  };
}

}  // namespace hypermesh::actors
