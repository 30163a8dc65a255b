#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/fault_plan.hpp"
#include "tests/simulation/workload.hpp"

namespace hypermesh::testing {

/// What the disks of a run are.
enum class run_storage : std::uint8_t {
  /// A model of a disk: fast.
  model,
  /// The product's storage on RocksDB, in mode `async` for each fourth seed and `sync` for the others.
  rocksdb,
};
[[nodiscard]] std::string_view to_string(run_storage storage);
[[nodiscard]] std::optional<run_storage> run_storage_of(std::string_view name);

/// One run of the simulator by its number; everything else follows from the seed.
struct run_options {
  std::uint64_t seed = 1;
  std::uint32_t replicas = 4;
  /// Operations of all clients together.
  std::uint32_t operations = 200;
  fault_profile profile = fault_profile::mixed;
  run_storage storage = run_storage::model;
};

/// A run with every choice written down, so that it can be edited: an item that is removed leaves the rest as it is.
/// Equal plans give equal events. The remaining choices, how long each frame takes and which node handles its mail
/// next, are drawn while the plan runs.
struct run_plan {
  /// The profile that the faults were drawn from; for reports.
  fault_profile profile = fault_profile::calm;
  /// Of the keys and of the cluster's name.
  std::uint64_t key_seed = 1;
  /// Of what is drawn while the plan runs.
  std::uint64_t scheduling_seed = 1;
  plan_settings settings;
  /// No fault lasts longer; from then on the run must settle.
  microseconds_t heals_at = 0;
  std::vector<planned_fault> faults;
  std::vector<planned_operation> operations;

  friend bool operator==(const run_plan&, const run_plan&) = default;
};

/// The plan of a seed: its own generator draws each of settings, faults, workload and scheduling, so that a new kind
/// of one leaves the others as they are.
[[nodiscard]] run_plan make_plan(const run_options& options);

/// The world that the plan runs in, which is calm until somebody brings the faults.
[[nodiscard]] world_settings world_of(const run_plan& plan);

/// An error if the plan cannot run.
[[nodiscard]] or_reason<void> check(const run_plan& plan);

/// A line for each item, which a person can edit. `plan_of` reads it back to an equal plan, and ignores empty lines and
/// lines that begin with #. The failure names the line.
[[nodiscard]] std::string text_of(const run_plan& plan);
[[nodiscard]] or_reason<run_plan> plan_of(std::string_view text);

}  // namespace hypermesh::testing
