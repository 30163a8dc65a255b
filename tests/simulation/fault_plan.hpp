#pragma once

#include <optional>
#include <string_view>

#include "actors/protocol/cluster.hpp"
#include "tests/support/simulated_network.hpp"
#include "tests/support/simulated_world.hpp"

namespace hypermesh::testing {

/// What the network and the machines do to a run. `mixed` lets the seed choose one of the others.
enum class fault_profile : std::uint8_t {
  calm,
  lossy,
  reordering,
  duplicating,
  partitioned,
  pausing,
  everything,
  mixed
};

[[nodiscard]] std::string_view to_string(fault_profile profile);
[[nodiscard]] std::optional<fault_profile> fault_profile_of(std::string_view name);
/// "calm, lossy, …".
[[nodiscard]] std::string fault_profile_names();

/// Between `begin` and `end` one actor of a node stands still while its mail gathers.
struct node_pause {
  replica_id replica;
  node_part part = node_part::journal;
  microseconds_t begin = 0;
  microseconds_t end = 0;
};

/// What goes wrong until `heals_at`; afterwards the network is calm and all actors run.
struct fault_plan {
  fault_profile profile = fault_profile::calm;
  network_faults faults;
  std::vector<node_pause> pauses;
  microseconds_t heals_at = 0;
};

/// Draws a plan of `profile`; rates, delays and partitions come from `chance`.
[[nodiscard]] fault_plan make_fault_plan(fault_profile profile, const cluster_parameters& cluster, splitmix64& chance);

}  // namespace hypermesh::testing
