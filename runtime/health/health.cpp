#include "runtime/health/health.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/health/cluster_health.hpp"

namespace hypermesh::health {

namespace {

using health_self = health_actor::stateful_pointer<health_state>;

void report(health_self self, const reputation_report& agreed) {
  auto& state = self->state;
  state.is_asking = false;
  const auto now = self->clock().now();
  state.watch->on_answers(agreed.replicas, now);
  auto counters = counters_of(state.watch->report(now), state.keeps_disk, state.shown);
  self->send(state.with->monitor,
             counters_reported{std::make_shared<const std::vector<named_counter>>(std::move(counters))});
}

/// The counters keep their last values while no answer comes.
void ask(health_self self) {
  if (self->state.is_asking) return;
  self->state.is_asking = true;
  const auto give_up = [self](const caf::error&) { self->state.is_asking = false; };
  // Without the root of the state, which would take long to compute.
  self->request(self->state.with->monitor, health_state::patience, report_wanted{.with_root = false})
      .then(
          [self, give_up](const node_report&) {
            self->request(self->state.with->reputation_tracker, health_state::patience, reputation_wanted{})
                .then([self](const reputation_report& agreed) { report(self, agreed); }, give_up);
          },
          give_up);
}

}  // namespace

health_actor::behavior_type health(health_self self, std::shared_ptr<shared_health_watch> watch, bool keeps_disk) {
  self->state.watch = std::move(watch);
  self->state.keeps_disk = keeps_disk;
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->send(self, tick{});
      },
      [self](const tick&) {
        self->delayed_send(self, health_state::period, tick{});
        ask(self);
      },
  };
}

}  // namespace hypermesh::health
