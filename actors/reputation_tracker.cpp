#include "actors/reputation_tracker.hpp"

#include <fmt/format.h>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"

namespace hypermesh::actors {

namespace {

using tracker_self = reputation_tracker_actor::stateful_pointer<reputation_tracker_state>;

/// Sends the monitor the metrics of each replica that ever had less than the full score or was avoided as primary.
void report(tracker_self self) {
  auto& state = self->state;
  auto counters = std::make_shared<std::vector<named_counter>>();
  const auto all = state.book->all();
  for (std::size_t number = 0; number < all.size(); ++number) {
    const auto& each = all[number];
    const bool spotless = each.agreed.score == reputation_ledger::score_max &&
                          each.local_score == reputation_ledger::score_max && !each.is_avoided_as_primary;
    if (spotless && !state.shown.contains(number)) continue;
    state.shown.insert(number);
    const auto add = [&](std::string_view name, std::uint64_t value) {
      counters->push_back({fmt::format("{}{{replica=\"{}\"}}", name, number), value});
    };
    add("reputation_score", each.agreed.score);
    add("reputation_local_score", each.local_score);
    add("convictions", each.agreed.convictions);
    add("convicted_at_sequence", each.agreed.convicted_at.value);
    add("quarantined_until_sequence", each.agreed.quarantined_until.value);
    add("awaits_quarantine", each.agreed.awaits_quarantine ? 1 : 0);
  }
  const auto rate_limited = state.book->clients_rate_limited();
  if (rate_limited > 0 || state.has_rate_limited) counters->push_back({"clients_rate_limited", rate_limited});
  state.has_rate_limited = rate_limited > 0;
  if (!counters->empty()) self->send(state.with->monitor, counters_reported{std::move(counters)});
}

void tell(tracker_self self) {
  auto& state = self->state;
  const auto now = state.book->current();
  if (now == state.told) return;
  state.told = now;
  const auto shared = std::make_shared<const trust>(now);
  self->send(state.with->ingress, trust_changed{shared});
  self->send(state.with->coordinator, trust_changed{shared});
  self->send(state.with->state_transfer, trust_changed{shared});
}

}  // namespace

reputation_tracker_actor::behavior_type reputation_tracker(tracker_self self, const node_identity& identity) {
  self->state.book = std::make_unique<peer_trust>(identity.cluster);
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->delayed_send(self, reputation_tracker_state::period, tick{});
      },
      [self](const misbehaved& seen) {
        self->state.book->on_misbehaved(seen.what);
        tell(self);
      },
      [self](const reputation_agreed& agreed) {
        self->state.book->on_agreed(*agreed.now);
        tell(self);
        report(self);
      },
      [self](const replica_proven& found) {
        self->state.book->on_proven(found.what);
        tell(self);
      },
      [self](const reputation_wanted&) { return reputation_report{self->state.book->all()}; },
      [self](const tick&) {
        self->delayed_send(self, reputation_tracker_state::period, tick{});
        self->state.book->on_tick(now_of(self));
        tell(self);
        report(self);
      },
  };
}

}  // namespace hypermesh::actors
