#pragma once

#include <filesystem>
#include <memory>

#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/genesis.hpp"
#include "runtime/links/link_settings.hpp"

/// Derives from the configuration of a replica or client what it needs before it opens a link.
namespace hypermesh::runtime {

/// Reads the secret key of `self` and compares it with the genesis.
[[nodiscard]] or_error<std::shared_ptr<const ed25519_authenticator>> load_keys(const std::filesystem::path& file,
                                                                               principal self, const genesis& cluster);

/// The settings of a member's links. `keys` is the identity of the member, and the genesis names the nodes that it may
/// open links to. `keys` may be null if only the number of links matters.
[[nodiscard]] link_settings link_settings_of(const genesis& cluster, std::shared_ptr<const authenticator> keys,
                                             const link_limits& limits = {});

}  // namespace hypermesh::runtime
