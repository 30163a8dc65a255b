#include "actors/ingress.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "messages/codec.hpp"

namespace hypermesh {

namespace {

void route(ingress_actor::stateful_pointer<ingress_state> self, verified_message verified) {
  const auto& with = *self->state.with;
  switch (kind_of(*verified.value)) {
    case message_kind::request:
      return self->send(with.batcher, std::move(verified));
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

}  // namespace

std::variant<message, rejection> ingress_state::examine(const incoming_frame& frame, microseconds_t now) {
  auto decoded = decode(frame.frame);
  if (std::holds_alternative<rejection>(decoded)) return decoded;
  const auto& value = std::get<message>(decoded);
  if (const auto bad = filter->objection_to(value)) return *bad;
  if (!quota.admit(frame.sender, value, now)) return rejection::overloaded;
  if (const auto bad = checks->check(frame.sender, value)) return *bad;
  filter->note_passed(value);
  return decoded;
}

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity) {
  self->state.filter = std::make_unique<early_filter>(identity.cluster);
  self->state.checks = std::make_shared<const validator>(identity.cluster, *identity.keys);
  self->state.identity = std::move(identity);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const incoming_frame& frame) {
        // A link may open before the node is connected; the sender retransmits.
        if (self->state.with == nullptr) return;
        auto examined = self->state.examine(frame, now_of(self));
        if (const auto* bad = std::get_if<rejection>(&examined)) {
          self->send(self->state.with->monitor, observed{frame_rejected{frame.sender, *bad}, frame.credit});
          return;
        }
        auto value = std::make_shared<const message>(std::move(std::get<message>(examined)));
        route(self, {frame.sender, frame.via, std::move(value), frame.credit});
      },
      [self](const progress_made& made) { self->state.filter->on_position(made.at); },
  };
}

}  // namespace hypermesh
