#include "actors/ports.hpp"
#include "messages/digest.hpp"

namespace hypermesh {

digest state_chunk_digest(byte_span bytes) { return digest_of("hypermesh state chunk", bytes); }

digest state_root(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  leaves.reserve(snapshot.size());
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return merkle_root(std::move(leaves));
}

}  // namespace hypermesh
