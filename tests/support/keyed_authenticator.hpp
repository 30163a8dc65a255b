#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/ports.hpp"

/// The authenticator port without public-key arithmetic: keyed BLAKE2b, with one key for each identity. It is some
/// thirty times faster than Ed25519 and gives equal results on every machine. For the simulator and the tests.
namespace hypermesh::testing {

/// The secret key of one identity.
using identity_key = fixed_bytes<struct identity_key_tag, 32>;

/// Verifies signatures but cannot sign. It replaces the public keys of the genesis file. The object never changes, so
/// any number of threads may share it.
class keyed_verifier {
 public:
  /// Returns false for a principal that is not a member.
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const;

 private:
  friend class key_ring;

  std::vector<identity_key> replicas_;
  std::vector<identity_key> clients_;
};

/// The keys of a node: its own key, and the shared verifier. A simulated Byzantine node that has this object can sign
/// only as itself.
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

/// All keys of a cluster. They are for the test that sets the cluster up, never for a node. Equal seeds give equal
/// keys.
class key_ring {
 public:
  key_ring(std::uint64_t seed, std::uint32_t replicas, std::uint32_t clients);

  /// The authenticator of `who`, which must be a member.
  [[nodiscard]] std::shared_ptr<const keyed_authenticator> of(principal who) const;

  /// An authenticator in the name of `who` with a key that no member has. Its signatures never verify.
  [[nodiscard]] std::shared_ptr<const keyed_authenticator> impostor_of(principal who) const;

  [[nodiscard]] std::shared_ptr<const keyed_verifier> verifier() const { return verifier_; }

 private:
  std::uint64_t seed_;
  std::shared_ptr<const keyed_verifier> verifier_;
};

}  // namespace hypermesh::testing
