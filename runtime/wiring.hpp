#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/batcher.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/monitor.hpp"
#include "actors/protocol/admission/rate_limits.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "actors/protocol/transfer/state_donor.hpp"
#include "actors/protocol/views/view_change_settings.hpp"

namespace hypermesh::runtime {

/// Times and bounds that a node chooses for itself. None of them affects the agreed state. Each has a key in node.toml
/// (`config_rows.cpp`).
struct node_settings {
  batch_settings batching;
  /// How long a request waits for others while the pipeline is busy.
  duration batch_delay = 2ms;
  /// How often a replica that waits sends STATUS, which reports what it lacks.
  duration status_period = 150ms;
  /// How often an unstable CHECKPOINT is sent again. It is not K, the checkpoint period, which the genesis sets.
  duration checkpoint_resend = 500ms;
  /// How often a state transfer looks for chunks that did not arrive, and gives each replica that fetches a state from
  /// this node a new share of bytes.
  duration transfer_tick = 200ms;
  view_change_settings views;
  /// How often a backup measures how the primary serves its clients.
  duration service_check = 25ms;
  /// The number of bytes of records that stay on disk although a stable state covers them. No state is written before
  /// there are more.
  std::uint64_t retained_bytes = 8 * 1024 * 1024;
  /// Bounds on the bytes that this node sends to replicas that fetch its state, and on the states that it keeps for
  /// them.
  donor_settings giving;
  /// The number of frames of each replica that the node examines in a second.
  std::uint64_t frames_per_second_max = frame_rate_limit::usual_rate;
};

/// A node in the state in which its last run ended, or a new node.
struct restored_node {
  recovered_node past;
  /// The state after all executed sequences.
  std::unique_ptr<replicated_state> state;
  std::vector<taken_state> taken;
  /// The records and the state of the last run that are on the disk.
  kept_before kept;
};

/// Reads the disk and brings the fresh `machine` to the state of the last run. The error says why the node cannot trust
/// this disk.
[[nodiscard]] or_error<restored_node> restore_node(const node_identity& identity, stable_storage& storage,
                                                   std::unique_ptr<state_machine> machine);

/// The parts that the actors of a node are made from.
struct node_parts {
  node_identity identity;
  node_settings settings;
  restored_node restored;
  std::shared_ptr<stable_storage> storage;
  /// Whether a write waits for a disk. In this case the journal has its own thread, so that no other actor waits.
  bool disk_blocks = false;
  failure_handler on_failure;
  /// Receives the same observations as the monitor; may be empty.
  observation_handler on_observation;
  /// Replaces the product's monitor; the simulator puts its invariant checker here. If it is empty, the node has the
  /// product's monitor.
  monitor_actor monitor;
};

/// Spawns the actors of one node without links; `connect_node` makes them work. The product, the tests and the
/// simulator use the same actors.
[[nodiscard]] node_actors spawn_node(caf::actor_system& system, node_parts parts);

/// Sends every actor the handles of the other actors, including `actors.peers`. Before this call the node does nothing.
void connect_node(const node_actors& actors);

/// Stops the actors in the order of the message flow, from ingress to monitor. The handles that actors hold of each
/// other are released when their states end.
void stop_node(const node_actors& actors);

}  // namespace hypermesh::runtime
