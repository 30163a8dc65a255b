#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/base/keys.hpp"
#include "runtime/links/link_settings.hpp"

namespace hypermesh {

/// The members and the agreed parameters of a cluster. Every member has the same genesis before the first message. The
/// digest of its content is the cluster id, so members with different genesis files never open a link.
struct genesis {
  struct replica {
    public_key key;
    links::replica_address address;
  };

  std::string name;
  /// Random text. It gives different ids to two clusters with equal settings.
  std::string nonce;
  std::string state_machine = "key-value";
  std::uint32_t epoch = 0;
  std::uint32_t checkpoint_period = 128;
  std::uint32_t watermark_window = 256;
  std::uint32_t clock_skew_max_ms = 10'000;
  protocol::request_authentication requests_by = protocol::request_authentication::signature;
  std::vector<replica> replicas;
  std::vector<public_key> clients;

  /// BLAKE2b-256 over the whole content except the addresses, which may change.
  [[nodiscard]] cluster_id id() const;
  [[nodiscard]] protocol::cluster_parameters parameters() const;
  [[nodiscard]] base::member_keys keys() const;
  [[nodiscard]] std::vector<links::replica_address> addresses() const;
};

/// Reads and checks a genesis file. The error names every problem with its line, or says why the file cannot be read.
[[nodiscard]] or_error<genesis> read_genesis(const std::filesystem::path& path);

/// Writes a genesis file with comments for people. Never replaces an existing file.
[[nodiscard]] or_error<void> write_genesis(const std::filesystem::path& path, const genesis& content);

}  // namespace hypermesh
