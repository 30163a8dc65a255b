#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/client/client_core.hpp"

namespace hypermesh::testing {

/// The place of an operation in its request. Operations of one request execute one after the other, by their indices.
struct bundle_place {
  client_id client;
  timestamp when;
  std::size_t index = 0;
};

/// An operation and its result, as the client saw them from outside.
struct client_operation {
  client_id client;
  moment invoked;
  /// If it is empty, no result is known. The operation may then have happened at any time after `invoked`, or not at
  /// all.
  std::optional<moment> returned;
  byte_vector operation;
  /// The result; valid only when `returned` is set.
  operation_result result;
  /// The request that carried the operation, if it was sent.
  std::optional<bundle_place> bundle;
};

struct linearizability_verdict {
  std::size_t operations = 0;
  std::size_t keys = 0;
  /// The number of keys whose search reached its limit, so they are neither right nor wrong.
  std::size_t undecided = 0;
  /// The number of places in the search over all keys. It measures the work.
  std::uint64_t states = 0;
  /// The first key whose history no order explains: its shortest failing history, one line for each operation.
  std::optional<std::string> violation;
};

/// The largest number of places that the search of one key may visit. A history of correct replicas needs little more
/// than one place for each operation. One place takes about a hundred bytes.
inline constexpr std::uint64_t search_states_max = 100'000;

/// I5: whether some order of the operations explains the results that the clients saw. In this order, each operation
/// follows all operations that had returned before it was invoked, operations of one request keep their order, and the
/// key-value store gives these results. If two times are equal, the operations are concurrent. Linearizability is a
/// property of each object by itself (Herlihy and Wing 1990), so every key is searched alone. The search is Wing and
/// Gong's ("Testing and Verifying Concurrent Objects", 1993). It remembers the pairs of executed operations and state
/// that lead nowhere (Lowe, "Testing for Linearizability", 2017).
[[nodiscard]] linearizability_verdict check_linearizability(const std::vector<client_operation>& history,
                                                            std::uint64_t states_max = search_states_max);

}  // namespace hypermesh::testing
