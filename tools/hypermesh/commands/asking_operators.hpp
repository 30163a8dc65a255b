#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/ed25519_authenticator.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"

/// Shared by the commands with which operators ask a group for something, each with the key of their own replica.
namespace hypermesh::cli {

struct asking_options {
  client_options client;
  /// Only these nodes of the cluster's directory ask; all of them if it is empty.
  std::vector<std::uint32_t> operators;
  std::vector<std::string> node_files;
};

struct asking_operator {
  replica_id self;
  std::shared_ptr<const ed25519_authenticator> keys;

  /// A message that is signed with the key of this operator's replica.
  [[nodiscard]] frame_ptr word(message_kind kind, const statement& content, const genesis& cluster) const;
};

/// Adds the client's options, --operator and --node.
void add_asking_options(CLI::App& command, asking_options& into);

/// The operators whose node files are named, or whose nodes are in the cluster's directory; without --operator all but
/// `left_out`. An error if there is no operator.
[[nodiscard]] or_error<std::vector<asking_operator>> operators_of(const asking_options& options, const genesis& cluster,
                                                                  std::optional<replica_id> left_out = std::nullopt);

/// Runs `ask` with a session of the cluster. The process ends soon after the time-out of the options in any case.
[[nodiscard]] exit_code ask_cluster(const asking_options& options,
                                    const std::function<exit_code(cluster_session&)>& ask);

}  // namespace hypermesh::cli
