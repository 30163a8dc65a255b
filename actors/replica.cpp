#include "actors/replica.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/journaling.hpp"

namespace hypermesh {

namespace {

using replica_self = replica_actor::stateful_pointer<replica_state>;

void carry_out(replica_self self, replica_effects effects) {
  const auto& with = *self->state.with;
  send_to_journal(self, with.journal, std::move(effects.records), std::move(effects.sends));
  if (!effects.committed.empty() || effects.forget_through) {
    const auto& core = *self->state.core;
    self->send(with.ingress,
               progress_made{{core.view(), core.last_executed(), core.marks().low(), core.marks().high()}});
  }
  for (auto& each : effects.committed)
    self->send(with.executor, batch_committed{std::move(each)});
  if (effects.forget_through) self->send(with.journal, forget_records{*effects.forget_through});
  if (effects.fetch) self->send(with.state_transfer, fetch_state{effects.fetch});
  for (auto& each : effects.observations)
    self->send(with.monitor, observed{std::move(each)});
}

}  // namespace

replica_actor::behavior_type replica(replica_self self, node_identity identity,
                                     std::chrono::microseconds status_period) {
  auto& state = self->state;
  state.core = std::make_unique<replica_core>(identity.cluster, identity.self, *identity.keys);
  state.identity = std::move(identity);
  state.status_period = status_period;
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->send(all.with->batcher, view_entered{self->state.core->view()});
        self->delayed_send(self, self->state.status_period, tick{});
      },
      [self](const verified_message& received) {
        carry_out(self, self->state.core->on_message(received.sender, *received.value));
      },
      [self](const batch_cut& cut) { carry_out(self, self->state.core->on_batch(cut.content)); },
      [self](const checkpoint_stable& stable) { carry_out(self, self->state.core->on_stable(stable.certificate)); },
      [self](const state_diverged& diverged) { carry_out(self, self->state.core->on_diverged(diverged.sequence)); },
      [self](const state_installed& installed) { carry_out(self, self->state.core->on_installed(installed.sequence)); },
      [self](const tick&) {
        self->delayed_send(self, self->state.status_period, tick{});
        carry_out(self, self->state.core->on_tick());
      },
  };
}

}  // namespace hypermesh
