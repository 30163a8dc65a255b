#include "runtime/wiring.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/checkpointer.hpp"
#include "actors/executor.hpp"
#include "actors/ingress.hpp"
#include "actors/journal.hpp"
#include "actors/replica.hpp"
#include "actors/state_transfer.hpp"

namespace hypermesh {

namespace {

/// Applies `visit` to every actor of the node itself, in the order of the flow.
template <class Visitor>
void for_each_actor(const neighbours& actors, Visitor visit) {
  visit(actors.ingress);
  visit(actors.batcher);
  visit(actors.replica);
  visit(actors.checkpointer);
  visit(actors.state_transfer);
  visit(actors.executor);
  visit(actors.journal);
  visit(actors.monitor);
}

}  // namespace

neighbours spawn_node(caf::actor_system& system, node_parts parts) {
  const auto& identity = parts.identity;
  const auto& settings = parts.settings;
  neighbours actors;
  actors.ingress = system.spawn(ingress, identity);
  actors.batcher = system.spawn(batcher, identity, settings.batching, settings.batch_delay);
  actors.replica = system.spawn(replica, identity, settings.status_period);
  actors.executor =
      system.spawn(executor, identity, std::make_shared<std::unique_ptr<state_machine>>(std::move(parts.machine)));
  actors.checkpointer = system.spawn(checkpointer, identity, settings.checkpoint_period);
  actors.state_transfer = system.spawn(state_transfer, identity, settings.transfer_period);
  actors.journal = system.spawn(journal, identity, std::move(parts.storage));
  actors.monitor = parts.monitor ? parts.monitor : system.spawn(monitor, identity, std::move(parts.on_failure));
  actors.peers.resize(identity.cluster.replicas);
  return actors;
}

void connect_node(const neighbours& actors) {
  const auto shared = std::make_shared<const neighbours>(actors);
  for_each_actor(actors, [&](const auto& actor) { caf::anon_send(actor, wired{shared}); });
}

void stop_node(const neighbours& actors) {
  for_each_actor(actors, [](const auto& actor) { caf::anon_send_exit(actor, caf::exit_reason::user_shutdown); });
}

}  // namespace hypermesh
