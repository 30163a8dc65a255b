#pragma once

#include <cstdint>
#include <memory>

#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/links/handshake.hpp"

/// Members with known keys, for the tests of keys, handshakes and links.
namespace hypermesh::testing::link_test {

inline constexpr std::uint32_t replica_count = 4;
inline constexpr std::uint32_t client_count = 2;

inline secret_key key_of(principal who) {
  std::array<std::byte, 32> seed{};
  seed[0] = static_cast<std::byte>(who.kind);
  seed[1] = static_cast<std::byte>(who.number);
  seed[2] = std::byte{7};
  return secret_key::from_seed(seed);
}

inline member_keys all_members() {
  member_keys members;
  for (std::uint32_t number = 0; number < replica_count; ++number) {
    members.replicas.push_back(key_of(principal::of(replica_id{number})).public_half());
  }
  for (std::uint32_t number = 0; number < client_count; ++number) {
    members.clients.push_back(key_of(principal::of(client_id{number})).public_half());
  }
  return members;
}

/// The authenticator of `who` with the keys of `members`. For an impostor, `members` lists a key that is not the true
/// key.
inline std::shared_ptr<const authenticator> authenticator_of(principal who, secret_key own, member_keys members) {
  auto made = ed25519_authenticator::make(who, std::move(own), std::move(members));
  return *made;
}

inline std::shared_ptr<const authenticator> authenticator_of(principal who) {
  return authenticator_of(who, key_of(who), all_members());
}

/// An authenticator that claims to be `who` and signs with another key.
inline std::shared_ptr<const authenticator> impostor_of(principal who) {
  auto own = secret_key::generate();
  auto members = all_members();
  (who.is_replica() ? members.replicas : members.clients).at(who.number) = own.public_half();
  return authenticator_of(who, std::move(own), std::move(members));
}

inline cluster_id cluster_of(std::uint8_t number) {
  cluster_id cluster;
  cluster.bytes.fill(static_cast<std::byte>(number));
  return cluster;
}

inline handshake_context context_of(std::shared_ptr<const authenticator> keys, std::uint8_t cluster = 1) {
  return {cluster_of(cluster), std::move(keys), replica_count, client_count};
}

inline handshake_context context_of(principal who) { return context_of(authenticator_of(who)); }

inline ephemeral_seed seed_of(std::uint8_t number) {
  ephemeral_seed seed;
  seed.bytes.fill(static_cast<std::byte>(number));
  return seed;
}

}  // namespace hypermesh::testing::link_test
