#pragma once

#include <optional>
#include <string_view>

#include "actors/protocol/base/cluster.hpp"
#include "tests/simulation/planned_fault.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// Profiles of the faults of network and machines in a run. `mixed` lets the seed choose one of the profiles before it.
/// `twins` copies the keys of up to f replicas, `clocks` makes wall clocks wrong. They come after `mixed`, so that the
/// plans of its seeds do not change.
enum class fault_profile : std::uint8_t {
  calm,
  lossy,
  reordering,
  duplicating,
  partitioned,
  flapping,
  swizzled,
  one_way,
  pausing,
  crashing,
  disks,
  forgetful,
  everything,
  mixed,
  twins,
  clocks
};

[[nodiscard]] std::string_view to_string(fault_profile profile);
[[nodiscard]] std::optional<fault_profile> fault_profile_of(std::string_view name);
/// Returns "calm, lossy, …".
[[nodiscard]] std::string fault_profile_names();

/// The faults until `heals_at`. Afterwards the network is calm and all actors run.
struct fault_plan {
  fault_profile profile = fault_profile::calm;
  std::vector<planned_fault> faults;
  moment heals_at;
};

/// Draws a plan of `profile`. `chance` decides times, rates, delays and partitions.
[[nodiscard]] fault_plan make_fault_plan(fault_profile profile, const cluster_parameters& cluster, splitmix64& chance);

/// Adds faults of disks with bytes, without changing the other faults of the plan: sometimes a disk fails, is full, or
/// is damaged.
void add_disk_faults(std::vector<planned_fault>& faults, moment heals_at, const cluster_parameters& cluster,
                     splitmix64& chance);

}  // namespace hypermesh::testing
