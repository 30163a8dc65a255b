#include "actors/ports.hpp"
#include "messages/digest.hpp"

namespace hypermesh {

using namespace messages;

// The label separates chunks from all other hashed bytes: no batch or statement can have the digest of a chunk.
digest state_chunk_digest(byte_span bytes) { return digest_of("hypermesh state chunk", bytes); }

digest state_root(const state_snapshot& snapshot) {
  // The leaves are not computed again. Each leaf was computed when its chunk was created, or verified when its chunk
  // was fetched.
  std::vector<digest> leaves;
  leaves.reserve(snapshot.size());
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return merkle_root(std::move(leaves));
}

}  // namespace hypermesh
