#include "tests/support/keyed_authenticator.hpp"

#include <algorithm>

#include <sodium.h>

#include "messages/digest.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

static_assert(identity_key::size <= crypto_generichash_KEYBYTES_MAX);

identity_key key_of(std::uint64_t seed, std::string_view domain, principal who) {
  const auto value =
      hasher{domain}.add(seed).add(static_cast<std::uint64_t>(who.kind)).add(std::uint64_t{who.number}).finish();
  identity_key key;
  std::ranges::copy(value.bytes, key.bytes.begin());
  return key;
}

/// The hash is the first half of a signature, and zeros are the second half.
signature signature_under(const identity_key& key, byte_span signing_input) {
  signature out;
  const auto failed =
      crypto_generichash(reinterpret_cast<unsigned char*>(out.bytes.data()), digest::size,
                         reinterpret_cast<const unsigned char*>(signing_input.data()), signing_input.size(),
                         reinterpret_cast<const unsigned char*>(key.bytes.data()), key.bytes.size());
  require(failed == 0, "a keyed hash of these sizes always succeeds");
  return out;
}

}  // namespace

bool keyed_verifier::verify(principal signer, byte_span signing_input, const signature& claimed) const {
  const auto& keys = signer.is_replica() ? replicas_ : clients_;
  return signer.number < keys.size() && signature_under(keys[signer.number], signing_input) == claimed;
}

keyed_authenticator::keyed_authenticator(principal self, const identity_key& key,
                                         std::shared_ptr<const keyed_verifier> verifier)
    : self_(self), key_(key), verifier_(std::move(verifier)) {
  require(verifier_ != nullptr, "an authenticator verifies");
}

signature keyed_authenticator::sign(byte_span signing_input) const { return signature_under(key_, signing_input); }

bool keyed_authenticator::verify(principal signer, byte_span signing_input, const signature& claimed) const {
  return verifier_->verify(signer, signing_input, claimed);
}

key_ring::key_ring(std::uint64_t seed, std::uint32_t replicas, std::uint32_t clients) : seed_(seed) {
  auto verifier = std::make_shared<keyed_verifier>();
  for (std::uint32_t number = 0; number < replicas; ++number) {
    verifier->replicas_.push_back(key_of(seed, "identity", principal::of(replica_id{number})));
  }
  for (std::uint32_t number = 0; number < clients; ++number) {
    verifier->clients_.push_back(key_of(seed, "identity", principal::of(client_id{number})));
  }
  verifier_ = std::move(verifier);
}

std::shared_ptr<const keyed_authenticator> key_ring::of(principal who) const {
  const auto& keys = who.is_replica() ? verifier_->replicas_ : verifier_->clients_;
  require(who.number < keys.size(), "only members have a key");
  return std::make_shared<const keyed_authenticator>(who, keys[who.number], verifier_);
}

std::shared_ptr<const keyed_authenticator> key_ring::impostor_of(principal who) const {
  return std::make_shared<const keyed_authenticator>(who, key_of(seed_, "impostor", who), verifier_);
}

}  // namespace hypermesh::testing
