#include "actors/state_transfer.hpp"

#include <utility>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/frozen_checkpoint.hpp"
#include "actors/report_misbehaviour.hpp"
#include "actors/send_to_journal.hpp"

namespace hypermesh::actors {

namespace {

using transfer_self = state_transfer_actor::stateful_pointer<state_transfer_state>;

/// Reports the beginning and the end of a transfer to the monitor.
void show_activity(transfer_self self) {
  const bool is_active = self->state.fetcher->is_active();
  if (std::exchange(self->state.is_shown_active, is_active) == is_active) return;
  const std::vector<named_counter> counters = {{"transfer_is_active", is_active ? 1U : 0U}};
  self->send(self->state.with->monitor,
             counters_reported{std::make_shared<const std::vector<named_counter>>(counters)});
}

void carry_out(transfer_self self, transfer_effects effects) {
  const auto& with = *self->state.with;
  send_to_journal(self, with.journal, {}, std::move(effects.sends));
  if (effects.install)
    self->send(with.executor, install_state{effects.install->certificate, effects.install->snapshot});
  for (auto& each : effects.observations) {
    tell_misbehaviour(self, with, each, self->state.group);
    self->send(with.monitor, observed{std::move(each)});
  }
  show_activity(self);
}

/// Passes on the own states that are hashed by now. The checkpointer hashes them; waiting for it would keep a second
/// thread of the node from other work.
void take_finished(transfer_self self) {
  auto& waiting = self->state.unfinished;
  for (; !waiting.empty(); waiting.pop_front()) {
    const auto* taken = waiting.front().state->finished();
    if (taken == nullptr) return;
    self->state.donor->on_taken(taken->sequence, taken->snapshot);
    self->state.fetcher->on_taken(taken->sequence, taken->snapshot);
  }
}

void receive(transfer_self self, const verified_message& received) {
  take_finished(self);
  if (const auto* wanted = std::get_if<state_request>(received.value.get())) {
    auto frame = self->state.donor->answer(replica_id{received.sender.number}, *wanted);
    if (frame) self->send(received.via, outgoing_frame{std::move(frame)});
    return;
  }
  const auto& chunk = std::get<state_chunk_message>(*received.value);
  carry_out(self, self->state.fetcher->on_chunk(replica_id{received.sender.number}, chunk));
}

}  // namespace

state_transfer_actor::behavior_type state_transfer(transfer_self self, node_identity identity, duration period,
                                                   donor_settings giving) {
  self->state.period = period;
  self->state.group = identity.cluster.group();
  self->state.donor = std::make_unique<state_donor>(identity.cluster, giving);
  self->state.fetcher = std::make_unique<state_fetcher>(identity.cluster, identity.self);
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, self->state.period, tick{});
      },
      [self](const checkpoint_taken& taken) {
        self->state.unfinished.push_back(taken);
        take_finished(self);
      },
      [self](const checkpoint_installed& installed) {
        // The states that were taken before are older, or wrong.
        self->state.unfinished.clear();
        self->state.fetcher->on_installed(installed.sequence);
        show_activity(self);
        self->state.donor->on_taken(installed.sequence, installed.snapshot);
        self->state.fetcher->on_taken(installed.sequence, installed.snapshot);
      },
      [self](const fetch_state& wanted) {
        take_finished(self);
        carry_out(self, self->state.fetcher->on_fetch(wanted.certificate, wanted.why));
      },
      [self](const verified_message& received) { receive(self, received); },
      [self](const install_refused& refused) {
        carry_out(self, self->state.fetcher->on_install_refused(refused.sequence, refused.unreadable));
      },
      [self](const state_diverged&) {
        self->state.unfinished.clear();
        self->state.donor->on_diverged();
      },
      [self](const trust_changed& changed) { self->state.fetcher->on_trust(changed.now->throttled); },
      [self](const checkpoint_stable& stable) {
        // The checkpointer has hashed this state, if this replica has it.
        take_finished(self);
        self->state.donor->on_stable(stable.certificate->sequence());
      },
      [self](const tick&) {
        self->delayed_send(self, self->state.period, tick{});
        take_finished(self);
        self->state.donor->on_tick();
        carry_out(self, self->state.fetcher->on_tick());
      },
  };
}

}  // namespace hypermesh::actors
