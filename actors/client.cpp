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
/// Replicas get at least this time to sign a receipt, even if the result itself arrived just before the deadline.
constexpr duration receipt_patience_min = 1s;
/// The longest time between two ticks. Bundle delays, retransmissions and deadlines can be late by this much.
constexpr duration tick_max = 20ms;

void arm_tick(client_self self) {
  auto& state = self->state;
  if (state.tick_armed || (state.core->is_idle() && state.collector->is_idle() && state.reports.empty())) return;
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

void carry_out(client_self self, receipt_effects effects) {
  for (const auto& each : effects.sends)
    send_out(self, each);
  for (auto& each : effects.done) {
    const auto found = self->state.receipts.find(each.token);
    if (found == self->state.receipts.end()) continue;
    const auto open = std::move(found->second);
    self->state.receipts.erase(found);
    (*open.done)({open.outcome, std::move(each.proof)});
  }
  arm_tick(self);
}

/// The operation of a receipt has its outcome. If it was executed, the replicas are asked to sign.
void continue_receipt(client_self self, operation_done done) {
  auto& open = self->state.receipts.at(done.token);
  open.outcome = std::move(done.outcome);
  if (!done.executed) return carry_out(self, receipt_effects{{}, {{done.token, std::nullopt}}});
  auto& result = std::get<operation_result>(open.outcome);
  const auto now = now_of(self);
  const auto& name = *done.executed;
  executed_operation what{name.id, name.request, name.index, open.operation, result.status, result.payload};
  const auto deadline = std::max(open.deadline, now + receipt_patience_min);
  carry_out(self, self->state.collector->collect(done.token, std::move(what), now, deadline));
}

void carry_out(client_self self, client_effects effects) {
  for (const auto& each : effects.sends)
    send_out(self, each);
  for (auto& each : effects.done) {
    if (self->state.receipts.contains(each.token)) {
      continue_receipt(self, std::move(each));
      continue;
    }
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

void submit_receipted(client_self self, const submit_for_receipt& wanted) {
  auto& state = self->state;
  if (state.receipts.size() >= receipt_collector::receipts_pending_max)
    return (*wanted.done)({client_error::too_many_pending, std::nullopt});
  const auto token = state.next_token++;
  const auto now = now_of(self);
  state.receipts.emplace(token,
                         client_state::open_receipt{wanted.operation, wanted.done, now + state.settings.deadline});
  carry_out(self, state.core->on_submit(wanted.operation, token, now));
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
    carry_out(self, self->state.core->on_query_reply(from, *read, now_of(self)));
  } else if (const auto* share = std::get_if<receipt_reply>(&*decoded)) {
    carry_out(self, self->state.collector->on_reply(from, *share));
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
  state.collector = std::make_unique<receipt_collector>(identity.cluster, *identity.keys);
  state.keys = std::move(identity.keys);
  return {
      [self](const client_links& links) { self->state.peers = *links.peers; },
      [self](const incoming_frame& frame) { receive(self, frame); },
      [self](const submit_operation& wanted) {
        const auto token = remember(self, wanted.done);
        carry_out(self, self->state.core->on_submit(wanted.operation, token, now_of(self)));
      },
      [self](const submit_for_receipt& wanted) { submit_receipted(self, wanted); },
      [self](const query_operation& wanted) {
        const auto token = remember(self, wanted.done);
        carry_out(self, self->state.core->on_query(wanted.operation, token, wanted.mode, wanted.sees_unfinished,
                                                   now_of(self)));
      },
      [self](const report_of_replica& wanted) { ask_report(self, wanted); },
      [self](const client_report_wanted&) {
        const auto& core = *self->state.core;
        return client_report{core.operations_pending(), core.retransmissions(), core.wrong_replies(),
                             core.reads_ordered()};
      },
      [self](const outgoing_frame& told) {
        send_out(self, {std::nullopt, told.frame});
      },
      [self](const link_changed& changed) {
        if (!changed.up) return carry_out(self, self->state.core->on_link_down(changed.replica));
        carry_out(self, self->state.core->on_link_up(changed.replica, now_of(self)));
        ask_reports_again(self, changed.replica);
      },
      [self](const client_stop&) {
        carry_out(self, self->state.core->on_stop());
        carry_out(self, self->state.collector->on_stop());
        self->quit();
      },
      [self](const ordered_operation& wanted) { return order(self, wanted); },
      [self](const tick&) {
        self->state.tick_armed = false;
        expire_reports(self);
        carry_out(self, self->state.core->on_tick(now_of(self)));
        carry_out(self, self->state.collector->on_tick(now_of(self)));
      },
  };
}

}  // namespace hypermesh::actors
