#include "runtime/health/health.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/health/cluster_health.hpp"

namespace hypermesh::health {

namespace {

using health_self = health_actor::stateful_pointer<health_state>;

health_report report_of(health_self self, bool answers) {
  auto known = self->state.watch->known_at(self->clock().now());
  known.own.answers = answers;
  const auto& quarantined = self->state.quarantined;
  for (std::size_t number = 0; number < known.peers.size() && number < quarantined.size(); ++number) {
    known.peers[number].quarantined = quarantined[number].has_value();
    known.peers[number].quarantined_until = quarantined[number].value_or(sequence_number{0});
  }
  return assess(known);
}

void learn(health_self self, const reputation_report& agreed) {
  self->state.quarantined.clear();
  for (const auto& each : agreed.replicas) {
    const auto& standing = each.agreed;
    // A convicted replica whose quarantine has not begun yet is as faulty as one in quarantine.
    const bool is_faulty = standing.is_quarantined() || standing.awaits_quarantine;
    self->state.quarantined.push_back(is_faulty ? std::optional{standing.quarantined_until} : std::nullopt);
  }
}

/// Reports counters with the newest agreed standings.
void report(health_self self) {
  auto counters = [self] {
    const auto& state = self->state;
    return counters_of(report_of(self, true), state.keeps_disk, self->state.shown);
  };
  self->request(self->state.with->reputation_tracker, health_state::patience, reputation_wanted{})
      .then(
          [self, counters](const reputation_report& agreed) {
            learn(self, agreed);
            self->send(self->state.with->monitor,
                       counters_reported{std::make_shared<const std::vector<named_counter>>(counters())});
          },
          [](const caf::error&) {
            // The node is overloaded or stopping. The counters keep their last values until the next period.
          });
}

caf::result<health_report> answer(health_self self) {
  auto promise = self->make_response_promise<health_report>();
  if (self->state.with == nullptr) {
    promise.deliver(report_of(self, false));
    return promise;
  }
  const auto fail = [self, promise](const caf::error&) mutable { promise.deliver(report_of(self, false)); };
  // The monitor asks the executor before it answers.
  self->request(self->state.with->monitor, health_state::patience, report_wanted{})
      .then(
          [self, promise, fail](const node_report&) mutable {
            self->request(self->state.with->reputation_tracker, health_state::patience, reputation_wanted{})
                .then(
                    [self, promise](const reputation_report& agreed) mutable {
                      learn(self, agreed);
                      promise.deliver(report_of(self, true));
                    },
                    fail);
          },
          fail);
  return promise;
}

}  // namespace

health_actor::behavior_type health(health_self self, std::shared_ptr<const shared_health_watch> watch,
                                   bool keeps_disk) {
  self->state.watch = std::move(watch);
  self->state.keeps_disk = keeps_disk;
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, health_state::period, tick{});
      },
      [self](const health_wanted&) { return answer(self); },
      [self](const tick&) {
        self->delayed_send(self, health_state::period, tick{});
        report(self);
      },
  };
}

}  // namespace hypermesh::health
