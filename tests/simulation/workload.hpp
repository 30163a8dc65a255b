#pragma once

#include <vector>

#include "actors/protocol/client/client_core.hpp"
#include "tests/simulation/plan_settings.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// An operation that a client receives at a planned time.
struct planned_operation {
  moment when;
  /// The process of the client that receives the operation: see `processes_of`.
  client_id client;
  byte_vector operation;
  /// The operation is a read that is not ordered: f+1 replicas answer it from their executed state.
  bool is_query = false;
  /// Only for a query: the read is linearizable, so a quorum must give the same answer, or it is ordered.
  bool is_linearizable = false;

  friend bool operator==(const planned_operation&, const planned_operation&) = default;
};

/// Draws `count` operations on a key-value store with few keys, in bursts until `ends_at`. Some operations are refused
/// or malformed. At `ends_at` each client receives one more operation, so that operations are pending when the network
/// has healed.
[[nodiscard]] std::vector<planned_operation> draw_workload(std::uint32_t count, std::uint32_t processes, moment ends_at,
                                                           splitmix64& chance);

/// Draws a small cluster with small bounds, so that a short run reaches watermarks, checkpoints, full pipelines and
/// state transfers.
[[nodiscard]] plan_settings draw_settings(std::uint32_t replicas, splitmix64& chance);

}  // namespace hypermesh::testing
