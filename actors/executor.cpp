#include "actors/executor.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "actors/frozen_checkpoint.hpp"
#include "messages/codec.hpp"

namespace hypermesh::actors {

namespace {

using executor_self = executor_actor::stateful_pointer<executor_state>;

/// Sends the reply on the link of the session, or on all links of the client if no link is known for the session.
void answer(executor_self self, request_id id, const client_table::answered& what) {
  const auto found = self->state.clients.find(id.client);
  if (found == self->state.clients.end() || !what.outcome) return;
  const auto frame = encode_reply(id, self->state.view, *what.outcome, what.request);
  const auto& links = found->second;
  // Two processes may choose the same session number. The session belongs to the process whose opening was executed, so
  // the link must have sent that opening.
  const auto opening = self->state.replicated->opening_of(id.client, id.session);
  const auto opened_here = [&](const request_reference& each) {
    return each.id.session == id.session && each.content == opening;
  };
  const auto routed =
      std::ranges::find_if(links, [&](const auto& each) { return std::ranges::any_of(each.openings, opened_here); });
  if (routed != links.end()) return self->send(routed->link, outgoing_frame{frame});
  for (const auto& each : links)
    self->send(each.link, outgoing_frame{frame});
}

/// Sends the reply on the link on which the request came. Sends nothing if there is no outcome.
void answer_to(const executor_self& self, const peer_actor& via, request_id id, const client_table::answered& what) {
  if (!via || !what.outcome) return;
  self->send(via, outgoing_frame{encode_reply(id, self->state.view, *what.outcome, what.request)});
}

void tell_taken(const executor_self& self, const checkpoint_taken& taken) {
  const auto& with = *self->state.with;
  self->send(with.checkpointer, taken);
  self->send(with.state_transfer, taken);
}

void tell_installed(const executor_self& self, const checkpoint_installed& installed) {
  self->send(self->state.with->checkpointer, installed);
  self->send(self->state.with->state_transfer, installed);
}

state_installed news_of(const executor_self& self, std::shared_ptr<const checkpoint_certificate> certificate) {
  const auto& replicated = *self->state.replicated;
  return {replicated.last_executed(), std::make_shared<const sessions_by_client>(replicated.sessions()),
          std::move(certificate)};
}

void take_checkpoint(const executor_self& self, bool installed) {
  auto& replicated = *self->state.replicated;
  const auto before = now_of(self);
  auto frozen = std::make_shared<frozen_checkpoint>(replicated.freeze(), self->state.roots);
  // An installed state was compared with its root before, so its chunks are hashed already.
  if (installed) {
    const auto& [sequence, root, snapshot] = frozen->finish();
    tell_installed(self, {sequence, root, snapshot});
  } else {
    tell_taken(self, {replicated.last_executed(), std::move(frozen)});
  }
  const auto pause = now_of(self) - before;
  self->send(self->state.with->monitor, observed{snapshot_was_taken{replicated.last_executed(), pause}});
}

/// The views whose primaries step down in these moves.
std::vector<view_number> stepped_down_in(const std::vector<move_agreed>& events) {
  std::vector<view_number> views;
  for (const auto& each : events) {
    if (each.wanted.cause == hand_over_cause::step_down) views.emplace_back(each.wanted.to.value - 1);
  }
  return views;
}

/// Reports the moves that the group agreed on to the replica and the coordinator.
void tell_moves(const executor_self& self) {
  auto& replicated = *self->state.replicated;
  const auto& with = *self->state.with;
  const auto events = replicated.take_move_events();
  for (const auto& each : events)
    self->send(with.monitor, observed{each});
  const moves_agreed agreed{replicated.moves(), stepped_down_in(events), replicated.last_executed()};
  self->send(with.replica, agreed);
  self->send(with.coordinator, agreed);
}

/// Reports the agreed standing of all replicas and clients to the fault detector, the reputation tracker and the
/// batcher.
void tell_reputation(const executor_self& self, std::vector<case_name> settled, bool is_transferred = false) {
  auto& replicated = *self->state.replicated;
  auto events = replicated.take_ledger_events();
  const auto& with = *self->state.with;
  for (const auto& each : events)
    self->send(with.monitor, observed{each});
  const auto now = std::make_shared<const agreed_reputation>(
      agreed_reputation{replicated.last_executed(), replicated.ledger().replicas(), std::move(events),
                        std::move(settled), replicated.ledger().clients(), replicated.moves(), is_transferred});
  self->send(with.fault_detector, reputation_agreed{now});
  self->send(with.reputation_tracker, reputation_agreed{now});
  self->send(with.batcher, reputation_agreed{now});
  tell_moves(self);
}

void answer_query(const executor_self& self, const query& asked, const peer_actor& via, const inbound_credit& credit) {
  const auto& replicated = *self->state.replicated;
  try {
    auto result = replicated.query(asked.operation);
    if (!result) return;
    const query_reply out{asked.id, replicated.last_executed(), static_cast<std::uint8_t>(result->status),
                          std::move(result->payload)};
    self->send(via, outgoing_frame{encode(out)});
  } catch (const std::exception& error) {
    self->send(self->state.with->monitor, observed{query_failed{error.what()}, credit});
  }
}

/// The state has changed, so queries that waited for it are answered.
void answer_held(const executor_self& self) {
  for (const auto& each : self->state.held.release(self->state.replicated->last_executed()))
    answer_query(self, std::get<query>(*each.value), each.via, {});
}

/// Reports to the other actors where the last run ended.
void start(executor_self self) {
  auto& state = self->state;
  for (auto& each : std::exchange(state.taken_before, {}))
    tell_taken(self, {each.sequence, std::make_shared<frozen_checkpoint>(std::move(each))});
  self->send(state.with->monitor, observed{execution_resumed{state.replicated->last_executed()}});
  if (state.replicated->last_executed() == sequence_number{0}) return;
  self->send(state.with->batcher, news_of(self, nullptr));
  (void)state.replicated->take_ledger_events();
  const auto stepped_down = stepped_down_in(state.replicated->take_move_events());
  tell_reputation(self, {});
  // The state does not contain step-downs, so those in the replayed batches are reported here. Otherwise a backup that
  // restarts after a step-down was executed would stay in a view that the others leave.
  if (stepped_down.empty()) return;
  self->send(state.with->coordinator,
             moves_agreed{state.replicated->moves(), stepped_down, state.replicated->last_executed()});
}

void execute(executor_self self, const committed_batch& committed) {
  auto& state = self->state;
  if (!state.replicated->awaits(committed.sequence)) return;
  const auto answered = state.replicated->execute(committed.sequence, committed.body);
  state.view = committed.view;
  const auto executed = now_of(self);
  auto requests = std::make_shared<std::vector<executed_request>>();
  requests->reserve(answered.size());
  std::vector<client_table::shared_outcome> outcomes;
  outcomes.reserve(answered.size());
  for (const auto& each : answered) {
    requests->push_back(each.request);
    outcomes.push_back(each.answer.outcome);
    answer(self, each.request.id, each.answer);
  }
  auto settled = cases_in(*committed.body);
  self->send(state.with->batcher,
             batch_executed{committed.sequence, committed.view, requests, committed.body, committed.lateness});
  self->send(state.with->monitor,
             observed{batch_was_executed{committed.sequence, requests, settled, committed.body, std::move(outcomes),
                                         executed, now_of(self), state.replicated->ordered_time()}});
  const bool is_checkpoint = state.identity.cluster.is_checkpoint(committed.sequence);
  // At a checkpoint the standing changes without a system request, because scores recover and quarantines end.
  if (!settled.empty() || is_checkpoint) tell_reputation(self, std::move(settled));
  answer_held(self);
  if (is_checkpoint) take_checkpoint(self, false);
}

void tell_installed(const executor_self& self, const install_state& verified) {
  const auto installed = news_of(self, verified.certificate);
  answer_held(self);
  self->send(self->state.with->batcher, installed);
  take_checkpoint(self, true);
  tell_reputation(self, {}, true);
  // The replica will vote for sequences above this state, so the state must be on disk after a crash.
  self->send(self->state.with->journal, state_to_keep{installed, verified.snapshot});
}

/// The receivers also get taken and installed states from this actor (the replica gets them through the journal). So a
/// message about a divergence always arrives before the state that ends the divergence, and the receivers need no rule
/// for outdated messages.
void tell_diverged(const executor_self& self, sequence_number sequence) {
  const auto& with = *self->state.with;
  self->send(with.replica, state_diverged{sequence});
  self->send(with.state_transfer, state_diverged{sequence});
  self->send(with.monitor, observed{divergence_found{sequence}});
}

void install(executor_self self, const install_state& verified) {
  const auto& with = *self->state.with;
  const auto sequence = verified.certificate->sequence();
  const auto& root = verified.certificate->votes.front().content.value;
  const auto outcome = self->state.replicated->install(sequence, root, *verified.snapshot);
  switch (outcome.what) {
    case installation::installed:
      self->send(with.monitor, observed{state_was_installed{sequence, root}});
      return tell_installed(self, verified);
    case installation::overtaken:
    case installation::too_old:
      return self->send(with.state_transfer, install_refused{sequence, false});
    case installation::unreadable:
      // A quorum certified a state that this version cannot read, so the node cannot go on. If the present state is
      // wrong, no other actor has to be informed: the replica lags, and continues to ask for a certified state.
      self->send(with.monitor,
                 observed{node_failed{{"the certified state cannot be installed: " + outcome.why,
                                       "check that all replicas run the same version and state machine"}}});
      return self->send(with.state_transfer, install_refused{sequence, true});
  }
}

void open_link(executor_self self, const client_link_opened& opened) {
  auto& links = self->state.clients[opened.client];
  if (links.size() >= executor_state::links_per_client_max) links.erase(links.begin());
  links.push_back({opened.via, {}});
}

void close_link(executor_self self, const client_link_closed& closed) {
  const auto found = self->state.clients.find(closed.client);
  if (found == self->state.clients.end()) return;
  std::erase_if(found->second, [&](const auto& each) { return each.link == closed.via; });
  if (found->second.empty()) self->state.clients.erase(found);
}

/// Assigns the session to this link and removes it from every other link, because a process may open its session again
/// on a new link.
void route_session(executor_self self, const session_routed& routed) {
  const auto found = self->state.clients.find(routed.opening.id.client);
  if (found == self->state.clients.end()) return;
  for (auto& each : found->second) {
    std::erase_if(each.openings, [&](const auto& known) { return known.content == routed.opening.content; });
    if (each.link != routed.via) continue;
    each.openings.push_back(routed.opening);
    if (each.openings.size() > limits::sessions_per_client_max) each.openings.pop_front();
  }
}

void take_query(executor_self self, const verified_message& received) {
  if (const auto* wanted = std::get_if<receipt_query>(received.value.get())) {
    const auto share = self->state.replicated->receipt_for(*wanted, *self->state.identity.keys);
    return self->send(received.via, outgoing_frame{encode(share)});
  }
  const auto& asked = std::get<query>(*received.value);
  if (!asked.is_linearizable) return answer_query(self, asked, received.via, received.credit);
  executor_state::query_and_link held{received.value, received.via};
  const auto executed = self->state.replicated->last_executed();
  switch (self->state.held.admit(asked.id.client, asked.operation.size(), executed, held)) {
    case query_admission::answer:
      return answer_query(self, asked, received.via, received.credit);
    case query_admission::over_quota:
      return self->send(self->state.with->monitor,
                        observed{frame_rejected{received.sender, rejection::client_quota}, received.credit});
    case query_admission::held:
    case query_admission::votes_unknown:
      return;
  }
}

}  // namespace

executor_actor::behavior_type executor(executor_self self, node_identity identity,
                                       std::shared_ptr<executor_start> from) {
  self->state.identity = std::move(identity);
  self->state.replicated = std::move(from->state);
  self->state.view = from->view;
  self->state.taken_before = std::move(from->taken);
  self->state.roots = std::make_shared<root_tree>();
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const actors_connected&) { start(self); },
      [self](const batch_committed& committed) { execute(self, committed.content); },
      [self](const slots_prepared& news) { self->state.held.on_prepared(news.through); },
      [self](const verified_message& received) { take_query(self, received); },
      [self](const reply_again& again) {
        answer_to(self, again.via, again.asked.id, self->state.replicated->answer_to(again.asked));
      },
      [self](const refuse& refused) {
        const client_table::answered what{refused.asked.content, self->state.replicated->refuse(refused.status)};
        if (!refused.via) return answer(self, refused.asked.id, what);
        answer_to(self, refused.via, refused.asked.id, what);
      },
      [self](const client_link_opened& opened) { open_link(self, opened); },
      [self](const client_link_closed& closed) { close_link(self, closed); },
      [self](const session_routed& routed) { route_session(self, routed); },
      [self](const install_state& verified) { install(self, verified); },
      [self](const own_root_disproven& found) {
        if (self->state.replicated->on_disproven(found.sequence)) tell_diverged(self, found.sequence);
      },
      [self](const report_wanted&) { return self->state.replicated->machine_root(); },
  };
}

}  // namespace hypermesh::actors
