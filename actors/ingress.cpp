#include "actors/ingress.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"

namespace hypermesh {

namespace {

/// Whether the message votes on a sequence that is decided here: a quorum was verified, and the rest is
/// never checked.
bool is_late_vote(const message& value, sequence_number decided_through) {
  if (const auto* it = std::get_if<prepare>(&value)) return it->vote.content.sequence <= decided_through;
  if (const auto* it = std::get_if<commit>(&value)) return it->vote.content.sequence <= decided_through;
  return false;
}

void route(ingress_actor::stateful_pointer<ingress_state> self, verified_message verified) {
  const auto& with = *self->state.with;
  switch (kind_of(*verified.value)) {
    case message_kind::request: return self->send(with.batcher, std::move(verified));
    case message_kind::pre_prepare:
    case message_kind::prepare:
    case message_kind::commit:
    case message_kind::status: return self->send(with.replica, std::move(verified));
    case message_kind::checkpoint:
    case message_kind::checkpoint_proof: return self->send(with.checkpointer, std::move(verified));
    case message_kind::state_request:
    case message_kind::state_chunk: return self->send(with.state_transfer, std::move(verified));
    case message_kind::query: return self->send(with.executor, std::move(verified));
    case message_kind::node_query: return self->send(with.monitor, std::move(verified));
    default:
      // The validator lets no other kind through.
      return self->send(with.monitor,
                        observed{frame_rejected{verified.sender, rejection::kind_not_allowed_from_sender}});
  }
}

}  // namespace

std::variant<message, rejection> ingress_state::examine(const incoming_frame& frame) const {
  auto decoded = decode(frame.frame);
  if (std::holds_alternative<rejection>(decoded)) return decoded;
  const auto& value = std::get<message>(decoded);
  if (is_late_vote(value, decided_through)) return rejection::already_decided;
  if (const auto bad = checks->check(frame.sender, value)) return *bad;
  return decoded;
}

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity) {
  self->state.checks = std::make_shared<const validator>(identity.cluster, *identity.keys);
  self->state.identity = std::move(identity);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const incoming_frame& frame) {
        // A link may open before the node is connected; the sender retransmits.
        if (self->state.with == nullptr) return;
        auto examined = self->state.examine(frame);
        if (const auto* bad = std::get_if<rejection>(&examined)) {
          self->send(self->state.with->monitor, observed{frame_rejected{frame.sender, *bad}});
          return;
        }
        auto value = std::make_shared<const message>(std::move(std::get<message>(examined)));
        route(self, {frame.sender, frame.via, std::move(value), frame.credit});
      },
      [self](const slots_decided& decided) { self->state.decided_through = decided.through; },
  };
}

}  // namespace hypermesh
