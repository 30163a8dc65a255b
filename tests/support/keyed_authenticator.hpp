#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/ports.hpp"

/// The authenticator port without public-key arithmetic: keyed BLAKE2b, one key for each identity. Some
/// thirty times faster than Ed25519 and equal on every machine, for the simulator and the tests.
namespace hypermesh::testing {

/// The secret of one identity.
using identity_key = fixed_bytes<struct identity_key_tag, 32>;

/// Verifies signatures, and nothing else: its holder cannot sign. Stands for the
/// public keys of the genesis file. Immutable, so any number of threads may share one.
class keyed_verifier {
 public:
  /// False for a principal that is not a member.
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const;

 private:
  friend class key_ring;

  std::vector<identity_key> replicas_;
  std::vector<identity_key> clients_;
};

/// The keys of a node: its own key, and the shared verifier. A simulated Byzantine node that is given
/// one can sign as itself only.
class keyed_authenticator final : public authenticator {
 public:
  keyed_authenticator(principal self, const identity_key& key, std::shared_ptr<const keyed_verifier> verifier);

  [[nodiscard]] principal self() const override { return self_; }
  [[nodiscard]] signature sign(byte_span signing_input) const override;
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const override;

 private:
  principal self_;
  identity_key key_;
  std::shared_ptr<const keyed_verifier> verifier_;
};

/// All keys of a cluster; for the test that sets it up, never for a node. Equal seeds give equal keys.
class key_ring {
 public:
  key_ring(std::uint64_t seed, std::uint32_t replicas, std::uint32_t clients);

  /// The authenticator of `who`, which is a member.
  [[nodiscard]] std::shared_ptr<const keyed_authenticator> of(principal who) const;

  /// An authenticator with a key that no member has but the name `who`: what it signs never verifies.
  [[nodiscard]] std::shared_ptr<const keyed_authenticator> impostor_of(principal who) const;

  [[nodiscard]] std::shared_ptr<const keyed_verifier> verifier() const { return verifier_; }

 private:
  std::uint64_t seed_;
  std::shared_ptr<const keyed_verifier> verifier_;
};

}  // namespace hypermesh::testing
