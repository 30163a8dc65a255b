#include "actors/protocol/admission/request_intake.hpp"

#include <algorithm>

namespace hypermesh::protocol {

intake_effects request_intake::on_request(principal sender, const request& value, moment now) {
  intake_effects out;
  if (!board_ || !awaits_vouches(sender, value, now, out)) admit(sender, value, now, out);
  return out;
}

/// Whether the request has no signature and is not certified, so that it does not become pending now.
bool request_intake::awaits_vouches(principal sender, const request& value, moment now, intake_effects& out) {
  // The pool answers a request that was executed, and its answer needs no proof.
  if (pool_->is_settled(value.id)) return false;
  if (sender.is_replica()) {
    // A correct backup forwards only requests that are certified, so it vouches for them. Its VOUCH may have been lost.
    board_->on_vouch(replica_id{sender.number}, reference_of(value));
    if (board_->is_certified(reference_of(value))) {
      // The board may hold the same request, which becomes pending now.
      (void)board_->take_certified();
      return false;
    }
    out.refused = frame_rejected{sender, rejection::unsolicited};
    return true;
  }
  switch (board_->on_request(value, now)) {
    case vouch_board::outcome::certified:
      return false;
    case vouch_board::outcome::waits:
      out.routes_session = value.id.opens_session();
      return true;
    case vouch_board::outcome::client_quota:
      out.exceeds_share = true;
      refuse(sender, rejection::client_quota, out);
      return true;
  }
  return true;
}

std::optional<evidence> request_intake::contradiction_with(const request& value) {
  // Requests without signatures prove nothing to others.
  return board_ ? std::nullopt : pool_->contradiction_with(value);
}

std::vector<late_admission> request_intake::on_vouch(replica_id sender, const vouch& value, moment now) {
  if (!board_) return {};
  for (const auto& each : value.requests) {
    // A VOUCH may arrive after the execution.
    if (!pool_->is_settled(each.id)) board_->on_vouch(sender, each);
  }
  std::vector<late_admission> out;
  for (auto& each : board_->take_certified()) {
    intake_effects effects;
    const auto client = principal::of(each.id.client);
    admit(client, each, now, effects);
    // It was routed when the request arrived.
    effects.routes_session = false;
    out.push_back({std::move(each), std::move(effects)});
  }
  return out;
}

std::vector<request_reference> request_intake::take_vouches() {
  return board_ ? board_->take_vouches() : std::vector<request_reference>{};
}

/// §5.2, for a backup that prepares: the client has authenticated the request to this replica, or f + 1
/// replicas vouch for it. A request that was executed is not executed again.
bool request_intake::is_authentic(const request& value) const {
  if (pool_->is_settled(value.id)) return true;
  const auto* pending = pool_->find(value.id);
  return (pending != nullptr && is_same_request(*pending, value)) || board_->is_authentic(reference_of(value));
}

std::vector<proposed_batch> request_intake::take_proven() {
  std::vector<proposed_batch> out;
  for (auto at = unproven_.begin(); at != unproven_.end();) {
    auto& [proposed, proven] = at->second;
    const auto& requests = proposed.body->requests;
    // A request that was found authentic stays so, so each is checked until it is found, and not again.
    while (proven < requests.size() && is_authentic(requests[proven]))
      ++proven;
    if (proven < requests.size()) {
      ++at;
      continue;
    }
    out.push_back(std::move(proposed));
    at = unproven_.erase(at);
  }
  return out;
}

void request_intake::admit(principal sender, const request& value, moment now, intake_effects& out) {
  using admission = request_pool::admission;
  const auto admitted = pool_->admit(value, now);
  out.displaced = pool_->take_displaced();
  out.routes_session = value.id.opens_session() && sender.is_client();
  switch (admitted) {
    case admission::accepted:
      // The new request displaced another one of the same client, so the client exceeded its quota.
      out.exceeds_share = sender.is_client() && std::ranges::any_of(out.displaced, [&](const auto& each) {
                            return each.id.client == value.id.client;
                          });
      keep(sender, value.id, now, out);
      break;
    case admission::already_pending:
      // The client may have repeated the request because the primary lacks it (§4.1).
      repeat(sender, value.id, now, out);
      break;
    case admission::contradicting:
      // The rejection is counted against the client and not the sender, because the client signed both requests. Two
      // openings of one session are not evidence, because two processes of a client may choose the same number. The
      // second process learns this from replies to the opening of the first one.
      out.refused = frame_rejected{principal::of(value.id.client),
                                   value.id.opens_session() ? rejection::duplicate : rejection::conflicting_statement};
      out.contradiction = contradiction_with(value);
      break;
    case admission::done:
    case admission::past:
      // A request that a replica forwarded is not answered here, because the client also asks on its own link.
      if (sender.is_client()) out.answer = immediate_answer::earlier_reply;
      break;
    case admission::client_quota:
      out.exceeds_share = sender.is_client();
      refuse(sender, rejection::client_quota, out);
      break;
    case admission::overloaded:
      refuse(sender, rejection::overloaded, out);
      break;
  }
}

void request_intake::keep(principal sender, request_id id, moment now, intake_effects& out) {
  out.cuts_batches = is_primary();
  if (is_primary()) return;
  // After a hand-over clients still send to the former primary only, until a reply shows them the new view.
  out.forwards = sender.is_client() && forwarding_.is_asked_as_primary(now);
  if (out.forwards) pool_->on_forwarded(id, now);
  out.looks_again_in = watch(id);
}

std::optional<duration> request_intake::watch(ordered_id id) {
  // A request that was displaced and arrives again may still have a timer. It must not get a second one, because a
  // client could otherwise multiply timers and forwarded copies (attack 33).
  if (!looks_.insert_or_assign(id, 0).second) return std::nullopt;
  return forwarding_.delay(id, primary(), 0);
}

intake_effects request_intake::on_system_request(const system_request& value, moment now) {
  intake_effects out;
  const auto admitted = pool_->admit(value, now);
  if (admitted == request_pool::admission::done) return out;
  out.cuts_batches = is_primary();
  // A system request that is submitted again already has a timer.
  if (admitted == request_pool::admission::accepted && !is_primary()) out.looks_again_in = watch(value.name);
  return out;
}

void request_intake::repeat(principal sender, request_id id, moment now, intake_effects& out) {
  out.cuts_batches = is_primary();
  if (is_primary() || !sender.is_client()) return;
  // At most one repetition each `repeat_pause`. Otherwise a client could make all backups fill their links to the
  // primary (attack 33).
  out.forwards = pool_->on_repeated(id, now);
  out.exceeds_share = !out.forwards;
  if (out.forwards) pool_->on_forwarded(id, now);
}

void request_intake::refuse(principal sender, rejection reason, intake_effects& out) const {
  // The sender is counted, not the client: a replica that forwards too much must not harm the clients it names.
  out.refused = frame_rejected{sender, reason};
  if (sender.is_client()) out.answer = immediate_answer::overloaded;
}

request_intake::second_look request_intake::on_waited(ordered_id id, moment now) {
  const auto looks = looks_.find(id);
  if (looks == looks_.end()) return {};
  if (!std::visit([&](auto name) { return pool_->find(name) != nullptr; }, id)) {
    // The request was executed or displaced. If it arrives again, it gets a new timer.
    looks_.erase(looks);
    return {};
  }
  second_look out;
  // The client may not reach the primary (§4.1), so its oldest request is forwarded at every check.
  const bool is_oldest = std::visit([&](auto name) { return pool_->is_oldest(name); }, id);
  out.forwards = !is_primary() && (looks->second < forwards_max || is_oldest);
  if (out.forwards) std::visit([&](auto name) { pool_->on_forwarded(name, now); }, id);
  out.looks_again_in = forwarding_.delay(id, primary(), ++looks->second);
  return out;
}

std::optional<cut_batch> request_intake::cut(bool delay_passed, wall_time clock, moment now) {
  if (!is_primary()) return std::nullopt;
  auto next = pool_->cut(delay_passed, depth(), gauge_.requests(limits::requests_per_batch_max));
  if (!next) return std::nullopt;
  gauge_.on_cut(next->content.requests.size(), now);
  next->content.proposed_time = clock;
  return next;
}

void request_intake::on_executed(const executed_batch& done, moment now) {
  // A batch of an earlier view does not count for or against the present primary.
  if (done.lateness && done.view == view_) pool_->on_lateness(*done.lateness, now);
  pool_->on_executed(done.requests, group_.primary_of(done.view) == self_, now, done.cases);
  if (board_) {
    for (const auto& each : done.requests) {
      if (pool_->is_settled(each.id)) board_->on_over(each.id);
    }
  }
  gauge_.on_executed(pool_->in_flight(), now);
}

pending_requests request_intake::on_view(view_number view, moment now) {
  // `view_` is still the previous view. For a while clients may still send requests to its primary.
  if (is_primary()) forwarding_.on_ceded(now);
  view_ = view;
  // The replica core asks again for the batches of its new view.
  std::erase_if(unproven_, [view](const auto& each) { return each.second.proposed.view != view; });
  gauge_.on_view();
  // `on_view` restarts all waits, so it must be called before the forwarded copies below are noted.
  pool_->on_view(now);
  if (is_primary()) return {};
  // The new primary gets the requests at once, so they are executed without a retransmission by their clients.
  auto pending = pool_->pending();
  for (const auto& each : pending.requests)
    pool_->on_forwarded(each.id, now);
  for (const auto& each : pending.system_requests)
    pool_->on_forwarded(each.name, now);
  return pending;
}

}  // namespace hypermesh::protocol
