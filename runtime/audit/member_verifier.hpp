#pragma once

#include "messages/require.hpp"
#include "runtime/base/ed25519_authenticator.hpp"

namespace hypermesh::audit {

/// Verifies with the keys of a genesis file and needs no secret key, so a trail can be checked on any machine.
class member_verifier final : public authenticator {
 public:
  explicit member_verifier(member_keys members) : members_(std::move(members)) { initialise_crypto(); }

  [[nodiscard]] principal self() const override { fail(); }
  [[nodiscard]] signature sign(byte_span) const override { fail(); }
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const override {
    return verify_as_member(members_, signer, signing_input, claimed);
  }

 private:
  [[noreturn]] static void fail() {
    fail_requirement("a verifier without a key has no identity and cannot sign", __FILE__, __LINE__, __func__);
  }

  member_keys members_;
};

}  // namespace hypermesh::audit
