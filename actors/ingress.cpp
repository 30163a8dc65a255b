#include "actors/ingress.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "actors/report_misbehaviour.hpp"
#include "messages/codec.hpp"
#include "messages/frame.hpp"

namespace hypermesh::actors {

namespace {

/// Sends the message to the actor that handles its kind. A NEW-VIEW is not sent here but as `new_view_verified`, with
/// its plan.
void route(ingress_actor::stateful_pointer<ingress_state> self, verified_message verified) {
  const auto& with = *self->state.with;
  switch (kind_of(*verified.value)) {
    case message_kind::request:
    case message_kind::vouch:
      return self->send(with.batcher, std::move(verified));
    case message_kind::system_request:
    case message_kind::complaint:
    case message_kind::release:
    case message_kind::readmission:
    case message_kind::hand_over:
      return self->send(with.fault_detector, std::move(verified));
    case message_kind::evidence:
      // The equivocation detector of the pipeline has already processed the evidence.
      return;
    case message_kind::pre_prepare:
    case message_kind::prepare:
    case message_kind::commit:
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
    case message_kind::receipt_query:
      return self->send(with.executor, std::move(verified));
    case message_kind::node_query:
      return self->send(with.monitor, std::move(verified));
    default:
      // The validator refuses all other kinds, so a message that arrives here is counted as a rejection.
      return self->send(with.monitor, observed{frame_rejected{verified.sender, rejection::kind_not_allowed_from_sender},
                                               verified.credit});
  }
}

void report_findings(ingress_actor::stateful_pointer<ingress_state> self) {
  auto found = self->state.pipeline->take_findings();
  const auto& with = *self->state.with;
  for (auto& each : found.proofs)
    self->send(with.fault_detector, proof_found{std::make_shared<const evidence>(std::move(each))});
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

frame_lane lane_of(const incoming_frame& frame) {
  return {frame.sender, frame.sender.is_replica() && kind_of(*frame.frame) == message_kind::request};
}

/// Whether a request that a replica forwarded has no room. The replica forwards it again, or its client sends it again.
bool is_too_much(const ingress_state& state, frame_lane lane) {
  return lane.is_forwarded && state.waiting.bytes_of(lane) >= ingress_state::forwarded_bytes_max;
}

void look_at(ingress_actor::stateful_pointer<ingress_state> self, const incoming_frame& frame) {
  auto examined = self->state.pipeline->examine(frame.sender, frame.frame, now_of(self));
  report_findings(self);
  if (!examined) return reject(self, frame, examined.error());
  if (examined->opened != nullptr) {
    return self->send(self->state.with->replica,
                      new_view_verified{frame.sender, std::move(examined->opened), frame.credit});
  }
  route(self, {frame.sender, frame.via, std::move(examined->value), frame.credit});
}

}  // namespace

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity,
                                     std::uint64_t frames_per_second) {
  self->state.pipeline = std::make_unique<inbound_pipeline>(identity.cluster, *identity.keys, frames_per_second);
  self->state.identity = std::move(identity);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const incoming_frame& frame) {
        // A link may open before the actors are connected. The frame is dropped, and its sender retransmits.
        if (self->state.with == nullptr) return;
        auto& waiting = self->state.waiting;
        const auto lane = lane_of(frame);
        if (is_too_much(self->state, lane)) return reject(self, frame, rejection::overloaded);
        // `next_frame` is placed after all messages that are in the mailbox now, so the frames among them are queued
        // before the next frame is examined.
        if (waiting.empty()) self->send(self, next_frame{});
        waiting.push(lane, frame, frame.frame->size());
      },
      [self](const next_frame&) {
        auto& waiting = self->state.waiting;
        if (const auto next = waiting.pop()) look_at(self, *next);
        if (!waiting.empty()) self->send(self, next_frame{});
      },
      [self](const progress_made& made) { self->state.pipeline->on_position(made.at); },
      [self](const trust_changed& changed) { self->state.pipeline->on_trust(*changed.now); },
      [self](const quota_exceeded& excess) { self->state.pipeline->on_excess(excess.client, now_of(self)); },
  };
}

}  // namespace hypermesh::actors
