#include "actors/protocol/admission/signature_memory.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "messages/digest.hpp"

namespace hypermesh::protocol {

namespace {

std::size_t places_for(const cluster_parameters& cluster) {
  // A PRE-PREPARE, n PREPAREs and n COMMITs for each sequence number of the window.
  const auto votes = std::size_t{cluster.watermark_window} * (2 * std::size_t{cluster.replicas} + 1);
  return std::min(std::bit_ceil(4 * votes), signature_memory::places_max);
}

digest key_of(principal signer, byte_span signing_input, const signature& claimed) {
  hasher key{"hypermesh verified signature"};
  // The length of the input separates it from what follows.
  key.add(std::uint64_t{signer.number}).add(std::uint64_t{signing_input.size()}).add(signing_input);
  return key.add(claimed.view()).finish();
}

}  // namespace

signature_memory::signature_memory(const cluster_parameters& cluster, const authenticator& keys)
    : keys_(&keys), places_(places_for(cluster)) {}

bool signature_memory::verify(principal signer, byte_span signing_input, const signature& claimed) const {
  if (!signer.is_replica()) return keys_->verify(signer, signing_input, claimed);
  if (known_.empty()) known_.resize(places_);
  const auto key = key_of(signer, signing_input, claimed);
  std::uint64_t number = 0;
  std::memcpy(&number, key.bytes.data(), sizeof number);
  auto& place = known_[number % places_];
  if (place == key) {
    ++skipped_;
    return true;
  }
  if (!keys_->verify(signer, signing_input, claimed)) return false;
  place = key;
  return true;
}

}  // namespace hypermesh::protocol
