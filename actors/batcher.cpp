#include "actors/batcher.hpp"

#include <algorithm>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "messages/codec.hpp"

namespace hypermesh {

namespace {

using batcher_self = batcher_actor::stateful_pointer<batcher_state>;

/// What its client waits for is handed on again and again: the primary may have had no room. Whatever stands behind
/// the oldest is handed on so often.
constexpr std::size_t hand_ons_max = 2;

/// Hands the replica every batch that is due and keeps the delay running while requests wait.
void cut_batches(batcher_self self, bool delay_passed) {
  auto& state = self->state;
  if (!state.is_primary()) return;
  while (auto next = state.builder->cut(delay_passed)) {
    self->send(state.with->replica, batch_cut{state.view, std::make_shared<const batch>(std::move(*next))});
    delay_passed = false;
  }
  if (state.builder->has_waiting() && state.delay_running == 0) {
    state.delay_running = ++state.delays_started;
    self->delayed_send(self, state.batch_delay, tick{state.delay_running});
  }
}

void forward(batcher_self self, const request& value) {
  self->state.builder->on_handed_on(value.id, now_of(self));
  const auto& primary = self->state.with->peers.at(self->state.primary().value);
  self->send(primary, outgoing_frame{reframe(value)});
}

/// The client has most likely sent it to the primary as well, and a copy from here could overtake what the client sent
/// before: it is forwarded only if it is still waiting a while later. Not much later: until then the primary is to
/// blame for nothing. Who passed it on makes no difference, because a primary that was never given a request must not
/// be suspected for it (attack 32).
void look_again(batcher_self self, request_id id, std::size_t times) {
  const auto& state = self->state;
  const std::chrono::microseconds delay{state.hand_ons->delay(id, state.primary(), times)};
  self->delayed_send(self, delay, request_waits{id});
}

/// Looks after a request that came anew. Nobody looks twice after one that was displaced and has come back.
void look_after(batcher_self self, request_id id) {
  if (self->state.looked_after.insert_or_assign(id, 0).second) look_again(self, id, 0);
}

/// The client may not reach the primary (§4.1).
void help(batcher_self self, const request_waits& look) {
  auto& state = self->state;
  const auto* waiting = state.builder->find(look.id);
  if (waiting == nullptr) {
    state.looked_after.erase(look.id);
    return;
  }
  auto& times = state.looked_after.at(look.id);
  if (!state.is_primary() && (times < hand_ons_max || state.builder->is_oldest(look.id))) forward(self, *waiting);
  look_again(self, look.id, ++times);
}

/// Two requests with one timestamp: of those a client can have one executed, and must not let replicas hold different
/// ones (attack 8).
void show_contradiction(batcher_self self, const request& value) {
  auto shown = self->state.builder->contradiction_with(value);
  if (!shown) return;
  self->send(self->state.with->fault_detector, proof_found{std::make_shared<const exhibits>(std::move(*shown))});
}

/// For a moment nothing of this client is verified. What a replica passed on says nothing about the client's pace.
void tell_excess(batcher_self self, const verified_message& received) {
  if (!received.sender.is_client()) return;
  self->send(self->state.with->client_ingress, quota_exceeded{client_id{received.sender.number}});
}

void take(batcher_self self, const verified_message& received) {
  const auto& value = std::get<request>(*received.value);
  auto& state = self->state;
  using admission = batch_builder::admission;
  const auto admitted = state.builder->admit(value, now_of(self));
  bool has_displaced_own = false;
  for (const auto& each : state.builder->take_displaced()) {
    self->send(state.with->executor, refuse{each, reply_status::overloaded, {}});
    has_displaced_own = has_displaced_own || each.id.client == value.id.client;
  }
  if (value.id.opens_session() && received.sender.is_client()) {
    self->send(state.with->executor, session_routed{reference_of(value), received.via});
  }
  switch (admitted) {
    case admission::accepted:
      // It has more pending than it may, whichever of it stays.
      if (has_displaced_own) tell_excess(self, received);
      if (state.is_primary()) return cut_batches(self, false);
      if (received.sender.is_client() && state.hand_ons->is_asked_as_primary(now_of(self))) forward(self, value);
      return look_after(self, value.id);
    case admission::already_pending:
      if (state.is_primary()) return cut_batches(self, false);
      // Only what a client repeats is forwarded at once, so that two replicas never pass a request to and fro.
      if (!received.sender.is_client()) return;
      if (state.builder->on_repeated(value.id, now_of(self))) return forward(self, value);
      return tell_excess(self, received);
    case admission::contradicting:
      // Whoever passed it on: the client signed both. Of two processes that chose one session the second is told by the
      // first one's reply.
      self->send(
          state.with->monitor,
          observed{frame_rejected{principal::of(value.id.client),
                                  value.id.opens_session() ? rejection::duplicate : rejection::conflicting_statement},
                   received.credit});
      return show_contradiction(self, value);
    case admission::done:
    case admission::past:
      // Only who asked on a link of its own is answered; what a replica forwarded, the client asks there itself.
      if (!received.sender.is_client()) return;
      return self->send(state.with->executor, reply_again{reference_of(value), received.via, received.credit});
    case admission::client_quota:
    case admission::overloaded:
      break;
  }
  if (admitted == admission::client_quota) tell_excess(self, received);
  const auto reason = admitted == admission::client_quota ? rejection::client_quota : rejection::overloaded;
  self->send(state.with->monitor, observed{frame_rejected{received.sender, reason}, received.credit});
  if (!received.sender.is_client()) return;
  self->send(state.with->executor,
             refuse{reference_of(value), reply_status::overloaded, received.via, received.credit});
}

/// What waits is proposed by this replica or handed to the view's primary, without any help of the clients.
void enter(batcher_self self, view_number view) {
  auto& state = self->state;
  if (state.is_primary()) state.hand_ons->on_ceded(now_of(self));
  state.view = view;
  state.builder->on_view(now_of(self));
  if (state.is_primary()) return cut_batches(self, false);
  for (const auto& each : state.builder->pending())
    forward(self, each);
}

void report(batcher_self self) {
  const auto& builder = *self->state.builder;
  self->send(self->state.with->monitor,
             observed{batcher_progress{builder.requests_pending(), builder.bytes_pending()}});
}

}  // namespace

batcher_actor::behavior_type batcher(batcher_self self, node_identity identity, batch_settings settings,
                                     std::chrono::microseconds batch_delay) {
  self->state.identity = std::move(identity);
  self->state.batch_delay = batch_delay;
  self->state.builder = std::make_unique<batch_builder>(settings);
  const auto& own = self->state.identity;
  self->state.hand_ons = std::make_unique<hand_on_plan>(own.cluster, own.self, *own.keys);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const verified_message& received) { take(self, received); },
      [self](const request_waits& look) { help(self, look); },
      [self](const view_entered& entered) { enter(self, entered.view); },
      [self](const batch_executed& done) {
        if (done.body) {
          for (const auto& each : done.body->requests)
            show_contradiction(self, each);
        }
        self->state.executed_through = done.sequence;
        self->state.builder->on_executed(*done.requests, done.primary == self->state.identity.self, now_of(self));
        cut_batches(self, false);
        report(self);
      },
      [self](const state_installed& installed) {
        self->state.executed_through = installed.sequence;
        self->state.builder->on_installed(*installed.executed, now_of(self));
        cut_batches(self, false);
      },
      [self](const reputation_agreed& agreed) {
        self->state.builder->on_restrained(restrained_in(agreed.now->clients));
      },
      [self](const cases_dropped& dropped) { self->state.builder->on_dropped(*dropped.names, now_of(self)); },
      [self](const service_wanted&) {
        const auto& state = self->state;
        auto report = state.builder->service(now_of(self));
        report.executed_through = state.executed_through;
        self->send(state.with->coordinator, service_measured{std::move(report)});
      },
      [self](const tick& passed) {
        if (passed.generation != self->state.delay_running) return;
        self->state.delay_running = 0;
        cut_batches(self, true);
      },
  };
}

}  // namespace hypermesh
