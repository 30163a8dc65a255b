#include "runtime/wiring.hpp"

#include <chrono>

#include <fmt/format.h>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/checkpointer.hpp"
#include "actors/coordinator.hpp"
#include "actors/executor.hpp"
#include "actors/fault_detector.hpp"
#include "actors/ingress.hpp"
#include "actors/replica.hpp"
#include "actors/reputation_tracker.hpp"
#include "actors/state_transfer.hpp"

namespace hypermesh::runtime {

namespace {

/// Applies `visit` to every actor of the node except the two ingress actors, in the order of the message flow.
template <class Visitor>
void for_each_inner_actor(const node_actors& actors, Visitor visit) {
  visit(actors.batcher);
  visit(actors.replica);
  visit(actors.coordinator);
  visit(actors.checkpointer);
  visit(actors.state_transfer);
  visit(actors.executor);
  visit(actors.journal);
  visit(actors.fault_detector);
  visit(actors.reputation_tracker);
  visit(actors.monitor);
}

/// Reports to the host when an actor ends unexpectedly, because the node then cannot keep its guarantees.
template <class Handle>
void supervise(const Handle& actor, const char* name, const failure_handler& on_failure) {
  if (!on_failure) return;
  caf::actor_cast<caf::actor>(actor)->attach_functor([on_failure, name](const caf::error& reason) {
    if (reason == caf::exit_reason::user_shutdown) return;
    on_failure({fmt::format("the {} of this node ended: {}", name, caf::to_string(reason)),
                "restart the replica; if this error returns, report it"});
  });
}

}  // namespace

or_error<restored_node> restore_node(const node_identity& identity, stable_storage& storage,
                                     std::unique_ptr<state_machine> machine) {
  auto read = storage.read();
  if (!read) return failure_of(read);
  const auto& history = *read;
  auto recovered = recover(identity.cluster, identity.self, history);
  if (!recovered) return failure_of(recovered);
  restored_node restored;
  restored.past = std::move(*recovered);
  restored.state = std::make_unique<replicated_state>(std::move(machine), identity.cluster);
  auto replayed = replay(identity.cluster, history, restored.past, *restored.state);
  if (!replayed) return failure_of(replayed);
  restored.taken = std::move(*replayed);
  restored.past.to_execute.clear();
  if (history.state) {
    restored.kept.kept = history.state->sequence;
    for (const auto& chunk : history.state->snapshot)
      restored.kept.leaves.push_back(chunk.leaf);
  }
  for (const auto& each : history.records)
    restored.kept.record_bytes += each.bytes->size();
  return restored;
}

node_actors spawn_node(caf::actor_system& system, node_parts parts) {
  const auto& identity = parts.identity;
  const auto& settings = parts.settings;
  node_actors actors;
  actors.ingress = system.spawn(ingress, identity, settings.frames_per_second_max);
  actors.client_ingress = system.spawn(ingress, identity, settings.frames_per_second_max);
  actors.batcher = system.spawn(batcher, identity, settings.batching, settings.batch_delay);
  auto& restored = parts.restored;
  auto start = std::make_shared<executor_start>();
  *start = {std::move(restored.state), restored.past.replica.view, std::move(restored.taken)};
  const auto past = std::make_shared<const recovered_node>(std::move(restored.past));
  const std::shared_ptr<const recovered_replica> promised{past, &past->replica};
  actors.replica = system.spawn(replica, identity, settings.status_period, promised);
  actors.coordinator = system.spawn(coordinator, identity, settings.views, settings.service_check, promised);
  actors.executor = system.spawn(executor, identity, std::move(start));
  actors.checkpointer = system.spawn(checkpointer, identity, settings.checkpoint_resend, past);
  actors.state_transfer = system.spawn(state_transfer, identity, settings.transfer_tick, settings.giving);
  actors.journal = parts.disk_blocks ? system.spawn<caf::detached>(journal, identity, std::move(parts.storage),
                                                                   settings.retained_bytes, restored.kept)
                                     : system.spawn(journal, identity, std::move(parts.storage),
                                                    settings.retained_bytes, restored.kept);
  actors.fault_detector = system.spawn(fault_detector, identity);
  actors.reputation_tracker = system.spawn(reputation_tracker, identity);
  actors.monitor =
      parts.monitor ? parts.monitor : system.spawn(monitor, identity, parts.on_failure, parts.on_observation);
  supervise(actors.ingress, ingress_state::name, parts.on_failure);
  supervise(actors.client_ingress, ingress_state::name, parts.on_failure);
  supervise(actors.batcher, batcher_state::name, parts.on_failure);
  supervise(actors.replica, replica_state::name, parts.on_failure);
  supervise(actors.coordinator, coordinator_state::name, parts.on_failure);
  supervise(actors.executor, executor_state::name, parts.on_failure);
  supervise(actors.checkpointer, checkpointer_state::name, parts.on_failure);
  supervise(actors.state_transfer, state_transfer_state::name, parts.on_failure);
  supervise(actors.journal, journal_state::name, parts.on_failure);
  supervise(actors.fault_detector, fault_detector_state::name, parts.on_failure);
  supervise(actors.reputation_tracker, reputation_tracker_state::name, parts.on_failure);
  supervise(actors.monitor, monitor_state::name, parts.on_failure);
  actors.peers.resize(identity.cluster.replicas);
  return actors;
}

void connect_node(const node_actors& actors) {
  const auto shared = std::make_shared<const node_actors>(actors);
  for_each_inner_actor(actors, [&](const auto& actor) { caf::anon_send(actor, wired{shared}); });
  // At this point every mailbox contains its `wired`. So messages of these two actors find all other actors connected.
  caf::anon_send(actors.executor, actors_connected{});
  caf::anon_send(actors.replica, actors_connected{});
  // The ingress is connected last, so that no verified message reaches the replica or the executor before
  // `actors_connected`.
  caf::anon_send(actors.ingress, wired{shared});
  caf::anon_send(actors.client_ingress, wired{shared});
}

void stop_node(const node_actors& actors) {
  const auto stop = [](const auto& actor) { caf::anon_send_exit(actor, caf::exit_reason::user_shutdown); };
  stop(actors.ingress);
  stop(actors.client_ingress);
  for_each_inner_actor(actors, stop);
}

}  // namespace hypermesh::runtime
