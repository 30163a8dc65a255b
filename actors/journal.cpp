#include "actors/journal.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace hypermesh {

namespace {

using journal_self = journal_actor::stateful_pointer<journal_state>;

void send_out(journal_self self, const outgoing_message& sent) {
  const auto& peers = self->state.with->peers;
  if (sent.to) return self->send(peers.at(sent.to->value), outgoing_frame{sent.frame});
  for (const auto& peer : peers) {
    if (peer) self->send(peer, outgoing_frame{sent.frame});
  }
}

void stop_on(journal_self self, const std::optional<world_error>& error) {
  if (!error) return;
  self->state.failed = true;
  self->send(self->state.with->monitor, observed{node_failed{*error}});
}

}  // namespace

journal_actor::behavior_type journal(journal_self self, node_identity identity,
                                     std::shared_ptr<stable_storage> storage) {
  self->state.identity = std::move(identity);
  self->state.storage = std::move(storage);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const persist_and_send& wanted) {
        if (self->state.failed) return;
        stop_on(self, self->state.storage->write(*wanted.records));
        if (self->state.failed) return;
        for (const auto& each : *wanted.sends)
          send_out(self, each);
      },
      [self](const forget_records& covered) {
        if (!self->state.failed) stop_on(self, self->state.storage->forget_through(covered.through));
      },
  };
}

}  // namespace hypermesh
