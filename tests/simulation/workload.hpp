#pragma once

#include <vector>

#include "actors/protocol/client/client_core.hpp"
#include "tests/simulation/plan_settings.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// An operation that a client is given at a time.
struct planned_operation {
  microseconds_t when = 0;
  /// The process that is given it: see `processes_of`.
  client_id client;
  byte_vector operation;
  /// A read that is not ordered: f+1 replicas answer it from what they have executed.
  bool is_query = false;

  friend bool operator==(const planned_operation&, const planned_operation&) = default;
};

/// `count` operations on a key-value store with few keys, in bursts until `ends_at`; some are refused or malformed. At
/// `ends_at` each client is given one more, so that there is something to do when the network has healed.
[[nodiscard]] std::vector<planned_operation> draw_workload(std::uint32_t count, std::uint32_t processes,
                                                           microseconds_t ends_at, splitmix64& chance);

/// A small cluster with small bounds, so that watermarks, checkpoints, full pipelines and state transfers are met
/// in a short run.
[[nodiscard]] plan_settings draw_settings(std::uint32_t replicas, splitmix64& chance);

}  // namespace hypermesh::testing
