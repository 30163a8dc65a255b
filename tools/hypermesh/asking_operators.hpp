#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/ed25519_authenticator.hpp"
#include "tools/hypermesh/cluster_session.hpp"

/// What the commands share with which operators ask a group for something, each with the key of their own replica.
namespace hypermesh::cli {

struct asking_options {
  client_options client;
  /// Of the nodes of the cluster's directory only these; all of them when it is empty.
  std::vector<std::uint32_t> operators;
  std::vector<std::string> node_files;
};

struct asking_operator {
  replica_id self;
  std::shared_ptr<const ed25519_authenticator> keys;

  /// A word of this operator's replica.
  [[nodiscard]] frame_ptr word(message_kind kind, const statement& content, const genesis& cluster) const;
};

/// Adds the client's options, --operator and --node.
void add_asking_options(CLI::App& command, asking_options& into);

/// Those whose node files are named, or are in the cluster's directory; without --operator not `left_out`. An error
/// also when nobody asks.
[[nodiscard]] or_error<std::vector<asking_operator>> operators_of(const asking_options& options, const genesis& cluster,
                                                                  std::optional<replica_id> left_out = std::nullopt);

/// Has `ask` talk to the cluster; ends in any case soon after the options' time-out.
[[nodiscard]] exit_code ask_cluster(const asking_options& options,
                                    const std::function<exit_code(cluster_session&)>& ask);

}  // namespace hypermesh::cli
