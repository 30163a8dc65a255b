#include "actors/ingress.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "actors/misbehaviour_news.hpp"
#include "messages/codec.hpp"

namespace hypermesh {

namespace {

void route(ingress_actor::stateful_pointer<ingress_state> self, verified_message verified) {
  const auto& with = *self->state.with;
  switch (kind_of(*verified.value)) {
    case message_kind::request:
      if (std::get<request>(*verified.value).id.client == guard_client) {
        return self->send(with.fault_detector, std::move(verified));
      }
      return self->send(with.batcher, std::move(verified));
    case message_kind::complaint:
    case message_kind::pardon:
    case message_kind::readmission:
    case message_kind::hand_over:
      return self->send(with.fault_detector, std::move(verified));
    case message_kind::exhibits:
      // The watch has seen them.
      return;
    case message_kind::pre_prepare:
    case message_kind::prepare:
    case message_kind::commit:
    case message_kind::new_view:
    case message_kind::status:
      return self->send(with.replica, std::move(verified));
    case message_kind::suspicion:
    case message_kind::view_change:
      return self->send(with.coordinator, std::move(verified));
    case message_kind::checkpoint:
    case message_kind::checkpoint_proof:
      return self->send(with.checkpointer, std::move(verified));
    case message_kind::state_request:
    case message_kind::state_chunk:
      return self->send(with.state_transfer, std::move(verified));
    case message_kind::query:
      return self->send(with.executor, std::move(verified));
    case message_kind::node_query:
      return self->send(with.monitor, std::move(verified));
    default:
      // The validator lets no other kind through.
      return self->send(with.monitor, observed{frame_rejected{verified.sender, rejection::kind_not_allowed_from_sender},
                                               verified.credit});
  }
}

void tell_found(ingress_actor::stateful_pointer<ingress_state> self) {
  if (self->state.found.empty()) return;
  const auto& with = *self->state.with;
  auto found = std::exchange(self->state.found, {});
  for (auto& each : found.proofs)
    self->send(with.fault_detector, proof_found{std::make_shared<const exhibits>(std::move(each))});
  for (const auto& each : found.shows) {
    const auto& peer = with.peers.at(each.to.value);
    if (peer) self->send(peer, outgoing_frame{encode(each.what)});
  }
}

void reject(ingress_actor::stateful_pointer<ingress_state> self, const incoming_frame& frame, rejection why) {
  const frame_rejected refused{frame.sender, why};
  tell_misbehaviour(self, *self->state.with, refused, self->state.identity.cluster.group());
  self->send(self->state.with->monitor, observed{refused, frame.credit});
}

void look_at(ingress_actor::stateful_pointer<ingress_state> self, const incoming_frame& frame) {
  auto examined = self->state.examine(frame, now_of(self));
  tell_found(self);
  if (const auto* bad = std::get_if<rejection>(&examined)) return reject(self, frame, *bad);
  auto value = std::make_shared<const message>(std::move(std::get<message>(examined)));
  route(self, {frame.sender, frame.via, std::move(value), frame.credit});
}

}  // namespace

std::variant<message, rejection> ingress_state::examine(const incoming_frame& frame, microseconds_t now) {
  if (!frames.admit(frame.sender, now)) return rejection::throttled;
  auto decoded = decode(frame.frame);
  if (std::holds_alternative<rejection>(decoded)) return decoded;
  if (const auto bad = examine_content(frame.sender, std::get<message>(decoded), now)) return *bad;
  return decoded;
}

std::optional<rejection> ingress_state::examine_content(principal sender, const message& value, microseconds_t now) {
  if (!check_shares->admits(sender, value, now)) return rejection::overloaded;
  const auto before = watch->checks_made() + checks_made;
  const auto bad = look_through(sender, value, now);
  check_shares->spend(sender, value, watch->checks_made() + checks_made - before);
  return bad;
}

std::optional<rejection> ingress_state::look_through(principal sender, const message& value, microseconds_t now) {
  const auto kind = kind_of(value);
  const auto* asked = std::get_if<request>(&value);
  if (asked != nullptr && sender.is_client() && pauses.is_paused(client_id{sender.number}, now)) {
    return rejection::client_quota;
  }
  const bool is_view_change = kind == message_kind::view_change || kind == message_kind::new_view;
  const bool is_watched = sender.is_replica();
  if (is_watched && !is_view_change) note(watch->on_message(replica_id{sender.number}, value));
  const auto objection = filter->objection_to(sender, value);
  // A VIEW-CHANGE for a view that is over may still contradict another one.
  if (objection && !(is_view_change && objection == rejection::other_view)) return objection;
  if (!quota.admit(sender, value, now)) return rejection::overloaded;
  if (is_watched && is_view_change) note(watch->on_message(replica_id{sender.number}, value));
  if (objection) return objection;
  const auto* proof = std::get_if<checkpoint_proof>(&value);
  checks_made += proof != nullptr ? proof->certificate.votes.size() : 1;
  if (const auto bad = checks->check(sender, value)) {
    if (is_watched) note(watch->on_refused(value, *bad));
    if (*bad == rejection::unproven) quota.on_unproven(sender, now);
    return bad;
  }
  if (is_watched) note(watch->on_verified(value));
  filter->note_passed(value);
  return std::nullopt;
}

void ingress_state::note(statement_watch::findings findings) {
  for (auto& each : findings.proofs)
    found.proofs.push_back(std::move(each));
  for (auto& each : findings.shows)
    found.shows.push_back(std::move(each));
}

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity) {
  self->state.filter = std::make_unique<early_filter>(identity.cluster);
  self->state.checks = std::make_shared<const validator>(identity.cluster, *identity.keys);
  self->state.check_shares = std::make_unique<check_quota>(identity.cluster);
  self->state.watch = std::make_unique<statement_watch>(identity.cluster, *self->state.checks);
  self->state.identity = std::move(identity);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const incoming_frame& frame) {
        // A link may open before the node is connected; the sender retransmits.
        if (self->state.with == nullptr) return;
        auto& waiting = self->state.waiting;
        // Behind all that is in the mailbox by now.
        if (waiting.empty()) self->send(self, next_frame{});
        waiting.push(frame.sender, frame, frame.frame->size());
      },
      [self](const next_frame&) {
        auto& waiting = self->state.waiting;
        if (const auto next = waiting.pop()) look_at(self, *next);
        if (!waiting.empty()) self->send(self, next_frame{});
      },
      [self](const progress_made& made) {
        self->state.filter->on_position(made.at);
        self->state.quota.on_view(made.at.view);
        self->state.watch->on_position(made.at);
      },
      [self](const trust_changed& changed) {
        self->state.frames.throttle(changed.now->throttled);
        self->state.watch->on_shunned(changed.now->shunned);
      },
      [self](const quota_exceeded& told) { self->state.pauses.on_excess(told.client, now_of(self)); },
  };
}

}  // namespace hypermesh
