#include "actors/client.hpp"

#include <algorithm>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "messages/codec.hpp"

namespace hypermesh::actors {

namespace {

using client_self = client_actor::stateful_pointer<client_state>;

/// A node that does not report within this time counts as unreachable.
constexpr duration report_patience = 5s;
/// The longest time between two ticks. Bundle delays, retransmissions and deadlines can be late by this much.
constexpr duration tick_max = 20ms;

void arm_tick(client_self self) {
  auto& state = self->state;
  if (state.tick_armed || (state.core->is_idle() && state.reports.empty())) return;
  state.tick_armed = true;
  const bool bundles = state.settings.bundle_operations_max > 1;
  const auto step = bundles ? std::clamp<duration>(state.settings.bundle_delay, 500us, tick_max) : tick_max;
  self->delayed_send(self, step, tick{});
}

void send_out(client_self self, const outgoing_message& sent) {
  const auto& peers = self->state.peers;
  if (!sent.to) {
    for (const auto& peer : peers)
      self->send(peer, outgoing_frame{sent.frame});
  } else if (sent.to->value < peers.size()) {
    self->send(peers[sent.to->value], outgoing_frame{sent.frame});
  }
}

void carry_out(client_self self, client_effects effects) {
  for (const auto& each : effects.sends)
    send_out(self, each);
  for (auto& each : effects.done) {
    const auto found = self->state.completions.find(each.token);
    if (found == self->state.completions.end()) continue;
    const auto done = std::move(found->second);
    self->state.completions.erase(found);
    (*done)(each.outcome);
  }
  arm_tick(self);
}

operation_token remember(client_self self, std::shared_ptr<const completion> done) {
  const auto token = self->state.next_token++;
  self->state.completions.emplace(token, std::move(done));
  return token;
}

void take_report(client_self self, replica_id from, node_report report) {
  const auto found = self->state.reports.find(report.id.when);
  if (found == self->state.reports.end() || found->second.replica != from || report.replica != from) return;
  const auto done = std::move(found->second.done);
  self->state.reports.erase(found);
  (*done)(std::move(report));
}

void receive(client_self self, const incoming_frame& frame) {
  auto decoded = decode(frame.frame);
  const replica_id from{frame.sender.number};
  if (!decoded || !frame.sender.is_replica()) {
    ++self->state.frames_rejected;
  } else if (const auto* answered = std::get_if<reply>(&*decoded)) {
    carry_out(self, self->state.core->on_reply(from, *answered, now_of(self)));
  } else if (const auto* read = std::get_if<query_reply>(&*decoded)) {
    carry_out(self, self->state.core->on_query_reply(from, *read));
  } else if (auto* report = std::get_if<node_report>(&*decoded)) {
    take_report(self, from, std::move(*report));
  } else {
    ++self->state.frames_rejected;
  }
}

void ask_report(client_self self, const report_of_replica& wanted) {
  auto& state = self->state;
  if (wanted.replica.value >= state.peers.size()) return (*wanted.done)(std::nullopt);
  const auto when = state.next_report;
  state.next_report = when.next();
  const auto frame = encode(node_query{{state.self_id, when}});
  state.reports[when] = {wanted.done, wanted.replica, frame, now_of(self) + report_patience};
  self->send(state.peers[wanted.replica.value], outgoing_frame{frame});
  arm_tick(self);
}

void ask_reports_again(client_self self, replica_id replica) {
  for (const auto& [when, open] : self->state.reports) {
    if (open.replica == replica) self->send(self->state.peers.at(replica.value), outgoing_frame{open.frame});
  }
}

void expire_reports(client_self self) {
  auto& reports = self->state.reports;
  const auto now = now_of(self);
  for (auto place = reports.begin(); place != reports.end();) {
    if (now < place->second.deadline) {
      ++place;
      continue;
    }
    const auto done = std::move(place->second.done);
    place = reports.erase(place);
    (*done)(std::nullopt);
  }
}

caf::result<operation_outcome> order(client_self self, const ordered_operation& wanted) {
  auto promise = self->make_response_promise<operation_outcome>();
  const auto done = std::make_shared<const completion>([promise](const submit_outcome& outcome) mutable {
    if (const auto* error = std::get_if<client_error>(&outcome)) {
      promise.deliver(caf::make_error(caf::sec::runtime_error, std::string{to_string(*error)}));
    } else {
      promise.deliver(std::get<operation_outcome>(outcome));
    }
  });
  const auto token = remember(self, done);
  carry_out(self, self->state.core->on_submit(wanted.operation, token, now_of(self)));
  return promise;
}

}  // namespace

client_actor::behavior_type client(client_self self, client_identity identity, client_settings settings) {
  auto& state = self->state;
  state.cluster = identity.cluster;
  state.self_id = identity.self;
  state.settings = settings;
  state.core = std::make_unique<client_core>(identity.cluster, identity.self, *identity.keys, settings, identity.first,
                                             identity.session);
  state.keys = std::move(identity.keys);
  return {
      [self](const client_links& links) { self->state.peers = *links.peers; },
      [self](const incoming_frame& frame) { receive(self, frame); },
      [self](const submit_operation& wanted) {
        const auto token = remember(self, wanted.done);
        carry_out(self, self->state.core->on_submit(wanted.operation, token, now_of(self)));
      },
      [self](const query_operation& wanted) {
        const auto token = remember(self, wanted.done);
        carry_out(self, self->state.core->on_query(wanted.operation, token, now_of(self)));
      },
      [self](const report_of_replica& wanted) { ask_report(self, wanted); },
      [self](const client_report_wanted&) {
        const auto& core = *self->state.core;
        return client_report{core.operations_pending(), core.retransmissions(), core.wrong_replies()};
      },
      [self](const outgoing_frame& told) {
        send_out(self, {std::nullopt, told.frame});
      },
      [self](const link_changed& changed) {
        if (!changed.up) return carry_out(self, self->state.core->on_link_down(changed.replica));
        carry_out(self, self->state.core->on_link_up(changed.replica));
        ask_reports_again(self, changed.replica);
      },
      [self](const client_stop&) {
        carry_out(self, self->state.core->on_stop());
        self->quit();
      },
      [self](const ordered_operation& wanted) { return order(self, wanted); },
      [self](const tick&) {
        self->state.tick_armed = false;
        expire_reports(self);
        carry_out(self, self->state.core->on_tick(now_of(self)));
      },
  };
}

}  // namespace hypermesh::actors
