#include "actors/fault_detector.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "actors/send_to_journal.hpp"

namespace hypermesh::actors {

namespace {

using detector_self = fault_detector_actor::stateful_pointer<fault_detector_state>;

void carry_out(detector_self self, evidence_pool_effects effects) {
  const auto& with = *self->state.with;
  for (const auto& each : effects.proven)
    self->send(with.reputation_tracker, replica_proven{each});
  send_to_journal(self, with.journal, {}, std::move(effects.sends));
  if (!effects.dropped.empty()) {
    self->send(with.batcher, cases_dropped{std::make_shared<const std::vector<case_name>>(std::move(effects.dropped))});
  }
  // The batcher gets the request with this replica as its sender. On a backup, the batcher forwards it to the primary.
  for (auto& asked : effects.requests) {
    self->send(with.batcher, verified_message{principal::of(self->state.identity.self), peer_actor{},
                                              std::make_shared<const message>(std::move(asked))});
  }
  for (auto& each : effects.observations)
    self->send(with.monitor, observed{std::move(each)});
}

evidence_pool_effects receive(evidence_pool& pool, const message& value, moment now) {
  if (const auto* it = std::get_if<system_request>(&value)) return pool.on_request(*it, now);
  if (const auto* it = std::get_if<complaint>(&value)) return pool.on_complaint(it->vote, now);
  if (const auto* it = std::get_if<readmission>(&value)) return pool.on_readmission(it->vote, now);
  if (const auto* it = std::get_if<hand_over>(&value)) return pool.on_hand_over(it->vote, now);
  return pool.on_release(std::get<release>(value).vote, now);
}

}  // namespace

fault_detector_actor::behavior_type fault_detector(detector_self self, node_identity identity) {
  self->state.pool = std::make_unique<evidence_pool>(identity.cluster, identity.self, *identity.keys);
  self->state.checks = std::make_unique<validator>(identity.cluster, *identity.keys);
  self->state.identity = std::move(identity);
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, evidence_pool::repeat_period, tick{});
      },
      [self](const proof_found& found) { carry_out(self, self->state.pool->on_found(*found.proof, now_of(self))); },
      [self](const verified_message& received) {
        carry_out(self, receive(*self->state.pool, *received.value, now_of(self)));
      },
      [self](const misbehaved& seen) { carry_out(self, self->state.pool->on_misbehaved(seen.what, now_of(self))); },
      [self](const reputation_agreed& agreed) { carry_out(self, self->state.pool->on_agreed(*agreed.now)); },
      [self](const release_wanted& wanted) {
        carry_out(self, self->state.pool->on_release_wanted(wanted.replica, now_of(self)));
      },
      [self](const readmission_wanted& wanted) {
        carry_out(self, self->state.pool->on_readmission_wanted(wanted.wish, now_of(self)));
      },
      [self](const view_entered& entered) { carry_out(self, self->state.pool->on_view(entered.view)); },
      [self](const validation_wanted& wanted) {
        return validation{self->state.checks->check_frame(wanted.sender, wanted.frame)};
      },
      [self](const tick&) {
        self->delayed_send(self, evidence_pool::repeat_period, tick{});
        carry_out(self, self->state.pool->on_tick(now_of(self)));
      },
  };
}

}  // namespace hypermesh::actors
