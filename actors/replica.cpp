#include "actors/replica.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "actors/send_to_journal.hpp"

namespace hypermesh::actors {

namespace {

using replica_self = replica_actor::stateful_pointer<replica_state>;

replica_position position_of(const replica_core& core) {
  return {core.view(), core.is_active(), core.last_decided(), core.marks().low(), core.marks().high(), core.repairs()};
}

void tell_position(replica_self self) {
  self->state.last_published = position_of(*self->state.core);
  self->send(self->state.with->ingress, progress_made{self->state.last_published});
}

/// The core for one event. It reads no clock, so it gets a reading first: each event may fill a slot with a proposal
/// whose time is judged.
replica_core& core_of(replica_self self) {
  self->state.core->on_wall_clock(wall_time_of(self->state.identity.clock));
  return *self->state.core;
}

void carry_out(replica_self self, replica_effects effects) {
  // First, because the records tell the phases, and they move on to the journal.
  self->state.phases.note(effects, now_of(self));
  const auto& with = *self->state.with;
  // The executor hears of a prepared slot before the journal lets its COMMIT leave (attack 35).
  if (effects.prepared_through) self->send(with.executor, slots_prepared{*effects.prepared_through});
  send_to_journal(self, with.journal, std::move(effects.records), std::move(effects.sends),
                  std::move(effects.committed));
  if (self->state.last_published != position_of(*self->state.core)) tell_position(self);
  if (effects.view_left) self->send(with.coordinator, view_left{std::move(effects.view_left)});
  if (effects.view_entered) {
    self->send(with.coordinator, view_entered{*effects.view_entered});
    self->send(with.batcher, view_entered{*effects.view_entered});
    self->send(with.fault_detector, view_entered{*effects.view_entered});
  }
  if (effects.readmitted) self->send(with.coordinator, readmitted{});
  if (effects.wish) self->send(with.fault_detector, readmission_wanted{*effects.wish});
  if (effects.forget_through) {
    self->send(with.journal, forget_records{*effects.forget_through});
    self->send(with.coordinator, low_watermark_moved{*effects.forget_through});
  }
  if (effects.voting_above) self->send(with.checkpointer, voting_allowed{*effects.voting_above});
  if (effects.learned) self->send(with.checkpointer, proof_learned{effects.learned});
  if (effects.fetch) self->send(with.state_transfer, fetch_state{effects.fetch, fetch_reason::lag});
  for (auto& each : effects.unproven)
    self->send(with.batcher, batch_unproven{std::move(each)});
  for (auto& each : effects.observations)
    self->send(with.monitor, observed{std::move(each)});
}

}  // namespace

replica_actor::behavior_type replica(replica_self self, node_identity identity, duration status_period,
                                     std::shared_ptr<const recovered_replica> past) {
  auto& state = self->state;
  state.core = std::make_unique<replica_core>(identity.cluster, identity.self, *identity.keys);
  state.core->restore(*past);
  state.identity = std::move(identity);
  state.status_period = status_period;
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, self->state.status_period, tick{});
      },
      [self](const actors_connected&) {
        tell_position(self);
        carry_out(self, core_of(self).on_start());
      },
      [self](const verified_message& received) {
        self->state.phases.note_vote(*received.value, position_of(*self->state.core), now_of(self));
        carry_out(self, core_of(self).on_message(received.sender, *received.value));
      },
      [self](const new_view_verified& received) {
        carry_out(self, core_of(self).on_new_view(received.sender, *received.opened));
      },
      [self](const batch_cut& cut) {
        self->state.phases.note_cut(cut.content, cut.oldest);
        carry_out(self, core_of(self).on_batch(cut.view, cut.content));
      },
      [self](const batch_authentic& proven) {
        carry_out(self, core_of(self).on_authentic(proven.view, proven.sequence, proven.value));
      },
      [self](const change_view& wanted) { carry_out(self, core_of(self).on_change_view(wanted.to)); },
      [self](const new_view_built& built) { carry_out(self, core_of(self).on_new_view_built(*built.opened)); },
      [self](const checkpoint_taken& taken) { carry_out(self, core_of(self).on_taken(taken.sequence)); },
      [self](const checkpoint_stable& stable) { carry_out(self, core_of(self).on_stable(stable.certificate)); },
      [self](const state_diverged& diverged) { core_of(self).on_diverged(diverged.sequence); },
      [self](const state_installed& installed) {
        carry_out(self, core_of(self).on_installed(installed.sequence, installed.certificate));
      },
      [self](const moves_agreed& agreed) {
        carry_out(self, core_of(self).on_moves(agreed.now, agreed.stepped_down, agreed.at));
      },
      [self](const tick&) {
        self->delayed_send(self, self->state.status_period, tick{});
        carry_out(self, core_of(self).on_tick());
      },
  };
}

}  // namespace hypermesh::actors
