#include "actors/batcher.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "messages/codec.hpp"

namespace hypermesh::actors {

namespace {

using batcher_self = batcher_actor::stateful_pointer<batcher_state>;

/// Sends the replica every batch that is due, and starts the batch delay if requests wait and no delay is running.
void cut_batches(batcher_self self, bool delay_passed) {
  auto& state = self->state;
  while (auto next = state.intake->cut(delay_passed, wall_time_of(state.identity.clock), now_of(self))) {
    self->send(state.with->replica,
               batch_cut{state.intake->view(), std::make_shared<const batch>(std::move(next->content)), next->oldest});
    delay_passed = false;
  }
  if (state.intake->awaits_delay() && state.delay_running == 0) {
    state.delay_running = ++state.delays_started;
    self->delayed_send(self, state.batch_delay, tick{state.delay_running});
  }
}

template <class Request>
void forward(batcher_self self, const Request& value) {
  const auto& primary = self->state.with->peers.at(self->state.intake->primary().value);
  self->send(primary, outgoing_frame{reframe(value)});
}

void start_look_timer(batcher_self self, std::optional<duration> in) {
  if (in) self->delayed_send(self, *in, requests_wait{});
}

void look_again(batcher_self self, ordered_id id, std::optional<duration> in) {
  const auto now = now_of(self);
  if (in) start_look_timer(self, self->state.looks.add(id, now + *in, now));
}

void look_at(batcher_self self, ordered_id id) {
  const auto look = self->state.intake->on_waited(id, now_of(self));
  if (look.forwards) std::visit([&](auto name) { forward(self, *self->state.pool->find(name)); }, id);
  look_again(self, id, look.looks_again_in);
}

void report_contradiction(batcher_self self, std::optional<evidence> shown) {
  if (!shown) return;
  self->send(self->state.with->fault_detector, proof_found{std::make_shared<const evidence>(std::move(*shown))});
}

void report_service(batcher_self self) {
  auto& state = self->state;
  auto report = state.pool->service(now_of(self));
  report.executed_through = state.executed_through;
  self->send(state.with->coordinator, service_measured{std::move(report)});
}

/// Ends the rest of the coordinator when a request waits.
void wake_coordinator(batcher_self self) {
  auto& state = self->state;
  if (!state.coordinator_rests || state.pool->requests_pending() == 0) return;
  state.coordinator_rests = false;
  report_service(self);
}

/// The link and the credit of a frame. Both are empty if the effects come later than the frame.
struct frame_source {
  peer_actor via;
  inbound_credit credit;
};

void answer(batcher_self self, const frame_source& from, const request& value, immediate_answer with) {
  const auto& executor = self->state.with->executor;
  const auto asked = reference_of(value);
  if (with == immediate_answer::earlier_reply) {
    self->send(executor, reply_again{asked, from.via, from.credit});
  } else if (with == immediate_answer::overloaded) {
    self->send(executor, refuse{asked, reply_status::overloaded, from.via, from.credit});
  }
}

void carry_out(batcher_self self, const request& value, intake_effects effects, const frame_source& from) {
  const auto& with = *self->state.with;
  for (const auto& each : effects.displaced)
    self->send(with.executor, refuse{each, reply_status::overloaded, {}});
  if (effects.routes_session) self->send(with.executor, session_routed{reference_of(value), from.via});
  if (effects.exceeds_share) self->send(with.client_ingress, quota_exceeded{value.id.client});
  if (effects.forwards) forward(self, value);
  look_again(self, value.id, effects.looks_again_in);
  if (effects.refused) self->send(with.monitor, observed{*effects.refused, from.credit});
  report_contradiction(self, std::move(effects.contradiction));
  wake_coordinator(self);
  answer(self, from, value, effects.answer);
}

/// Sends the VOUCHes that have gathered. All requests that were in the mailbox before this message share a frame.
void send_vouches(batcher_self self) {
  auto& state = self->state;
  const auto all = state.intake->take_vouches();
  state.vouches_due = false;
  for (std::size_t first = 0; first < all.size(); first += limits::vouched_requests_max) {
    const auto last = std::min(all.size(), first + limits::vouched_requests_max);
    const auto at = [&all](std::size_t index) { return all.begin() + static_cast<std::ptrdiff_t>(index); };
    const auto frame = encode(vouch{{at(first), at(last)}});
    for (const auto& peer : state.with->peers) {
      if (peer) self->send(peer, outgoing_frame{frame});
    }
  }
}

/// After a request or a VOUCH: other requests may be authentic now.
void report_authentic(batcher_self self) {
  auto& state = self->state;
  for (const auto& each : state.intake->take_proven())
    self->send(state.with->replica, batch_authentic{each.view, each.sequence, each.value});
  if (state.intake->has_vouches() && !std::exchange(state.vouches_due, true)) self->send(self, vouches_due{});
}

void admit(batcher_self self, const verified_message& received) {
  const auto& value = std::get<request>(*received.value);
  auto effects = self->state.intake->on_request(received.sender, value, now_of(self));
  const bool cuts = effects.cuts_batches;
  carry_out(self, value, std::move(effects), {received.via, received.credit});
  if (cuts) cut_batches(self, false);
  report_authentic(self);
}

void take_vouch(batcher_self self, const verified_message& received) {
  const replica_id sender{received.sender.number};
  auto admitted = self->state.intake->on_vouch(sender, std::get<vouch>(*received.value), now_of(self));
  for (auto& each : admitted)
    carry_out(self, each.value, std::move(each.effects), {});
  // One VOUCH may certify many requests, which belong into one batch.
  if (!admitted.empty()) cut_batches(self, false);
  report_authentic(self);
}

void admit_system_request(batcher_self self, const system_request& value) {
  const auto effects = self->state.intake->on_system_request(value, now_of(self));
  wake_coordinator(self);
  if (effects.cuts_batches) cut_batches(self, false);
  look_again(self, value.name, effects.looks_again_in);
}

/// In the new view this replica proposes the pending requests as primary, or forwards them to the primary. The clients
/// do not have to send them again.
void enter(batcher_self self, view_number view) {
  const auto pending = self->state.intake->on_view(view, now_of(self));
  const auto hand_on = [self](const auto& each, ordered_id id) {
    forward(self, each);
    look_again(self, id, self->state.intake->watch(id));
  };
  for (const auto& each : pending.requests)
    hand_on(each, each.id);
  for (const auto& each : pending.system_requests)
    hand_on(each, each.name);
  cut_batches(self, false);
}

void on_executed(batcher_self self, const batch_executed& done) {
  auto& state = self->state;
  if (done.body) {
    for (const auto& each : done.body->requests)
      report_contradiction(self, state.intake->contradiction_with(each));
  }
  state.executed_through = done.sequence;
  auto cases = done.body ? cases_in(*done.body) : std::vector<case_name>{};
  state.intake->on_executed({done.view, *done.requests, std::move(cases), done.lateness}, now_of(self));
}

void report(batcher_self self) {
  const auto& pool = *self->state.pool;
  self->send(self->state.with->monitor,
             observed{batcher_progress{pool.requests_pending(), pool.bytes_pending(), pool.is_admitting()}});
}

}  // namespace

batcher_actor::behavior_type batcher(batcher_self self, node_identity identity, batch_settings settings,
                                     duration batch_delay) {
  self->state.identity = std::move(identity);
  self->state.batch_delay = batch_delay;
  self->state.pool = std::make_unique<request_pool>(settings);
  const auto& own = self->state.identity;
  self->state.intake = std::make_unique<request_intake>(own.cluster, own.self, *own.keys, *self->state.pool);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const verified_message& received) {
        if (std::holds_alternative<vouch>(*received.value)) return take_vouch(self, received);
        const auto* wanted = std::get_if<system_request>(received.value.get());
        return wanted == nullptr ? admit(self, received) : admit_system_request(self, *wanted);
      },
      [self](const vouches_due&) { send_vouches(self); },
      [self](const batch_unproven& asked) {
        self->state.intake->on_unproven(asked.proposed);
        report_authentic(self);
      },
      [self](const requests_wait&) {
        for (const auto& each : self->state.looks.take_due(now_of(self)))
          look_at(self, each);
        start_look_timer(self, self->state.looks.arm(now_of(self)));
      },
      [self](const view_entered& entered) { enter(self, entered.view); },
      [self](const batch_executed& done) {
        on_executed(self, done);
        cut_batches(self, false);
        report_authentic(self);
        report(self);
      },
      [self](const state_installed& installed) {
        self->state.executed_through = installed.sequence;
        self->state.pool->on_installed(*installed.executed, now_of(self));
        cut_batches(self, false);
      },
      [self](const reputation_agreed& agreed) {
        self->state.pool->on_rate_limited(rate_limited_in(agreed.now->clients));
      },
      [self](const stop_admitting&) {
        self->state.pool->stop_admitting();
        report(self);
      },
      [self](const cases_dropped& dropped) { self->state.pool->on_dropped(*dropped.names, now_of(self)); },
      [self](const service_wanted& wanted) {
        self->state.coordinator_rests = wanted.rests;
        report_service(self);
      },
      [self](const tick& passed) {
        if (passed.generation != self->state.delay_running) return;
        self->state.delay_running = 0;
        cut_batches(self, true);
      },
  };
}

}  // namespace hypermesh::actors
