#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/fault_plan.hpp"
#include "tests/simulation/workload.hpp"

namespace hypermesh::testing {

/// The kind of disk that the nodes of a run use.
enum class run_storage : std::uint8_t {
  /// A model of a disk. It is fast.
  model,
  /// The product's storage on RocksDB, in mode `async` for every fourth seed and `sync` for the others.
  rocksdb,
};
[[nodiscard]] std::string_view to_string(run_storage storage);
[[nodiscard]] std::optional<run_storage> run_storage_of(std::string_view name);

/// Options that identify one run of the simulator. Everything else follows from the seed.
struct run_options {
  std::uint64_t seed = 1;
  std::uint32_t replicas = 4;
  /// The number of operations of all clients together.
  std::uint32_t operations = 200;
  fault_profile profile = fault_profile::mixed;
  run_storage storage = run_storage::model;
};

/// A run whose choices are all explicit, so that a person can edit them. Removing an item leaves the other items
/// unchanged. Equal plans give equal events. The remaining choices are drawn while the plan runs: how long each frame
/// takes, and which node handles its next message.
struct run_plan {
  /// The profile from which the faults were drawn; for reports only.
  fault_profile profile = fault_profile::calm;
  /// The seed for the keys and for the cluster's name.
  std::uint64_t key_seed = 1;
  /// The seed for all choices that are drawn while the plan runs.
  std::uint64_t scheduling_seed = 1;
  plan_settings settings;
  /// All faults end at this time at the latest. From then on the run must settle.
  moment heals_at;
  std::vector<planned_fault> faults;
  std::vector<planned_operation> operations;

  friend bool operator==(const run_plan&, const run_plan&) = default;
};

/// The plan of a seed. Settings, faults, workload and scheduling each have their own random generator, so a new kind of
/// fault leaves the other parts unchanged.
[[nodiscard]] run_plan make_plan(const run_options& options);

/// The world in which the plan runs. It is calm until a driver begins the faults.
[[nodiscard]] world_settings world_of(const run_plan& plan);

/// Returns an error if the plan cannot run.
[[nodiscard]] or_reason<void> check(const run_plan& plan);

/// The plan as text with a line for each item, which a person can edit. `plan_of` reads the text back to an equal plan,
/// and ignores empty lines and lines that begin with #. Its failure names the line.
[[nodiscard]] std::string text_of(const run_plan& plan);
[[nodiscard]] or_reason<run_plan> plan_of(std::string_view text);

}  // namespace hypermesh::testing
