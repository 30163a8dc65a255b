#include <algorithm>
#include <stdexcept>

#include <hypermesh/state_machine.hpp>

namespace hypermesh {

namespace {

/// The chunk number `index` of `saved`, from `last` if its bytes are the same there.
state_chunk chunk_of(byte_span part, const state_snapshot& last, std::size_t index) {
  const auto leaf = state_chunk_digest(part);
  if (index < last.size() && last[index].leaf == leaf) return last[index];
  return {std::make_shared<const byte_vector>(part.begin(), part.end()), leaf};
}

}  // namespace

state_snapshot small_state_machine::snapshot() {
  const auto saved = save();
  // The executor stops the node after an exception. Without the bound, the pauses at checkpoints would look like a
  // failed primary.
  if (saved.size() > saved_bytes_max) {
    throw std::length_error("the saved state has " + std::to_string(saved.size()) + " bytes, more than " +
                            std::to_string(saved_bytes_max));
  }
  state_snapshot chunks;
  for (std::size_t begin = 0; begin < saved.size(); begin += limits::state_chunk_bytes_max) {
    const auto size = std::min(limits::state_chunk_bytes_max, saved.size() - begin);
    chunks.push_back(chunk_of(byte_span{saved}.subspan(begin, size), last_, chunks.size()));
  }
  last_ = chunks;
  return chunks;
}

or_reason<void> small_state_machine::restore(const state_snapshot& snapshot) {
  byte_vector saved;
  for (const auto& chunk : snapshot) {
    if (chunk.bytes->size() > saved_bytes_max - saved.size()) return invalid("the saved state is too large");
    saved.insert(saved.end(), chunk.bytes->begin(), chunk.bytes->end());
  }
  return load(saved);
}

digest small_state_machine::root() { return state_root(snapshot()); }

}  // namespace hypermesh
