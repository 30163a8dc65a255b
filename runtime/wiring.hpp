#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/batcher.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/monitor.hpp"
#include "actors/protocol/recovery.hpp"
#include "actors/protocol/state_donor.hpp"
#include "actors/protocol/view_change_settings.hpp"

namespace hypermesh {

/// Times and bounds of one node that are its own business; none affects what is agreed.
struct node_settings {
  batch_settings batching;
  /// How long a request waits for others while the pipeline is busy.
  std::chrono::microseconds batch_delay{2'000};
  /// How often a replica that waits says what it lacks.
  std::chrono::microseconds status_period{150'000};
  /// How often an unstable CHECKPOINT is sent again.
  std::chrono::microseconds checkpoint_period{500'000};
  /// How often a state transfer looks for chunks that did not arrive.
  std::chrono::microseconds transfer_period{200'000};
  view_change_settings views;
  /// How often a backup looks at how the primary serves its clients.
  std::chrono::microseconds service_period{25'000};
  /// Records that stay on disk although a stable state covers them: so long a state is not written again.
  std::uint64_t retained_bytes = 8 * 1024 * 1024;
  /// What is spent on others that fetch this node's state, and held for them.
  donor_settings giving;
};

/// A node as its last run left it, or as new.
struct restored_node {
  recovered_node past;
  /// The state after everything that was executed.
  std::unique_ptr<replicated_state> state;
  std::vector<taken_state> taken;
  /// What is on the disk.
  kept_before kept;
};

/// Reads the disk and brings `machine`, which is fresh, to where the last run was. The error says why this disk cannot
/// be trusted.
[[nodiscard]] std::variant<restored_node, world_error> restore_node(const node_identity& identity,
                                                                    stable_storage& storage,
                                                                    std::unique_ptr<state_machine> machine);

/// What a node is made of besides its actors.
struct node_parts {
  node_identity identity;
  node_settings settings;
  restored_node restored;
  std::shared_ptr<stable_storage> storage;
  /// Whether writing waits for a disk: the journal then has a thread of its own, so that nobody else waits.
  bool disk_blocks = false;
  failure_handler on_failure;
  /// Sees what the monitor sees; may be empty.
  observation_handler on_observation;
  /// Replaces the monitor; the simulator puts its invariant checker here. Empty: the product's monitor.
  monitor_actor monitor;
};

/// Spawns the actors of one node without links; `connect_node` makes them work. Product, tests and simulator
/// use the same actors.
[[nodiscard]] neighbours spawn_node(caf::actor_system& system, node_parts parts);

/// Gives every actor its neighbours, `actors.peers` included. Before this the node does nothing.
void connect_node(const neighbours& actors);

/// Stops the actors in the order of the flow, from ingress to monitor. Handles that actors hold of each other
/// are released as their states end.
void stop_node(const neighbours& actors);

}  // namespace hypermesh
