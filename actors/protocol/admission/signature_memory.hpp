#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"

namespace hypermesh::protocol {

/// An authenticator that does not verify a signature of a replica a second time. A VIEW-CHANGE and a NEW-VIEW consist
/// of votes that the receiver has verified when they arrived, so a view change takes a fraction of the time.
///
/// A signature is known only if exactly these bytes, this signature and this signer were verified here before: the key
/// is BLAKE2b-256 over all three (attack 7). A signature that failed is not remembered. Signatures of clients are not
/// remembered, because a request seldom arrives twice and is large.
///
/// The table has a fixed number of places, and a digest has one place, where it replaces another one. So a flood of
/// valid signatures only costs the time that the memory would save. Memory, from the first signature of a replica on:
/// 32 bytes for each place, at least four places for each vote inside a window of L sequence numbers, at most 2 MiB.
///
/// Not thread-safe: `verify` changes the table.
class signature_memory final : public authenticator {
 public:
  static constexpr std::size_t places_max = 65'536;

  /// `keys` verifies signatures and outlives this object.
  signature_memory(const cluster_parameters& cluster, const authenticator& keys);

  [[nodiscard]] principal self() const override { return keys_->self(); }
  [[nodiscard]] signature sign(byte_span signing_input) const override { return keys_->sign(signing_input); }
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const override;

  [[nodiscard]] std::size_t places() const { return places_; }
  /// Signatures that were not verified again.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  const authenticator* keys_;
  std::size_t places_;
  /// Digests of verified signatures; zeros in an empty place.
  mutable std::vector<digest> known_;
  mutable std::uint64_t skipped_ = 0;
};

}  // namespace hypermesh::protocol
