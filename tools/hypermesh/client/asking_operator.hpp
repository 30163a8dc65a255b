#pragma once

#include <filesystem>
#include <memory>

#include "messages/codec.hpp"
#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/genesis.hpp"

namespace hypermesh::cli {

/// An operator who asks a group for an action with the key of its own replica.
struct asking_operator {
  replica_id self;
  std::shared_ptr<const ed25519_authenticator> keys;

  /// Makes a message that is signed with the key of this operator's replica.
  [[nodiscard]] frame_ptr word(message_kind kind, const statement& content, const genesis& cluster) const;
};

/// The operator of the replica that `file`, a node.toml, describes. Returns an error if the file or the key is missing,
/// or if the replica belongs to another cluster.
[[nodiscard]] or_error<asking_operator> operator_of(const std::filesystem::path& file, const genesis& cluster);

}  // namespace hypermesh::cli
