#include "actors/checkpointer.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/frozen_checkpoint.hpp"
#include "actors/send_to_journal.hpp"

namespace hypermesh::actors {

namespace {

using checkpointer_self = checkpointer_actor::stateful_pointer<checkpointer_state>;

void carry_out(checkpointer_self self, checkpoint_effects effects) {
  const auto& with = *self->state.with;
  send_to_journal(self, with.journal, std::move(effects.records), std::move(effects.sends));
  if (effects.disproven) self->send(with.executor, own_root_disproven{*effects.disproven});
  if (effects.fetch) self->send(with.state_transfer, fetch_state{effects.fetch, fetch_reason::own_state_wrong});
  if (effects.stable) {
    self->send(with.replica, checkpoint_stable{effects.stable});
    self->send(with.state_transfer, checkpoint_stable{effects.stable});
  }
  for (auto& each : effects.observations)
    self->send(with.monitor, observed{std::move(each)});
}

checkpoint_effects receive(checkpoint_votes& core, const message& value) {
  if (const auto* vote = std::get_if<checkpoint>(&value)) return core.on_vote(vote->vote);
  const auto& proof = std::get<checkpoint_proof>(value);
  return core.on_proof(std::make_shared<const checkpoint_certificate>(proof.certificate));
}

}  // namespace

checkpointer_actor::behavior_type checkpointer(checkpointer_self self, node_identity identity, duration period,
                                               std::shared_ptr<const recovered_node> past) {
  self->state.period = period;
  self->state.core = std::make_unique<checkpoint_votes>(identity.cluster, identity.self, *identity.keys);
  self->state.core->restore(past->replica.stable, past->own_checkpoints);
  if (past->replica.on_probation) self->state.core->abstain();
  self->state.identity = std::move(identity);
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, self->state.period, tick{});
      },
      [self](const checkpoint_taken& taken) {
        auto effects = self->state.core->on_taken(taken.sequence, taken.state->finish().root);
        if (effects.keeps_taken) self->send(self->state.with->journal, taken);
        carry_out(self, std::move(effects));
      },
      [self](const checkpoint_installed& installed) {
        carry_out(self, self->state.core->on_installed(installed.sequence, installed.root));
      },
      [self](const voting_allowed& allowed) { self->state.core->on_voting_allowed(allowed.above); },
      [self](const proof_learned& learned) { carry_out(self, self->state.core->on_proof(learned.certificate)); },
      [self](const verified_message& received) { carry_out(self, receive(*self->state.core, *received.value)); },
      [self](const tick&) {
        self->delayed_send(self, self->state.period, tick{});
        carry_out(self, self->state.core->on_tick());
      },
  };
}

}  // namespace hypermesh::actors
