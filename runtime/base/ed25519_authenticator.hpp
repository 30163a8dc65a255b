#pragma once

#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/base/keys.hpp"

namespace hypermesh::base {

/// The public keys of the members by number: `replicas[2]` is the key of replica 2.
struct member_keys {
  std::vector<public_key> replicas;
  std::vector<public_key> clients;
};

/// Whether `signer` is a member and signed the input. libsodium refuses keys of small order and signatures that are not
/// canonical. Several threads may call this at once.
[[nodiscard]] bool verify_as_member(const member_keys& members, principal signer, byte_span signing_input,
                                    const signature& claimed);

/// Public-key signatures (§2) with Ed25519. The object never changes after construction, so several threads may call
/// every function at once. Memory: 32 bytes a member.
class ed25519_authenticator final : public authenticator {
 public:
  /// Refuses three cases: `self` is not a member or is listed with another key; two members have the same key, because
  /// one machine would then vote twice; a replica's key is not sound.
  [[nodiscard]] static or_error<std::shared_ptr<const ed25519_authenticator>> make(principal self, secret_key own,
                                                                                   member_keys members);

  [[nodiscard]] principal self() const override { return self_; }
  [[nodiscard]] signature sign(byte_span signing_input) const override;
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const override;

  [[nodiscard]] const member_keys& members() const { return members_; }

 private:
  ed25519_authenticator(principal self, secret_key own, member_keys members);

  [[nodiscard]] static or_error<void> check(principal self, const secret_key& own, const member_keys& members);

  principal self_;
  secret_key own_;
  member_keys members_;
};

}  // namespace hypermesh::base
