#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/client/client_core.hpp"

namespace hypermesh::testing {

/// Operations of one request execute one after the other, in the order of their indices.
struct bundle_place {
  client_id client;
  timestamp when;
  std::size_t index = 0;
};

/// What a client did and saw, from the outside.
struct client_operation {
  client_id client;
  microseconds_t invoked = 0;
  /// Empty: no result is known, so the operation may have happened at any time after `invoked`, or not at all.
  std::optional<microseconds_t> returned;
  byte_vector operation;
  /// Counts where `returned` is set.
  operation_result result;
  /// The request that carried the operation, when it was sent.
  std::optional<bundle_place> bundle;
};

struct linearizability_verdict {
  std::size_t operations = 0;
  std::size_t keys = 0;
  /// Keys whose search ended at its budget: neither right nor wrong.
  std::size_t undecided = 0;
  /// Places in the search, over all keys; a measure of the work.
  std::uint64_t states = 0;
  /// The first key that no order explains: its shortest failing history, a line for each operation.
  std::optional<std::string> violation;
};

/// Places that the search of one key may visit. A history of correct replicas takes little more than one for each
/// operation; one place takes about a hundred bytes.
inline constexpr std::uint64_t search_states_max = 100'000;

/// I5: whether there is an order of the operations in which each follows all that had returned before it was invoked,
/// operations of one request keep theirs, and the key-value store yields the results that the clients saw. Where two
/// moments are equal, the operations are concurrent. Linearizability is a property of each object by itself (Herlihy
/// and Wing 1990), so every key is searched alone: Wing and Gong's search ("Testing and Verifying Concurrent Objects",
/// 1993), which remembers the pairs of executed operations and state that lead nowhere (Lowe, "Testing for
/// Linearizability", 2017).
[[nodiscard]] linearizability_verdict check_linearizability(const std::vector<client_operation>& history,
                                                            std::uint64_t states_max = search_states_max);

}  // namespace hypermesh::testing
