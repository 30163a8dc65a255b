#pragma once

#include <span>

#include "runtime/config_key.hpp"
#include "runtime/node_config.hpp"

/// The table of all keys: each row has the facts of a key and the member of a configuration that it sets.
namespace hypermesh::runtime {

/// One row of the table for a configuration of type `Owner`.
template <class Owner>
struct config_row {
  config_key key;
  config_value (*get)(const Owner& from) = nullptr;
  void (*set)(Owner& into, const config_value& value) = nullptr;
  /// Sets the default of a value that is missing in the file, where the default depends on values that were read
  /// before. Null if the member already has its default.
  void (*assume)(Owner& into) = nullptr;
  /// Returns the upper bound of the number if the bound depends on values that were read earlier; null otherwise.
  std::uint64_t (*high_of)(const Owner& from) = nullptr;
};

/// The keys of node.toml, in the order of reading. The first key names the genesis, because other keys depend on it.
[[nodiscard]] std::span<const config_row<node_config>> node_rows();

/// The keys of [links], which are part of `node_rows`.
[[nodiscard]] std::span<const config_row<node_config>> link_rows();

/// The keys of [http], which are part of `node_rows`.
[[nodiscard]] std::span<const config_row<node_config>> http_rows();

/// The keys of [log] and [trace], which are part of `node_rows`.
[[nodiscard]] std::span<const config_row<node_config>> log_rows();

/// The keys of client.toml. The first key names the genesis.
[[nodiscard]] std::span<const config_row<client_config>> client_rows();

/// The keys of [cluster] in genesis.toml. All members agree on them: a changed value makes another cluster.
[[nodiscard]] std::span<const config_row<genesis>> cluster_rows();

}  // namespace hypermesh::runtime
