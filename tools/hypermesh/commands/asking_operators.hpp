#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/hypermesh/client/asking_operator.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"

/// Common code of the commands with which operators ask a group for an action. Each operator uses the key of its own
/// replica.
namespace hypermesh::cli {

struct asking_options {
  client_options client;
  /// The nodes of the cluster's directory that ask. If the list is empty, all nodes ask.
  std::vector<std::uint32_t> operators;
  std::vector<std::string> node_files;
};

/// Adds the client's options, --operator and --node.
void add_asking_options(CLI::App& command, asking_options& into);

/// The operators whose node files are named, or whose nodes are in the cluster's directory. Without --operator, all
/// nodes except `left_out` ask. Returns an error if there is no operator.
[[nodiscard]] or_error<std::vector<asking_operator>> operators_of(const asking_options& options, const genesis& cluster,
                                                                  std::optional<replica_id> left_out = std::nullopt);

/// Runs `ask` with a session of the cluster. If `ask` has not returned one second after the time-out of the options,
/// the process ends.
[[nodiscard]] exit_code ask_cluster(const asking_options& options,
                                    const std::function<exit_code(cluster_session&)>& ask);

}  // namespace hypermesh::cli
